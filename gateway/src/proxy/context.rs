//! What one request carries through Pingora, and what is said of it when it is over.

use std::sync::{Arc, Weak};

use http::StatusCode;
use octroi_policy::{
    decision::RouteIndex, id::RequestId, request::CanonicalRequest, time::Timestamp,
};
use tokio::time::Instant;

use super::{
    GateParts, access_log::AccessLine, answer::answer, forward::Forwarding, refusal::Refusal,
    site::Site,
};
use crate::{
    listener::{
        facts::{ConnectionFacts, Protocol},
        open_requests::{EndReason, OpenRequest, Registration},
    },
    metrics::InFlight,
    store::live::LiveToken,
};

/// The context of one request.
pub(crate) struct Context {
    /// What stands in the log when it is over, in whichever way.
    pub(super) record: Record,
    /// Evidence that it may be forwarded, made of a permit. Upstream filters only borrow it.
    pub(super) forwarding: Option<Forwarding>,
    /// How often a connection to the service was tried.
    pub(super) attempts: usize,
    /// How many interim answers the service gave.
    pub(super) interim_answers: usize,
    /// Whether a public route was asked for with a session that lives on its host. The access line
    /// does not say whose: the service is not told either.
    pub(super) signed_in: bool,
    /// Why it was refused after it had begun to be forwarded.
    pub(super) failed: Option<Refusal>,
}

/// The facts of a request for access line and counters. They are written when it is dropped: a
/// request that is cancelled runs nothing else.
pub(super) struct Record {
    parts: Arc<GateParts>,
    facts: Option<Arc<ConnectionFacts>>,
    /// Weak: a record that goes into a takeover is held by this very request.
    open: Weak<OpenRequest>,
    began: Instant,
    pub(super) site: Arc<Site>,
    pub(super) at: Timestamp,
    pub(super) id: Option<RequestId>,
    pub(super) method: http::Method,
    pub(super) request: Option<CanonicalRequest>,
    pub(super) route: Option<RouteIndex>,
    pub(super) session: Option<Arc<LiveToken>>,
    pub(super) refusal: Option<Refusal>,
    pub(super) status: Option<StatusCode>,
    pub(super) bytes_out: u64,
    pub(super) bytes_in: u64,
    /// Why a WebSocket ended, where neither side closed it.
    pub(super) tunnel_ended: Option<&'static str>,
    in_flight: Option<InFlight>,
    registration: Option<Registration>,
    written: bool,
}

impl Context {
    /// The context of a request that is about to be read.
    pub(super) fn new(parts: &Arc<GateParts>, open: Option<&Arc<OpenRequest>>) -> Self {
        Self {
            record: Record {
                parts: Arc::clone(parts),
                facts: open.map(|open| Arc::clone(&open.facts)),
                open: open.map_or_else(Weak::new, Arc::downgrade),
                began: Instant::now(),
                site: parts.site.load_full(),
                at: parts.clock.now(),
                id: parts.request_ids.next().ok(),
                method: http::Method::GET,
                request: None,
                route: None,
                session: None,
                refusal: None,
                status: None,
                bytes_out: 0,
                bytes_in: 0,
                tunnel_ended: None,
                in_flight: None,
                registration: None,
                written: false,
            },
            forwarding: None,
            attempts: 0,
            interim_answers: 0,
            signed_in: false,
            failed: None,
        }
    }

    /// Whether whoever asks has a session that lives on this host.
    pub(super) const fn is_signed_in(&self) -> bool {
        self.signed_in || self.record.session.is_some()
    }
}

impl Record {
    /// The connection that the request came on.
    pub(super) fn facts(&self) -> Option<&Arc<ConnectionFacts>> {
        self.facts.as_ref()
    }

    /// The request, as the door knows it.
    pub(super) fn open(&self) -> Option<Arc<OpenRequest>> {
        self.open.upgrade()
    }

    /// The reference told to client and upstream. Without random bytes nothing is forwarded, so
    /// that one is never told.
    pub(super) fn id(&self) -> RequestId {
        self.id.unwrap_or(RequestId::from_bytes([0; 16]))
    }

    /// From here on the request counts for this route.
    pub(super) fn take_route(&mut self, index: RouteIndex) {
        self.route = Some(index);
        self.in_flight = self.site.way(index).map(|way| way.metrics.begin());
    }

    /// Keeps the request in the registry of its session until it is over.
    pub(super) fn keep_registered(&mut self, registration: Registration) {
        self.registration = Some(registration);
    }

    /// Hands the whole record to whoever goes on with the request; what stays behind says nothing.
    pub(super) fn hand_over(&mut self) -> Self {
        let mut taken = Context::new(&self.parts, self.open.upgrade().as_ref()).record;
        std::mem::swap(self, &mut taken);
        self.written = true;
        taken
    }

    /// Words the answer of a request that the door ends because its body comes too slowly. Here,
    /// where its reference is known; it was counted to its address when it was let in.
    fn refuse_slow_body(&mut self) {
        let open = self.open.upgrade();
        let Some(open) = open.filter(|open| open.end_reason() == Some(EndReason::BodyTooSlow))
        else {
            return;
        };
        if self.status.is_some() || open.facts.protocol != Protocol::Http1 {
            return;
        }
        let refusal = Refusal::BodyTooSlow;
        let answer = answer(&self.parts, self, None, refusal);
        self.refusal = Some(refusal);
        self.status = Some(answer.status);
        self.bytes_out = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
        open.leave_last_answer(answer.into_response());
    }

    fn write(&self) {
        let took = self.began.elapsed();
        let way = self.route.and_then(|index| self.site.way(index));
        let metrics = way.map_or_else(|| self.site.unrouted(), |way| &way.metrics);
        metrics.answered(self.status, took);
        let outcome = self.refusal.map(Refusal::outcome);
        if let Some(outcome) = outcome {
            self.parts.metrics.refused(outcome.id);
        }
        let facts = self.facts();
        let session = self.session.as_ref().map(|token| &token.session.record);
        let route = self.route.and_then(|index| self.site.route(index));
        let path = self.request.as_ref().map(|request| request.path().as_str());
        self.parts.access_log.write(&AccessLine {
            at: self.at,
            request: self.id(),
            client: match &self.request {
                Some(request) => Some(request.client()),
                None => facts.map(|facts| facts.client.ip()),
            },
            protocol: facts.map_or("-", |facts| match facts.protocol {
                Protocol::Http1 => "h1",
                Protocol::Http2 => "h2",
            }),
            tls: facts.map_or("-", |facts| facts.tls.version.as_str()),
            method: self.method.as_str(),
            host: self.request.as_ref().map(|request| request.host().as_str()),
            path: path.map(|path| cut(path, AccessLine::PATH_BYTES_MAX)),
            status: self.status.map(|status| status.as_u16()),
            route: route.map(|route| route.name.as_str()),
            account: session.map(|session| session.account),
            session: session.map(|session| session.id),
            refused: outcome.map(|outcome| outcome.id),
            because: self.refusal.and_then(Refusal::because),
            ended: self
                .open
                .upgrade()
                .and_then(|open| open.end_reason())
                .map(EndReason::as_str)
                .or(self.tunnel_ended),
            bytes_out: self.bytes_out,
            bytes_in: self.bytes_in,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.written {
            self.written = true;
            self.refuse_slow_body();
            self.write();
        }
    }
}

/// The beginning of `text`, at most `bytes` long. Canonical paths are ASCII.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..bytes).unwrap_or(text)
}
