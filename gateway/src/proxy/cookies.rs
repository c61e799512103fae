//! Cookies: finding ours without allocation, and keeping it from upstreams.

#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderValue, header};

/// What the request presents as our session cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Presented<'a> {
    /// None.
    Nothing,
    /// One, with this value.
    Token(&'a [u8]),
    /// More than one: a sibling host, or an attacker, set another.
    Repeated,
}

/// Finds the session cookie in all `Cookie` fields. Names are compared without case: browsers treat
/// `__Host-` so, and a look-alike must not pass beside it.
pub(super) fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut found = Presented::Nothing;
    for (name, value) in pairs(headers) {
        if !name.eq_ignore_ascii_case(SESSION.as_bytes()) {
            continue;
        }
        if found != Presented::Nothing {
            return Presented::Repeated;
        }
        found = Presented::Token(value);
    }
    found
}

/// The `Cookie` field that an upstream gets: all fields merged into one (RFC 9113, section 8.2.3),
/// without ours. `None` when nothing is left. A single field with nothing of ours goes as it is.
pub(super) fn for_upstream(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut fields = headers.get_all(header::COOKIE).iter();
    let (only, second) = (fields.next()?, fields.next());
    if second.is_none() && !mentions_ours(only.as_bytes()) {
        return Some(only.clone());
    }
    let mut merged = Vec::new();
    for value in headers.get_all(header::COOKIE) {
        for pair in value.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            if pair.is_empty() || is_ours(name_of(pair)) || is_nameless(pair) {
                continue;
            }
            if !merged.is_empty() {
                merged.extend_from_slice(b"; ");
            }
            merged.extend_from_slice(pair);
        }
    }
    if merged.is_empty() {
        return None;
    }
    HeaderValue::from_maybe_shared(bytes::Bytes::from(merged)).ok()
}

/// Whether a `Set-Cookie` of an upstream would set one of our cookies. A cookie without a name is
/// sent back as its value alone by browsers that do not follow RFC 6265bis, section 5.7: then
/// `=__Host-octroi=x` is ours.
pub(super) fn sets_ours(set_cookie: &[u8]) -> bool {
    let pair = set_cookie.split(|byte| *byte == b';').next();
    pair.is_some_and(|pair| is_ours(name_of(unnamed(pair))))
}

/// What is left of a pair once what comes before any name is taken off.
fn unnamed(pair: &[u8]) -> &[u8] {
    let begin = pair
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    begin
        .and_then(|begin| pair.get(begin..))
        .unwrap_or_default()
        .trim_ascii_end()
}

/// Whether a pair has an empty name and something of ours behind it.
fn is_nameless(pair: &[u8]) -> bool {
    pair.first() == Some(&b'=') && is_ours(name_of(unnamed(pair)))
}

/// `__Host-octroi` and everything that begins so: the session, the hand-over's, the pages' own.
fn is_ours(name: &[u8]) -> bool {
    name.get(..SESSION.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(SESSION.as_bytes()))
}

fn mentions_ours(value: &[u8]) -> bool {
    value
        .windows(SESSION.len())
        .any(|window| window.starts_with(b"__") && is_ours(window))
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(|pair| {
            // A pair without a name has an empty one: it is nobody's, neither proof nor a second.
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || halves.next().unwrap_or_default().trim_ascii();
            (half(), half())
        })
}

fn name_of(pair: &[u8]) -> &[u8] {
    let end = pair.iter().position(|byte| *byte == b'=');
    pair.get(..end.unwrap_or(pair.len()))
        .unwrap_or(pair)
        .trim_ascii_end()
}

/// The session's cookie. `__Host-` binds it to one host, `Secure` and the whole path (RFC 6265bis,
/// section 4.1.3.2).
const SESSION: &str = "__Host-octroi";
