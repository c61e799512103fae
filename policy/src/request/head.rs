//! What is wrong with the bytes of an HTTP/1.1 head, before a parser that forgives sees them.

use super::Malformed;

/// What a head that has one reading says of what follows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Http1Head {
    /// The body that is announced.
    pub body: DeclaredBody,
    /// How many fields there are.
    pub fields: usize,
}

/// What a head promises of the body that follows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeclaredBody {
    /// None.
    Absent,
    /// So many bytes.
    Sized(u64),
    /// Chunks, with their own end.
    Chunked,
}

/// Reads the head of an HTTP/1 request: request line, fields and the empty line that ends them.
///
/// The parser behind us takes bare LF, a space in the target, a `#`, and two ways to tell the
/// length of a body; the upstream's parser may take them otherwise (attack class A8). So they
/// are refused here, in one pass, and nowhere again.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn read_http1_head(head: &[u8]) -> Result<Http1Head, Malformed> {
    let mut rest = head;
    let version = check_request_line(next_line(&mut rest)?)?;
    let mut framing = Framing::default();
    let mut fields = 0;
    loop {
        let line = next_line(&mut rest)?;
        if line.is_empty() {
            break;
        }
        fields += 1;
        let (name, value) = split_field(line)?;
        framing.note(name, value)?;
    }
    if !rest.is_empty() {
        return Err(Malformed::BareLineEnd);
    }
    let body = framing.conclude(version)?;
    Ok(Http1Head { body, fields })
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Version {
    Http10,
    Http11,
}

/// What must stand once: how the body's length is told, and the host.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    host: bool,
}

impl Framing {
    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        // Most fields are told apart by their length alone.
        let told_before = match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                // RFC 9112, section 3.2: which of two is meant, each reader decides for itself.
                if std::mem::replace(&mut self.host, true) {
                    return Err(Malformed::HostRepeated);
                }
                false
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = read_length(value).ok_or(Malformed::Framing)?;
                self.length.replace(length).is_some()
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Malformed::Framing);
                }
                std::mem::replace(&mut self.chunked, true)
            }
            _ => false,
        };
        if told_before {
            return Err(Malformed::Framing);
        }
        Ok(())
    }

    /// RFC 9112, section 6.1: both, or chunked in HTTP/1.0, is what smuggling is made of.
    fn conclude(self, version: Version) -> Result<DeclaredBody, Malformed> {
        match (self.chunked, self.length) {
            (true, None) if version == Version::Http11 => Ok(DeclaredBody::Chunked),
            (true, _) => Err(Malformed::Framing),
            (false, None | Some(0)) => Ok(DeclaredBody::Absent),
            (false, Some(length)) => Ok(DeclaredBody::Sized(length)),
        }
    }
}

/// Digits only: no sign, no list, no space inside (RFC 9110, section 8.6), and not more than fit.
fn read_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > LENGTH_DIGITS_MAX {
        return None;
    }
    value.iter().try_fold(0_u64, |length, byte| {
        byte.is_ascii_digit()
            .then(|| length * 10 + u64::from(byte - b'0'))
    })
}

/// Takes the next line off, which ends in CR LF. A CR or LF elsewhere is a fault, and so is every
/// other control byte but the tab.
fn next_line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let end = rest.iter().position(|byte| is_control(*byte));
    let (line, ended) = rest
        .split_at_checked(end.unwrap_or(rest.len()))
        .ok_or(Malformed::BareLineEnd)?;
    match ended {
        [b'\r', b'\n', after @ ..] => {
            *rest = after;
            Ok(line)
        }
        [] | [b'\r' | b'\n', ..] => Err(Malformed::BareLineEnd),
        [..] => Err(Malformed::ControlByte),
    }
}

const fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 127
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
    byte < 128 && (TOKEN_BYTES >> byte) & 1 == 1
}

/// One bit for each byte of ASCII: every name of every request is held against it.
const TOKEN_BYTES: u128 = {
    let mut bits = 0_u128;
    let mut byte = 0_u8;
    while byte < 128 {
        if is_token_byte(byte) {
            bits |= 1 << byte;
        }
        byte += 1;
    }
    bits
};

const fn is_token_byte(byte: u8) -> bool {
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

/// 18 digits fit into 64 bits whatever they are.
const LENGTH_DIGITS_MAX: usize = 18;
