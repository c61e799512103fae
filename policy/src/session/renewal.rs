//! Which requests count as use of a session: a person who acts, never a page that polls.

use http::{HeaderMap, HeaderValue, Method};

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
        if background_route {
            return Self::Background;
        }
        let told = Told::by(headers);
        if told.lasts || *method == Method::CONNECT {
            Self::Stream
        } else if !method.is_safe() {
            Self::StateChange
        } else if told.speculative {
            Self::Prefetch
        } else if told.is_frame() {
            Self::Frame
        } else if matches!(*method, Method::GET | Method::HEAD) && told.navigates() {
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

/// What the fields tell of it, gathered in one pass: most requests have few of them, and a search
/// for each would cost more than all the rest of the decision.
#[derive(Default)]
struct Told<'a> {
    /// A socket or a stream of events is asked for.
    lasts: bool,
    accepts_page: bool,
    speculative: bool,
    /// `Sec-Fetch-Dest` and `Sec-Fetch-Mode`; of repeated ones, the first.
    destination: Option<&'a [u8]>,
    mode: Option<&'a [u8]>,
}

impl<'a> Told<'a> {
    fn by(headers: &'a HeaderMap) -> Self {
        let mut told = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "accept" => told.accept(value),
                "upgrade" => told.lasts = true,
                "sec-fetch-dest" => {
                    told.destination.get_or_insert(value.as_bytes());
                }
                "sec-fetch-mode" => {
                    told.mode.get_or_insert(value.as_bytes());
                }
                "sec-purpose" | "purpose" | "x-purpose" | "x-moz" => {
                    told.speculative |= is_speculative(value.as_bytes());
                }
                _ => {}
            }
        }
        told
    }

    fn accept(&mut self, value: &HeaderValue) {
        let Ok(kinds) = value.to_str() else { return };
        self.lasts |= kinds.contains("text/event-stream");
        self.accepts_page |= kinds.contains("text/html");
    }

    fn is_frame(&self) -> bool {
        let is = |frame: &str| {
            let destination = self.destination.unwrap_or_default();
            destination.eq_ignore_ascii_case(frame.as_bytes())
        };
        FRAMES.into_iter().any(is)
    }

    fn navigates(&self) -> bool {
        match self.mode {
            Some(mode) => mode.eq_ignore_ascii_case(b"navigate"),
            None => self.accepts_page,
        }
    }
}

/// `Sec-Purpose: prefetch`, also with `;prerender` (Fetch standard, section 3.8), and the names that
/// browsers gave it before.
fn is_speculative(purpose: &[u8]) -> bool {
    let kind = purpose.split(|byte| *byte == b';').next();
    let kind = kind.unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"prefetch") || kind.eq_ignore_ascii_case(b"preview")
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
