//! The gate as Pingora calls it: each callback hands over to the part that it belongs to.

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, header};
use pingora::{
    Error, ErrorSource, ErrorType,
    http::{RequestHeader, ResponseHeader},
    modules::http::HttpModules,
    proxy::{FailToProxy, ProxyHttp, Session},
    upstreams::peer::HttpPeer,
};

use super::{
    Gate,
    answer::{answer, send},
    context::Context,
    decide::{Course, decide},
    in_process,
    rate_limit::AddressLimit,
    refusal::Refusal,
    response,
    upstream::{Awaited, with_causes},
    websocket,
};
use crate::listener::open_requests;

#[async_trait]
impl ProxyHttp for Gate {
    type CTX = Context;

    fn new_ctx(&self) -> Self::CTX {
        Context::new(&self.0, open_requests::current().as_ref())
    }

    /// No modules: we neither compress nor cache.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(
        &self,
        session: &mut Session,
        context: &mut Self::CTX,
    ) -> pingora::Result<bool> {
        let decided = decide(&self.0, session, context).await;
        let course = match decided.and_then(|course| self.spend(course, context)) {
            Ok(Course::Forward) => {
                note_expectation(session, context);
                return Ok(false);
            }
            Ok(course) => self.take(course, session, context).await,
            Err(refusal) => Err(refusal),
        };
        match course {
            Ok(sent) => sent?,
            Err(refusal) => self.refuse(session, context, refusal).await?,
        }
        Ok(true)
    }

    async fn upstream_peer(
        &self,
        session: &mut Session,
        context: &mut Self::CTX,
    ) -> pingora::Result<Box<HttpPeer>> {
        context.attempts += 1;
        let Some(forwarding) = &context.forwarding else {
            return Err(no_permit(context));
        };
        let Some(way) = context.record.site.way(forwarding.route()) else {
            return Err(no_permit(context));
        };
        let awaited = Awaited::of(session);
        let peer = way.service.peer(awaited).await;
        peer.map_err(|fault| {
            let request = context.record.id();
            tracing::warn!(%request, cause = with_causes(&fault), "a service cannot be reached");
            context.failed = Some(Refusal::UpstreamUnreachable);
            Error::explain(
                ErrorType::ConnectError,
                "no address of the service may be used",
            )
        })
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        head: &mut RequestHeader,
        context: &mut Self::CTX,
    ) -> pingora::Result<()> {
        let Some(forwarding) = &context.forwarding else {
            return Err(no_permit(context));
        };
        let applied = forwarding.apply(&context.record.site, head);
        applied.map_err(|refusal| {
            context.failed = Some(refusal);
            Error::new(ErrorType::InternalError)
        })
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        context: &mut Self::CTX,
    ) -> pingora::Result<()> {
        context.record.bytes_in += length(body.as_ref());
        if let Some(open) = context.record.open() {
            open.body
                .received(body.as_ref().map_or(0, Bytes::len), end_of_stream);
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        head: &mut ResponseHeader,
        context: &mut Self::CTX,
    ) -> pingora::Result<()> {
        if head.status.is_informational() {
            context.interim_answers += 1;
            if let Some(open) = context.record.open() {
                open.body.told_to_go_on();
            }
            return match response::filter_interim(head, context.interim_answers) {
                Ok(()) => Ok(()),
                Err(unusable) => Err(broken(context, unusable)),
            };
        }
        let bears_identity = context
            .forwarding
            .as_ref()
            .is_some_and(super::forward::Forwarding::bears_identity);
        if let Err(unusable) = response::relay(head, &context.record, bears_identity) {
            return Err(broken(context, unusable));
        }
        context.record.status = Some(head.status);
        if let Some(open) = context.record.open() {
            open.body.answer_began();
            if response::is_without_body(head, &context.record.method) {
                open.body.answer_over();
            }
        }
        Ok(())
    }

    fn upstream_response_trailer_filter(
        &self,
        _session: &mut Session,
        trailers: &mut HeaderMap,
        context: &mut Self::CTX,
    ) -> pingora::Result<()> {
        answer_over(context);
        response::filter_trailers(trailers);
        Ok(())
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        context: &mut Self::CTX,
    ) -> pingora::Result<Option<std::time::Duration>> {
        context.record.bytes_out += length(body.as_ref());
        if end_of_stream {
            answer_over(context);
        }
        Ok(None)
    }

    /// Another address may be tried, by any request: Pingora calls this only where no connection
    /// came about, TLS included, so that not a byte of the request was sent.
    fn fail_to_connect(
        &self,
        _session: &mut Session,
        peer: &HttpPeer,
        context: &mut Self::CTX,
        mut fault: Box<Error>,
    ) -> Box<Error> {
        let way = context
            .record
            .route
            .and_then(|index| context.record.site.way(index));
        let goes_on = way.is_some_and(|way| {
            way.service.failed(peer, &fault, context.record.id());
            context.attempts < way.service.tries()
        });
        fault.set_retry(goes_on);
        fault
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        fault: &Error,
        context: &mut Self::CTX,
    ) -> FailToProxy {
        let refusal = context.failed.or_else(|| refusal_of(fault));
        let begun = session
            .response_written()
            .is_some_and(|head| !head.status.is_informational());
        let mut error_code = 0;
        if let (Some(refusal), false) = (refusal, begun) {
            error_code = refusal.outcome().status.as_u16();
            // The client may be gone; there is nobody left to tell.
            let _ = self.refuse(session, context, refusal).await;
        }
        FailToProxy {
            error_code,
            can_reuse_downstream: false,
        }
    }

    /// Pingora's own line quotes the request, and what a service answered; ours is the access line.
    /// A service that took the connection and then failed is named by its kind of failure, since an
    /// access line only says that it did; one that took none was named when it was tried.
    fn suppress_error_log(&self, _session: &Session, context: &Self::CTX, fault: &Error) -> bool {
        let request = context.record.id();
        let (kind, source) = (fault.etype().as_str(), fault.esource().as_str());
        let is_new = context.failed.is_none() && !is_without_connection(fault.etype());
        if *fault.esource() == ErrorSource::Upstream && is_new {
            tracing::warn!(%request, kind, "a service failed while it answered");
        } else {
            tracing::debug!(%request, kind, source, "a request could not be proxied");
        }
        true
    }

    fn request_summary(&self, _session: &Session, context: &Self::CTX) -> String {
        format!("request {}", context.record.id())
    }
}

impl Gate {
    /// Answers in this process, or leaves the connection to the door.
    async fn take(
        &self,
        course: Course,
        session: &mut Session,
        context: &mut Context,
    ) -> Result<pingora::Result<()>, Refusal> {
        match course {
            Course::Forward => Err(Refusal::Invariant),
            Course::Tunnel(handshake) => {
                websocket::hand_over(&self.0, session, context, handshake).map(Ok)
            }
            Course::Page(answerer, token) => {
                in_process::serve(&self.0, session, &mut context.record, answerer, token).await
            }
            Course::SignIn => in_process::sign_in(&self.0, session, &mut context.record).await,
        }
    }

    /// Counts what is about to be answered on the budget of its kind.
    fn spend(&self, course: Course, context: &Context) -> Result<Course, Refusal> {
        match &course {
            // What is sent to our own pages may be a guess at a password: a session, on whichever
            // account, must not buy guesses at others.
            Course::Page(..) if !context.record.method.is_safe() => {
                check(&self.0.limit, context)?;
            }
            _ if context.is_signed_in() => {}
            Course::Page(..) | Course::SignIn => check(&self.0.limit, context)?,
            Course::Forward | Course::Tunnel(_) => check(&self.0.public_limit, context)?,
        }
        Ok(course)
    }

    async fn refuse(
        &self,
        session: &mut Session,
        context: &mut Context,
        refusal: Refusal,
    ) -> pingora::Result<()> {
        let refusal = self.spend_on_refusal(context, refusal);
        if refusal == Refusal::Invariant {
            self.0.metrics.invariant_violations.inc();
            tracing::error!(request = %context.record.id(), "invariant: a request without a permit");
        }
        context.record.refusal = Some(refusal);
        let headers = &session.req_header().headers;
        let answer = answer(&self.0, &context.record, Some(headers), refusal);
        send(session, &mut context.record, answer).await
    }

    /// Counts a refusal to somebody who is not signed in; what is then to be told. A fault of ours
    /// is never hidden, nor is what a service did, and "too many" is not counted again.
    pub(super) fn spend_on_refusal(&self, context: &Context, refusal: Refusal) -> Refusal {
        let counts = !matches!(
            refusal,
            Refusal::Invariant | Refusal::Fault | Refusal::TooManyRequests { .. }
        );
        if !counts || context.is_signed_in() || context.failed.is_some() {
            return refusal;
        }
        check(&self.0.limit, context).err().unwrap_or(refusal)
    }
}

/// A client that waits for the service's word is not the one that is slow.
fn note_expectation(session: &Session, context: &Context) {
    if session.req_header().headers.contains_key(header::EXPECT)
        && let Some(open) = context.record.open()
    {
        open.body.hold_back();
    }
}

/// The service has said all; what the client still sends is waited for no longer.
fn answer_over(context: &Context) {
    if let Some(open) = context.record.open() {
        open.body.answer_over();
    }
}

/// Counts an answer to the address of whoever asks.
fn check(limit: &ArcSwap<AddressLimit>, context: &Context) -> Result<(), Refusal> {
    let address = match (&context.record.request, context.record.facts()) {
        (Some(request), _) => request.client(),
        (None, Some(facts)) => facts.client.ip(),
        (None, None) => return Ok(()),
    };
    let limit = limit.load();
    limit
        .check(address)
        .map_err(|retry_after| Refusal::TooManyRequests { retry_after })
}

/// An answer that is not passed on.
#[expect(clippy::unnecessary_box_returns, reason = "Pingora's errors are boxed")]
fn broken(context: &mut Context, unusable: response::Unusable) -> Box<Error> {
    tracing::warn!(request = %context.record.id(), %unusable, "a service's answer is not passed on");
    context.failed = Some(Refusal::UpstreamBroken);
    Error::explain(ErrorType::InvalidHTTPHeader, "not passed on").into_up()
}

/// No permit, no bytes.
#[expect(clippy::unnecessary_box_returns, reason = "Pingora's errors are boxed")]
fn no_permit(context: &mut Context) -> Box<Error> {
    context.failed = Some(Refusal::Invariant);
    Error::explain(ErrorType::InternalError, "no permit")
}

/// What a fault of Pingora is to the client; `None` when the client is gone.
fn refusal_of(fault: &Error) -> Option<Refusal> {
    match (fault.esource(), fault.etype()) {
        (ErrorSource::Downstream, ErrorType::WriteError | ErrorType::ConnectionClosed) => None,
        (ErrorSource::Downstream, ErrorType::ReadTimedout) => Some(Refusal::BodyTooSlow),
        (ErrorSource::Downstream, _) => Some(Refusal::Malformed(
            octroi_policy::request::Malformed::Framing,
        )),
        (ErrorSource::Upstream, ErrorType::ReadTimedout | ErrorType::WriteTimedout) => {
            Some(Refusal::UpstreamTooSlow)
        }
        (ErrorSource::Upstream, ErrorType::ConnectionClosed) => Some(Refusal::UpstreamUnreachable),
        (ErrorSource::Upstream, kind) if is_without_connection(kind) => {
            Some(Refusal::UpstreamUnreachable)
        }
        (ErrorSource::Upstream, _) => Some(Refusal::UpstreamBroken),
        (ErrorSource::Internal | ErrorSource::Unset, _) => Some(Refusal::Fault),
    }
}

/// Whether no connection to the service came about.
const fn is_without_connection(kind: &ErrorType) -> bool {
    matches!(
        kind,
        ErrorType::ConnectTimedout
            | ErrorType::ConnectRefused
            | ErrorType::ConnectNoRoute
            | ErrorType::ConnectError
            | ErrorType::TLSHandshakeFailure
            | ErrorType::TLSHandshakeTimedout
            | ErrorType::InvalidCert
            | ErrorType::SocketError
    )
}

fn length(body: Option<&Bytes>) -> u64 {
    body.map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX))
}
