//! Paths in the one form in which they are compared and forwarded.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use http::uri::PathAndQuery;

use crate::request::Malformed;

/// A path in canonical form: it begins with `/`, has no empty, `.` or `..` segment, and each
/// character has one spelling. Two paths that decode to the same bytes are equal.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CanonicalPath<'a>(&'a str);

impl<'a> CanonicalPath<'a> {
    /// The text of a path that [`canonical_target`] made.
    pub(crate) const fn trusted(text: &'a str) -> Self {
        Self(text)
    }

    /// The text itself.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for CanonicalPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for CanonicalPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

/// A path of a route, and everything below it in whole segments.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PathPrefix(Box<str>);

impl PathPrefix {
    /// Reads what an operator wrote, by the rules that requests are read by.
    ///
    /// # Errors
    ///
    /// What a request for this path would be refused for.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if !text.starts_with('/') {
            return Err(Malformed::TargetForm);
        }
        canonical_path(text.as_bytes()).map(|path| Self(path.into()))
    }

    /// The text itself, in canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The canonical form of an origin-form target (RFC 9112, section 3.2.1). `parsed` is taken as it
/// is when the target turns out to be canonical already.
///
/// # Errors
///
/// The first thing in it that an upstream could read in another way.
pub fn canonical_target(
    target: &[u8],
    parsed: Option<&PathAndQuery>,
) -> Result<PathAndQuery, Malformed> {
    if target.len() > Malformed::TARGET_BYTES_MAX {
        return Err(Malformed::TargetTooLong);
    }
    let mut halves = target.splitn(2, |byte| *byte == b'?');
    let path = canonical_path(halves.next().unwrap_or_default())?;
    let query = halves.next().map(check_query).transpose()?;
    if let (Cow::Borrowed(_), Some(parsed)) = (&path, parsed)
        && parsed.as_str().as_bytes() == target
    {
        return Ok(parsed.clone());
    }
    let text = match query {
        Some(query) => [&*path, "?", query].concat(),
        None => path.into_owned(),
    };
    text.try_into().map_err(|_| Malformed::TargetByte)
}

/// The canonical form of a path; borrowed when it has that form already.
fn canonical_path(path: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    if path.first() != Some(&b'/') {
        return Err(Malformed::TargetForm);
    }
    let text = if path.iter().copied().all(stands_for_itself) {
        Cow::Borrowed(std::str::from_utf8(path).map_err(|_| Malformed::Encoding)?)
    } else {
        respell(path)?
    };
    check_segments(&text)?;
    Ok(text)
}

/// Dot segments and empty ones, once nothing but `%` sequences that must stay is left encoded.
fn check_segments(path: &str) -> Result<(), Malformed> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(Malformed::DotSegment),
            "" if segments.peek().is_some() => return Err(Malformed::EmptySegment),
            _ => {}
        }
    }
    Ok(())
}

/// `text` with each byte percent-encoded (RFC 3986, section 2.1), but for those that `stand` for
/// themselves.
pub fn percent_encoded(text: &str, stand: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stand(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 0x0f].map(hex_digit));
        }
    }
    encoded
}

/// What stands for itself anywhere in an address (RFC 3986, section 2.3).
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Decodes each byte of a path and writes it again in its one spelling.
fn respell(path: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let (byte, tail) = decode_byte(tail)?;
            check_decoded(byte)?;
            decoded.push(byte);
            rest = tail;
        } else {
            check_raw(*first)?;
            decoded.push(*first);
            rest = tail;
        }
    }
    check_decoded_once(&decoded)?;
    // Decoders that do not check take over-long forms of `/` and `.` for the real ones.
    let decoded = std::str::from_utf8(&decoded).map_err(|_| Malformed::Encoding)?;
    let text = percent_encoded(decoded, stands_for_itself);
    if text.as_bytes() == path {
        std::str::from_utf8(path)
            .map(Cow::Borrowed)
            .map_err(|_| Malformed::Encoding)
    } else {
        Ok(Cow::Owned(text))
    }
}

fn decode_byte(digits: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    let [high, low, rest @ ..] = digits else {
        return Err(Malformed::Encoding);
    };
    match (hex_value(*high), hex_value(*low)) {
        (Some(high), Some(low)) => Ok(((high << 4) | low, rest)),
        _ => Err(Malformed::Encoding),
    }
}

/// Bytes that must not even come encoded: an upstream that decodes once too often, or once too
/// few, reads another path than we did.
fn check_decoded(byte: u8) -> Result<(), Malformed> {
    match byte {
        b'/' => Err(Malformed::EncodedSlash),
        b'\\' => Err(Malformed::Backslash),
        b';' => Err(Malformed::PathParameter),
        0..=31 | 127 => Err(Malformed::ControlByte),
        _ => Ok(()),
    }
}

/// What is decoded once must not decode any further, however its `%` and its digits were written.
fn check_decoded_once(decoded: &[u8]) -> Result<(), Malformed> {
    let decodes =
        |window: &[u8]| matches!(window, [b'%', digits @ ..] if decode_byte(digits).is_ok());
    if decoded.windows(3).any(decodes) {
        return Err(Malformed::DoubleEncoding);
    }
    Ok(())
}

fn check_raw(byte: u8) -> Result<(), Malformed> {
    match byte {
        b'\\' => Err(Malformed::Backslash),
        b';' => Err(Malformed::PathParameter),
        b'#' => Err(Malformed::Fragment),
        0..=31 | 127 => Err(Malformed::ControlByte),
        b' ' | 128.. => Err(Malformed::TargetByte),
        _ => Ok(()),
    }
}

/// Queries go to the upstream as they came: no rule reads them. What ends a target elsewhere is refused.
fn check_query(query: &[u8]) -> Result<&str, Malformed> {
    for byte in query {
        match byte {
            b'#' => return Err(Malformed::Fragment),
            0..=31 | 127 => return Err(Malformed::ControlByte),
            b' ' | 128.. => return Err(Malformed::TargetByte),
            _ => {}
        }
    }
    std::str::from_utf8(query).map_err(|_| Malformed::TargetByte)
}

/// `pchar` and `/` (RFC 3986, section 3.3), without `%` and `;`.
const fn stands_for_itself(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}
