//! Telling a client that its request was refused: a page for people, problem+json for programs.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use octroi_policy::request::CanonicalRequest;
use pingora::{http::ResponseHeader, proxy::Session};
use serde::Serialize;

use super::{
    GateParts,
    context::Record,
    decide::wants_page,
    refusal::{AfterRefusal, ErrorPage, Outcome, Refusal},
    response::{NO_STORE, NOSNIFF, REQUEST_ID},
};

/// A whole answer that is ready to be sent.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) connection: AfterRefusal,
}

impl Answer {
    /// The same, for a door that writes it itself.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let length = HeaderValue::from(self.body.len());
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        for (name, value) in self.fields {
            response.headers_mut().append(name, value);
        }
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
        response
    }
}

/// A problem (RFC 9457). Its text is fixed: nothing of the request is in it.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    error: &'static str,
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
}

/// The answer to a refusal: a page where `headers` are those of a browser that shows one.
pub(super) fn answer(
    gate: &GateParts,
    record: &Record,
    headers: Option<&http::HeaderMap>,
    refusal: Refusal,
) -> Answer {
    let outcome = refusal.outcome();
    let mut fields = common_fields(record);
    let body = match headers.filter(|headers| wants_page(headers)) {
        Some(headers) => page(gate, record, headers, (refusal, outcome), &mut fields),
        None => problem(record, outcome, &mut fields),
    };
    if outcome.status == StatusCode::UNAUTHORIZED {
        fields.push((header::WWW_AUTHENTICATE, SCHEME));
    }
    if outcome.status == StatusCode::METHOD_NOT_ALLOWED {
        fields.push((header::ALLOW, METHODS));
    }
    if let Some(wait) = refusal.retry_after() {
        fields.push((header::RETRY_AFTER, whole_seconds(wait)));
    }
    Answer {
        status: outcome.status,
        fields,
        body,
        connection: outcome.connection,
    }
}

/// Sends an answer and notes it.
///
/// # Errors
///
/// When the client is gone.
pub(super) async fn send(
    session: &mut Session,
    record: &mut Record,
    answer: Answer,
) -> pingora::Result<()> {
    record.status = Some(answer.status);
    if answer.connection == AfterRefusal::Close {
        session.set_keepalive(None);
    }
    let mut head = ResponseHeader::build(answer.status, Some(answer.fields.len() + 1))?;
    for (name, value) in answer.fields {
        head.append_header(name, value)?;
    }
    head.insert_header(header::CONTENT_LENGTH, answer.body.len().to_string())?;
    let bare = record.method == Method::HEAD || answer.body.is_empty();
    session.write_response_header(Box::new(head), bare).await?;
    if !bare {
        record.bytes_out = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
        session.write_response_body(Some(answer.body), true).await?;
    }
    linger(session).await;
    Ok(())
}

/// Reads on for a moment when the client is still sending: a socket that is closed with bytes
/// unread resets the connection, and the client never sees why it was refused.
pub(super) async fn linger(session: &mut Session) {
    if session.is_body_done() {
        return;
    }
    session.set_keepalive(None);
    let drained = async {
        let mut left = LINGER_BYTES_MAX;
        while let Ok(Some(piece)) = session.read_request_body().await {
            match left.checked_sub(piece.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER_TIMEOUT, drained).await;
}

fn common_fields(record: &Record) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields = Vec::with_capacity(12);
    fields.push((header::CACHE_CONTROL, NO_STORE));
    fields.push((header::X_CONTENT_TYPE_OPTIONS, NOSNIFF));
    fields.push((
        header::VARY,
        HeaderValue::from_static("Accept, Accept-Language"),
    ));
    if let Ok(id) = HeaderValue::try_from(record.id().to_string()) {
        fields.push((REQUEST_ID, id));
    }
    if let Some(hsts) = record.site.hsts() {
        fields.push((header::STRICT_TRANSPORT_SECURITY, hsts.clone()));
    }
    fields
}

fn problem(
    record: &Record,
    outcome: Outcome,
    fields: &mut Vec<(HeaderName, HeaderValue)>,
) -> Bytes {
    let login = format!("{}/.octroi/login", record.site.portal_url());
    let problem = Problem {
        kind: "about:blank",
        title: outcome.title,
        status: outcome.status.as_u16(),
        error: outcome.id,
        request_id: record.id().to_string(),
        login: (outcome.status == StatusCode::UNAUTHORIZED).then_some(login.as_str()),
    };
    let json = HeaderValue::from_static("application/problem+json");
    fields.push((header::CONTENT_TYPE, json));
    serde_json::to_vec(&problem).unwrap_or_default().into()
}

fn page(
    gate: &GateParts,
    record: &Record,
    headers: &http::HeaderMap,
    (refusal, outcome): (Refusal, Outcome),
    fields: &mut Vec<(HeaderName, HeaderValue)>,
) -> Bytes {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let request = record.request.as_ref();
    let rendered = gate.error_pages.render(&ErrorPage {
        kind: outcome.page,
        request_id: record.id(),
        at: record.at,
        host: request.map(CanonicalRequest::host),
        retry: request
            .filter(|_| record.method == Method::GET)
            .map(|request| request.target().as_str()),
        is_write: !record.method.is_safe(),
        retry_after: refusal.retry_after(),
        accept_language: text(header::ACCEPT_LANGUAGE),
        cookie: text(header::COOKIE),
    });
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    fields.push((header::CONTENT_TYPE, html));
    fields.push((
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(rendered.language),
    ));
    fields.push((
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ));
    let policy = HeaderValue::try_from(&*rendered.content_security_policy);
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    fields.push((header::CONTENT_SECURITY_POLICY, policy));
    rendered.body
}

/// Rounded up: who comes back at the time that was told is let in.
fn whole_seconds(wait: Duration) -> HeaderValue {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(seconds)
}

/// A private scheme, so that no browser asks for a password of its own (RFC 9110, section 11.6.1).
const SCHEME: HeaderValue = HeaderValue::from_static("Octroi");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// Enough for what is on its way when a client is told to stop.
const LINGER_BYTES_MAX: usize = 1 << 20;
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
