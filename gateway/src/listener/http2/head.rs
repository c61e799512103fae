//! What HTTP/2 leaves unsaid of a request head, judged before the proxy sees it.

use http::{HeaderMap, header};
use octroi_policy::request::Malformed;

/// Whether DATA frames may follow a head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyOverHttp2 {
    /// The head ended the stream.
    Absent,
    /// It did not.
    MayCome,
}

/// Checks what HTTP/1.1 has other ways to say: the scheme, which is the listener's and not the
/// client's choice, and one length of body, which the h2 crate holds against DATA frames only where
/// there are some (RFC 9113, section 8.1.1). A service behind HTTP/1.1 would wait for the rest.
pub(super) fn check(
    scheme: Option<&str>,
    headers: &HeaderMap,
    body: BodyOverHttp2,
) -> Result<(), Malformed> {
    if scheme.is_some_and(|scheme| scheme != "https") {
        return Err(Malformed::TargetForm);
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else {
        return Ok(());
    };
    let length = length.as_bytes();
    let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
    let is_nothing = length.iter().all(|digit| *digit == b'0');
    if lengths.next().is_some() || !is_number || (body == BodyOverHttp2::Absent && !is_nothing) {
        return Err(Malformed::Framing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(scheme: Option<&str>, lengths: &[&'static str], body: BodyOverHttp2) -> bool {
        let mut headers = HeaderMap::new();
        for length in lengths {
            headers.append(
                header::CONTENT_LENGTH,
                http::HeaderValue::from_static(length),
            );
        }
        check(scheme, &headers, body).is_ok()
    }

    #[test]
    fn a8_a_body_over_http2_has_one_length_and_none_where_it_does_not_come() {
        use BodyOverHttp2::{Absent, MayCome};
        for (lengths, absent, may_come) in [
            (&[][..], true, true),
            (&["0"], true, true),
            (&["5"], false, true),
            (&["5", "5"], false, false),
            (&["0", "5"], false, false),
            (&["+5"], false, false),
            (&["5, 5"], false, false),
            (&[""], false, false),
        ] {
            assert_eq!(is_taken(None, lengths, Absent), absent, "{lengths:?}");
            assert_eq!(is_taken(None, lengths, MayCome), may_come, "{lengths:?}");
        }
    }

    #[test]
    fn a2_a_scheme_that_the_listener_does_not_speak_is_refused() {
        for (scheme, taken) in [
            (None, true),
            (Some("https"), true),
            (Some("http"), false),
            (Some("ftp"), false),
        ] {
            assert_eq!(
                is_taken(scheme, &[], BodyOverHttp2::Absent),
                taken,
                "{scheme:?}"
            );
        }
    }
}
