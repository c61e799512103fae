//! Which requests count as use of a session: a person who acts, never a page that polls.

use http::{HeaderMap, Method, header};

/// What a request says of who made it: a person, or a page on its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Use {
    /// A person went to a page.
    Navigation,
    /// Something is changed: a form was sent, a button pressed.
    StateChange,
    /// A page shown inside another one.
    Frame,
    /// A stream of events or a socket, which lasts without anybody there.
    Stream,
    /// A part of a page, or a call by its script.
    Subresource,
    /// A page that a browser fetches in case somebody goes there.
    Prefetch,
    /// A route that the operator marked as one that runs by itself.
    Background,
}

impl Use {
    /// What a request is, by method and fields. Fetch metadata (W3C, sections 2.1 and 2.2) decides
    /// where a browser sends it; elsewhere, a client that asks for HTML goes to a page.
    pub fn of(method: &Method, headers: &HeaderMap, background_route: bool) -> Self {
        let is = |name: &str, value: &str| {
            headers
                .get(name)
                .is_some_and(|field| field.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
        };
        let accepts = |kind: &str| {
            headers
                .get_all(header::ACCEPT)
                .iter()
                .any(|field| field.to_str().is_ok_and(|text| text.contains(kind)))
        };
        if background_route {
            Self::Background
        } else if headers.contains_key(header::UPGRADE)
            || accepts("text/event-stream")
            || *method == Method::CONNECT
        {
            Self::Stream
        } else if !method.is_safe() {
            Self::StateChange
        } else if is_speculative(headers) {
            Self::Prefetch
        } else if FRAMES.iter().any(|frame| is("sec-fetch-dest", frame)) {
            Self::Frame
        } else if matches!(*method, Method::GET | Method::HEAD)
            && (is("sec-fetch-mode", "navigate")
                || (!headers.contains_key("sec-fetch-mode") && accepts("text/html")))
        {
            Self::Navigation
        } else {
            Self::Subresource
        }
    }

    /// Whether it renews the idle time.
    pub const fn renews(self) -> bool {
        match self {
            Self::Navigation | Self::StateChange => true,
            Self::Frame | Self::Stream | Self::Subresource | Self::Prefetch | Self::Background => {
                false
            }
        }
    }
}

/// `Sec-Purpose: prefetch`, also with `;prerender` (Fetch standard, section 3.8), and the names that
/// browsers gave it before.
fn is_speculative(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .any(|purpose| {
            let kind = purpose.as_bytes().split(|byte| *byte == b';').next();
            kind.is_some_and(|kind| {
                let kind = kind.trim_ascii();
                kind.eq_ignore_ascii_case(b"prefetch") || kind.eq_ignore_ascii_case(b"preview")
            })
        })
}

/// Destinations that are shown inside another page.
const FRAMES: [&str; 5] = ["iframe", "frame", "fencedframe", "embed", "object"];

#[cfg(test)]
mod tests {
    use super::*;

    fn used(method: &Method, fields: &[(&'static str, &'static str)]) -> Use {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        Use::of(method, &headers, false)
    }

    #[test]
    fn only_what_a_person_does_renews() {
        let get = Method::GET;
        let navigate = ("sec-fetch-mode", "navigate");
        for (fields, expected) in [
            (
                &[navigate, ("sec-fetch-dest", "document")][..],
                Use::Navigation,
            ),
            (&[navigate, ("sec-fetch-dest", "iframe")], Use::Frame),
            (&[navigate, ("sec-fetch-dest", "object")], Use::Frame),
            (
                &[("sec-fetch-mode", "cors"), ("accept", "text/html")],
                Use::Subresource,
            ),
            (
                &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
                Use::Subresource,
            ),
            (
                &[("accept", "text/html,application/xhtml+xml")],
                Use::Navigation,
            ),
            (&[("accept", "application/json")], Use::Subresource),
            (&[("accept", "text/event-stream")], Use::Stream),
            (&[("upgrade", "websocket"), navigate], Use::Stream),
            (
                &[("sec-purpose", "prefetch;prerender"), navigate],
                Use::Prefetch,
            ),
            (
                &[("purpose", "prefetch"), ("accept", "text/html")],
                Use::Prefetch,
            ),
            (
                &[("x-moz", "Prefetch"), ("accept", "text/html")],
                Use::Prefetch,
            ),
            (&[], Use::Subresource),
        ] {
            assert_eq!(used(&get, fields), expected, "{fields:?}");
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(
                used(&method, &[("sec-fetch-mode", "cors")]),
                Use::StateChange
            );
        }
        for method in [Method::HEAD, Method::OPTIONS] {
            assert!(!used(&method, &[]).renews());
        }
        for fields in [&[navigate][..], &[("accept", "text/html")]] {
            assert_eq!(used(&Method::OPTIONS, fields), Use::Subresource);
        }
    }

    #[test]
    fn a_background_route_never_renews() {
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-mode", "navigate".parse().unwrap());
        for method in [Method::GET, Method::POST] {
            assert!(!Use::of(&method, &headers, true).renews());
        }
    }
}
