//! What is wrong with the bytes of an HTTP/1.1 head, before a parser that forgives sees them.

use super::Malformed;

/// Checks the head of an HTTP/1 request: request line, fields and the empty line that ends them.
///
/// The parser behind us takes bare LF, a space in the target, a `#`, and two ways to tell the
/// length of a body; the upstream's parser may take them otherwise (attack class A8). So they
/// are refused here.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn check_http1_head(head: &[u8]) -> Result<(), Malformed> {
    check_line_ends(head)?;
    let mut lines = head.split(|byte| *byte == b'\n').map(strip_cr);
    let request_line = lines.next().ok_or(Malformed::RequestLine)?;
    let version = check_request_line(request_line)?;
    let mut framing = Framing::default();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = split_field(line)?;
        framing.note(name, value)?;
    }
    framing.check(version)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Version {
    Http10,
    Http11,
}

/// What must stand once: how the body's length is told, and the host.
#[derive(Default)]
struct Framing {
    length: bool,
    chunked: bool,
    host: bool,
}

impl Framing {
    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let told_before = if name.eq_ignore_ascii_case(b"content-length") {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            if !digits {
                return Err(Malformed::Framing);
            }
            std::mem::replace(&mut self.length, true)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed::Framing);
            }
            std::mem::replace(&mut self.chunked, true)
        } else if name.eq_ignore_ascii_case(b"host") {
            // RFC 9112, section 3.2: which of two is meant, each reader decides for itself.
            if std::mem::replace(&mut self.host, true) {
                return Err(Malformed::HostRepeated);
            }
            false
        } else {
            false
        };
        if told_before {
            return Err(Malformed::Framing);
        }
        Ok(())
    }

    /// RFC 9112, section 6.1: both, or chunked in HTTP/1.0, is what smuggling is made of.
    fn check(&self, version: Version) -> Result<(), Malformed> {
        if self.chunked && (self.length || version == Version::Http10) {
            return Err(Malformed::Framing);
        }
        Ok(())
    }
}

fn check_line_ends(head: &[u8]) -> Result<(), Malformed> {
    let mut before = 0;
    for byte in head {
        match (before, *byte) {
            (b'\r', b'\n') | (_, b'\r' | b'\t') if before != b'\r' || *byte == b'\n' => {}
            (b'\r', _) | (_, b'\n') => return Err(Malformed::BareLineEnd),
            (_, 0..=31 | 127) => return Err(Malformed::ControlByte),
            _ => {}
        }
        before = *byte;
    }
    if head.ends_with(b"\r\n\r\n") {
        Ok(())
    } else {
        Err(Malformed::BareLineEnd)
    }
}

fn strip_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn check_request_line(line: &[u8]) -> Result<Version, Malformed> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::RequestLine);
    };
    if method.is_empty() || !method.iter().copied().all(is_token) || target.contains(&b'\t') {
        return Err(Malformed::RequestLine);
    }
    if target.is_empty() {
        return Err(Malformed::TargetForm);
    }
    if target.contains(&b'#') {
        return Err(Malformed::Fragment);
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err(Malformed::RequestLine),
    }
}

fn split_field(line: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Malformed::FoldedLine);
    }
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(Malformed::FieldName)?;
    let (name, rest) = line.split_at_checked(colon).ok_or(Malformed::FieldName)?;
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(Malformed::FieldName);
    }
    let value = rest.strip_prefix(b":").unwrap_or(rest);
    Ok((name, value.trim_ascii()))
}

/// RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
