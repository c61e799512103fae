//! What comes back from a service: what it may not set is taken off, what a route asks is added.

use bytes::BytesMut;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, response::Parts,
};
use octroi_config::settings::SecurityHeaders;
use octroi_policy::{identity_headers::nominated, session::Computer};
use pingora::http::ResponseHeader;

use super::{context::Record, cookies};
use crate::listener::facts::Protocol;

/// Applies the rules for answers to the head of one that Pingora relays.
///
/// Pingora keeps a second map with each name as the service spelt it, which every change would have
/// to be made in too. Nobody may rely on that spelling (RFC 9110, section 5.1): it is let go.
///
/// # Errors
///
/// When the answer is not to be passed on.
pub(super) fn relay(
    head: &mut ResponseHeader,
    record: &Record,
    bears_identity: bool,
) -> Result<(), Unusable> {
    let own_phrase = head
        .get_reason_phrase()
        .filter(|phrase| Some(*phrase) != head.status.canonical_reason());
    let own_phrase = own_phrase.map(str::to_owned);
    let (nothing, ()) = http::Response::new(()).into_parts();
    let mut parts = Parts::from(std::mem::replace(head, ResponseHeader::from(nothing)));
    let settled = settle_framing(&mut parts);
    if settled.is_ok() {
        if record
            .facts()
            .is_some_and(|facts| facts.protocol == Protocol::Http2)
        {
            own_values(&mut parts.headers);
        }
        parts.headers.reserve(OWN_FIELDS_MAX);
        filter(&mut parts.headers, record, bears_identity);
    }
    *head = ResponseHeader::from(parts);
    if own_phrase.is_some() {
        // It cannot fail for a phrase that was one before.
        let _ = head.set_reason_phrase(own_phrase.as_deref());
    }
    settled
}

/// Copies the values into a buffer of their own. As they came, each is a piece of the buffer into
/// which the answer was read; over HTTP/2 the table of a connection's header compression (RFC 7541,
/// section 2.3.2) keeps some of them for as long as it is open, and with a piece the whole buffer.
fn own_values(fields: &mut HeaderMap) {
    let length = fields.values().map(HeaderValue::len).sum();
    let mut text = BytesMut::with_capacity(length);
    for value in fields.values() {
        text.extend_from_slice(value.as_bytes());
    }
    let mut text = text.freeze();
    for value in fields.values_mut() {
        let copy = text.split_to(value.len());
        // The same bytes were a value before.
        if let Ok(copy) = HeaderValue::from_maybe_shared(copy) {
            *value = copy;
        }
    }
}

/// Applies the rules for answers to the fields of one.
///
/// `bears_identity` says whether the service was told who asks.
pub(super) fn filter(fields: &mut HeaderMap, record: &Record, bears_identity: bool) {
    withhold(fields);
    keep_to_its_host(fields, record);
    let settings = record.route.and_then(|index| record.site.settings(index));
    if settings.is_some_and(|route| route.security_headers == SecurityHeaders::Standard) {
        add_security(fields);
    }
    if let Some(hsts) = record.site.hsts() {
        fields.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    let shared = record
        .session
        .as_ref()
        .is_some_and(|token| token.session.record.computer == Computer::Public);
    if shared && bears_identity {
        // Promise C2: the next person at this computer finds nothing by going back.
        fields.insert(header::CACHE_CONTROL, NO_STORE);
    }
    if let Ok(id) = HeaderValue::from_bytes(&record.id().to_ascii()) {
        fields.insert(REQUEST_ID, id);
    }
}

/// An answer that is not passed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Unusable {
    /// The service changes the protocol, which nobody asked for.
    #[error("101 to a request that asked for no other protocol")]
    SwitchedUnasked,
    /// More interim answers than [`INTERIM_ANSWERS_MAX`].
    #[error("too many interim answers")]
    TooManyInterim,
    /// Where its body ends can be read in two ways.
    #[error("its body's length can be read in two ways")]
    Framing,
}

/// Applies the rules for interim answers. What a browser does with their fields is beyond what a
/// final answer could take back, so only what they were made for passes: `Link` of an early hint
/// (RFC 8297, section 2). A 101 never gets here rightly: sockets left Pingora before they began.
///
/// # Errors
///
/// When the whole answer is not to be passed on. `count` says how many there were with this one.
pub(super) fn filter_interim(head: &mut ResponseHeader, count: usize) -> Result<(), Unusable> {
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Unusable::SwitchedUnasked);
    }
    if count > INTERIM_ANSWERS_MAX {
        return Err(Unusable::TooManyInterim);
    }
    let hints = head.status == StatusCode::EARLY_HINTS;
    let names = head.headers.keys();
    let names: Vec<_> = names
        .filter(|name| !hints || **name != header::LINK)
        .cloned()
        .collect();
    for name in names {
        head.remove_header(&name);
    }
    Ok(())
}

/// Takes off what is about the connection to the service (RFC 9110, section 7.6.1), and holds the
/// end of the body to one reading, since a proxy in front of us may read it otherwise.
///
/// # Errors
///
/// When there is more than one.
fn settle_framing(head: &mut Parts) -> Result<(), Unusable> {
    let codings = only(&head.headers, &header::TRANSFER_ENCODING)?;
    let length = only(&head.headers, &header::CONTENT_LENGTH)?;
    let chunked = match codings.map(HeaderValue::as_bytes) {
        None => false,
        Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => true,
        Some(_) => return Err(Unusable::Framing),
    };
    let digits = |value: &HeaderValue| {
        let value = value.as_bytes();
        !value.is_empty() && value.iter().all(u8::is_ascii_digit)
    };
    if length.is_some_and(|length| !digits(length))
        || (chunked && (length.is_some() || head.version != Version::HTTP_11))
    {
        return Err(Unusable::Framing);
    }
    // RFC 9112, section 6.3, rule 1: no body, whatever the fields say.
    if matches!(
        head.status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::TRANSFER_ENCODING);
    }
    let nominated: Vec<_> = nominated(&head.headers)
        .filter(|name| *name != header::TRANSFER_ENCODING)
        .collect();
    for name in nominated {
        head.headers.remove(name);
    }
    take_off(&mut head.headers, &OF_ONE_CONNECTION);
    if head.version == Version::HTTP_10 {
        // What we send is of our version (RFC 9110, section 2.5).
        head.version = Version::HTTP_11;
    }
    Ok(())
}

/// Whether a head tells that no body follows it. Over HTTP/2 one can end the answer without telling:
/// Pingora does not pass that on to us, and then only the time of the request's body ends it.
pub(super) fn is_without_body(head: &ResponseHeader, method: &Method) -> bool {
    let length = head.headers.get(header::CONTENT_LENGTH);
    let is_empty = |value: &HeaderValue| value.as_bytes().iter().all(|digit| *digit == b'0');
    *method == Method::HEAD
        || matches!(
            head.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
        || length.is_some_and(is_empty)
        // A call that fails at once says all in its head ("Trailers-Only" of gRPC over HTTP/2).
        || head.headers.contains_key("grpc-status")
}

/// The value of a field that may stand once.
fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Unusable> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Unusable::Framing),
    }
}

/// Trailers pass the same rules: a field that must not come before the body must not come after it
/// (RFC 9110, section 6.5.1).
pub(super) fn filter_trailers(trailers: &mut HeaderMap) {
    withhold(trailers);
    for name in NEVER_IN_TRAILERS {
        trailers.remove(name);
    }
}

/// Takes off what hardly any answer has: one look at the names that are there costs less than a
/// search for each that might be.
fn take_off(fields: &mut HeaderMap, unwanted: &[HeaderName]) {
    let found = fields.keys().filter(|name| unwanted.contains(name));
    let found: Vec<HeaderName> = found.cloned().collect();
    for name in found {
        fields.remove(name);
    }
}

/// A service speaks for itself alone: what would reach other services of this gateway, or the portal,
/// is taken off.
fn keep_to_its_host(fields: &mut HeaderMap, record: &Record) {
    let route = record.route.and_then(|index| record.site.route(index));
    if route.is_some_and(|route| route.path.as_str() != "/") {
        // The script of one path would answer for the services of all others.
        fields.remove(SERVICE_WORKER_ALLOWED);
    }
    if !fields.contains_key(CLEAR_SITE_DATA) {
        return;
    }
    let values = fields.get_all(CLEAR_SITE_DATA).iter();
    let kinds = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let kept: Vec<&[u8]> = kinds
        .map(<[u8]>::trim_ascii)
        .filter(|kind| CLEARED_FOR_ONE_ORIGIN.contains(kind))
        .collect();
    let kept = kept.join(&b", "[..]);
    fields.remove(CLEAR_SITE_DATA);
    if let (false, Ok(kept)) = (kept.is_empty(), HeaderValue::from_bytes(&kept)) {
        fields.insert(CLEAR_SITE_DATA, kept);
    }
}

fn withhold(fields: &mut HeaderMap) {
    take_off(fields, &NEVER_FROM_SERVICES);
    let sets_ours = |value: &HeaderValue| cookies::sets_ours(value.as_bytes());
    let set_cookies = fields.get_all(header::SET_COOKIE);
    if !set_cookies.iter().any(sets_ours) {
        return;
    }
    let kept = set_cookies.iter().filter(|value| !sets_ours(value));
    let kept: Vec<HeaderValue> = kept.cloned().collect();
    fields.remove(header::SET_COOKIE);
    for value in kept {
        fields.append(header::SET_COOKIE, value);
    }
}

/// Those that break no application, where it did not decide itself.
fn add_security(fields: &mut HeaderMap) {
    let mut add = |name: HeaderName, value: HeaderValue| {
        fields.entry(name).or_insert(value);
    };
    add(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    add(header::REFERRER_POLICY, SAME_ORIGIN_REFERRER);
    if !fields.contains_key(header::CONTENT_SECURITY_POLICY)
        && !fields.contains_key(header::X_FRAME_OPTIONS)
    {
        fields.insert(header::X_FRAME_OPTIONS, SAMEORIGIN);
    }
}

/// The most fields that [`filter`] and Pingora add: room for them is made at once.
const OWN_FIELDS_MAX: usize = 8;

/// Where the client is told our reference.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Another way to the service than through us; a proxy's own connection; a challenge of ours; and
/// whether browsers come by TLS only, which is for whoever ends TLS to say: "all subdomains" of a
/// service may be other services.
const NEVER_FROM_SERVICES: [HeaderName; 7] = [
    header::ALT_SVC,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("octroi-assertion"),
    header::STRICT_TRANSPORT_SECURITY,
    // Whether somebody is signed in is ours to tell.
    HeaderName::from_static("set-login"),
];

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// What "Clear Site Data" (W3C) clears for the origin that says so. "cookies" are cleared for the
/// whole registrable domain, so that one service would sign people out of all others; "*" is all.
const CLEARED_FOR_ONE_ORIGIN: [&[u8]; 3] = [b"\"cache\"", b"\"storage\"", b"\"executionContexts\""];

/// An interim answer costs the service nothing and us a write each.
pub(super) const INTERIM_ANSWERS_MAX: usize = 16;

/// What a service says of its connection to us. Pingora keeps a copy for itself.
const OF_ONE_CONNECTION: [HeaderName; 3] = [header::CONNECTION, header::UPGRADE, header::TRAILER];

const NEVER_IN_TRAILERS: [HeaderName; 8] = [
    header::SET_COOKIE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::CONTENT_TYPE,
    header::LOCATION,
    header::STRICT_TRANSPORT_SECURITY,
    header::CACHE_CONTROL,
];

pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
pub(super) const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const SAME_ORIGIN_REFERRER: HeaderValue =
    HeaderValue::from_static("strict-origin-when-cross-origin");
const SAMEORIGIN: HeaderValue = HeaderValue::from_static("SAMEORIGIN");

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn values_let_go_of_the_buffer_in_which_they_came() {
        let buffer = Bytes::from(b"nginx|text/plain|a=1|b=2".repeat(100));
        let mut fields = HeaderMap::new();
        for (name, from, to) in [
            (header::SERVER, 0, 5),
            (header::CONTENT_TYPE, 6, 16),
            (header::SET_COOKIE, 17, 20),
            (header::SET_COOKIE, 21, 24),
        ] {
            let value = HeaderValue::from_maybe_shared(buffer.slice(from..to));
            fields.append(name, value.unwrap());
        }
        let before = fields.clone();
        own_values(&mut fields);
        assert_eq!(fields, before);
        drop(before);
        assert!(buffer.is_unique());
    }
}
