//! Pages of this process: an axum router answers a request that Pingora holds.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, Version, header};
use http_body_util::BodyExt;
use octroi_policy::{
    path::{is_unreserved, percent_encoded},
    request::CanonicalRequest,
};
use pingora::{http::ResponseHeader, proxy::Session};
use tower::ServiceExt;

use super::{GateParts, answer::linger, context::Record, decide::Answerer, refusal::Refusal};
use crate::{
    identity::{client::ClientFacts, secret::SessionToken},
    portal::Visitor,
};

/// The longest body that a page is given: forms and small JSON.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Lets a page answer. The answer is streamed.
///
/// # Errors
///
/// The refusal to be sent, or `Ok(Err)` when the client is gone.
pub(super) async fn serve(
    gate: &GateParts,
    session: &mut Session,
    record: &mut Record,
    answerer: Answerer,
    token: Option<SessionToken>,
) -> Result<pingora::Result<()>, Refusal> {
    let body = read_body(session, &record.method).await?;
    if let Some(open) = record.open() {
        open.body.answer_began();
    }
    record.bytes_in = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let request = record.request.as_ref().ok_or(Refusal::Invariant)?;
    let head = session.req_header();
    let target = request.target().clone();
    let method = head.method.clone();
    let mut inner = page_request(method, target.into(), &head.headers, Body::from(body))?;
    inner
        .extensions_mut()
        .insert(visitor(record, request, &head.headers, token));
    let answered = run(router(gate, answerer), inner).await;
    Ok(stream(session, record, answered).await)
}

/// Shows a person the way to sign in: what `/.octroi/login` of this host answers.
///
/// # Errors
///
/// As [`serve`].
pub(super) async fn sign_in(
    gate: &GateParts,
    session: &mut Session,
    record: &mut Record,
) -> Result<pingora::Result<()>, Refusal> {
    let request = record.request.as_ref().ok_or(Refusal::Invariant)?;
    let target = sign_in_target(request.target().as_str());
    let uri = target.parse().map_err(|_| Refusal::Fault)?;
    let head = session.req_header();
    let mut inner = page_request(Method::GET, uri, &head.headers, Body::empty())?;
    inner
        .extensions_mut()
        .insert(visitor(record, request, &head.headers, None));
    let answered = run(router(gate, Answerer::Application), inner).await;
    Ok(stream(session, record, answered).await)
}

/// The path of the sign-in page that leads back to `target`.
fn sign_in_target(target: &str) -> String {
    let stands = |byte| is_unreserved(byte) || byte == b'/';
    let target = percent_encoded(target, stands);
    format!("/.octroi/login?return_to={target}")
}

fn router(gate: &GateParts, answerer: Answerer) -> Router {
    match answerer {
        Answerer::Portal => gate.routers.portal.clone(),
        Answerer::Application => gate.routers.application.clone(),
    }
}

async fn run(router: Router, request: Request<Body>) -> Response<Body> {
    let answered: Result<_, Infallible> = router.oneshot(request).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn page_request(
    method: Method,
    uri: http::Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Request<Body>, Refusal> {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .body(body)
        .map_err(|_| Refusal::Fault)?;
    *request.headers_mut() = headers.clone();
    Ok(request)
}

fn visitor(
    record: &Record,
    request: &CanonicalRequest,
    headers: &HeaderMap,
    token: Option<SessionToken>,
) -> Visitor {
    let user_agent = headers.get(header::USER_AGENT).map(|value| {
        let bytes = value.as_bytes();
        let kept = bytes.get(..USER_AGENT_BYTES_MAX).unwrap_or(bytes);
        String::from_utf8_lossy(kept).into()
    });
    Visitor {
        client: ClientFacts {
            address: request.client(),
            user_agent,
            request: record.id(),
        },
        host: request.host().clone(),
        token: token.map(Arc::new),
    }
}

/// The whole body, within its limits of length and time. Pingora has no deadline for it on HTTP/2.
async fn read_body(session: &mut Session, method: &Method) -> Result<Bytes, Refusal> {
    if *method == Method::GET || *method == Method::HEAD || session.is_body_empty() {
        return Ok(Bytes::new());
    }
    let told = session.req_header().headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(Refusal::BodyTooLarge);
    }
    let expects = session.req_header().headers.get(header::EXPECT);
    if expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        let told = session.as_downstream_mut().write_continue_response().await;
        told.map_err(|_| Refusal::BodyTooSlow)?;
    }
    tokio::time::timeout(BODY_TIMEOUT, collect(session))
        .await
        .unwrap_or(Err(Refusal::BodyTooSlow))
}

async fn collect(session: &mut Session) -> Result<Bytes, Refusal> {
    let mut body = BytesMut::new();
    loop {
        match session.as_downstream_mut().read_request_body().await {
            Ok(Some(piece)) if body.len() + piece.len() > BODY_BYTES_MAX => {
                return Err(Refusal::BodyTooLarge);
            }
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => return Ok(body.freeze()),
            Err(_) => return Err(Refusal::BodyTooSlow),
        }
    }
}

/// Sends an answer as it comes.
async fn stream(
    session: &mut Session,
    record: &mut Record,
    response: Response<Body>,
) -> pingora::Result<()> {
    let (parts, mut body) = response.into_parts();
    record.status = Some(parts.status);
    let mut head = ResponseHeader::build(parts.status, Some(parts.headers.len() + 3))?;
    for (name, value) in &parts.headers {
        if !matches!(*name, header::CONNECTION | header::TRANSFER_ENCODING) {
            head.append_header(name.clone(), value.clone())?;
        }
    }
    if let Some(hsts) = record.site.hsts() {
        head.insert_header(header::STRICT_TRANSPORT_SECURITY, hsts.clone())?;
    }
    head.insert_header(super::response::REQUEST_ID, record.id().to_string())?;
    frame(session, &parts, &body, &mut head)?;
    let bare = record.method == Method::HEAD || http_body::Body::is_end_stream(&body);
    session.write_response_header(Box::new(head), bare).await?;
    if !bare {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                // What was begun cannot be told otherwise: the client sees that it is cut short.
                session.set_keepalive(None);
                return Err(pingora::Error::new(pingora::ErrorType::InternalError));
            };
            if let Ok(piece) = frame.into_data() {
                record.bytes_out += u64::try_from(piece.len()).unwrap_or(0);
                session.write_response_body(Some(piece), false).await?;
            }
        }
        session.write_response_body(None, true).await?;
    }
    linger(session).await;
    Ok(())
}

/// How the body's end is told: by its length, or on HTTP/1.1 by chunks, which HTTP/2 must not have.
fn frame(
    session: &Session,
    parts: &http::response::Parts,
    body: &Body,
    head: &mut ResponseHeader,
) -> pingora::Result<()> {
    let bodiless = parts.status.is_informational()
        || parts.status == http::StatusCode::NO_CONTENT
        || parts.status == http::StatusCode::NOT_MODIFIED;
    if bodiless || parts.headers.contains_key(header::CONTENT_LENGTH) {
        return Ok(());
    }
    match http_body::Body::size_hint(body).exact() {
        Some(length) => head.insert_header(header::CONTENT_LENGTH, length.to_string())?,
        None if session.req_header().version == Version::HTTP_11 => {
            head.insert_header(header::TRANSFER_ENCODING, "chunked")?;
        }
        None => {}
    }
    Ok(())
}

/// Browsers name themselves in about 150 bytes.
const USER_AGENT_BYTES_MAX: usize = 512;

/// How long a form may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_one_value_of_the_query_whatever_the_target_holds() {
        assert_eq!(sign_in_target("/a"), "/.octroi/login?return_to=/a");
        assert_eq!(
            sign_in_target("/a%20b?c=d&return_to=//evil"),
            "/.octroi/login?return_to=/a%2520b%3Fc%3Dd%26return_to%3D//evil"
        );
    }
}
