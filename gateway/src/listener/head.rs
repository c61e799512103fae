//! The raw head of an HTTP/1.1 request, judged before anything parses it.
//!
//! Parsers differ in what they forgive. Whatever two of them could read in two ways (RFC 9112,
//! section 11.2) is refused here, on the bytes as they came.

/// Where a request head ends, counted from the start of `bytes`; the search begins at `from`.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    // The end mark may have begun in what was searched before.
    let from = from.saturating_sub(END.len() - 1);
    let rest = bytes.get(from..)?;
    let position = rest.windows(END.len()).position(|window| window == END)?;
    Some(from + position + END.len())
}

/// How many bytes of empty lines stand before the request line (RFC 9112, section 2.2).
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    let pairs = bytes.chunks_exact(2).take_while(|pair| pair == b"\r\n");
    pairs.count() * 2
}

/// What a head promises of the body that follows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Body {
    /// None.
    Absent,
    /// So many bytes.
    Sized(u64),
    /// Chunks, with their own end.
    Chunked,
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum HeadFault {
    /// Two readers could disagree on it.
    Ambiguous,
    /// More fields than are borne.
    TooManyFields,
}

/// Judges a complete head, end mark included.
pub(super) fn judge(head: &[u8], fields_max: usize) -> Result<Body, HeadFault> {
    let mut lines = Lines(head);
    let request_line = lines.next().ok_or(HeadFault::Ambiguous)??;
    let mut framing = Framing::default();
    let mut fields = 0_usize;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        fields += 1;
        if fields > fields_max {
            return Err(HeadFault::TooManyFields);
        }
        framing.read(line)?;
    }
    framing.conclude(request_line)
}

/// What has been read of `Content-Length` and `Transfer-Encoding`.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    is_chunked: bool,
}

impl Framing {
    fn read(&mut self, line: &[u8]) -> Result<(), HeadFault> {
        let colon = line
            .iter()
            .position(|&byte| byte == b':')
            .ok_or(HeadFault::Ambiguous)?;
        let (name, value) = line.split_at(colon);
        // Line folding and a space before the colon (RFC 9112, sections 5.1 and 5.2).
        if name.is_empty() || name.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(HeadFault::Ambiguous);
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = parse_length(value).ok_or(HeadFault::Ambiguous)?;
            if self.length.replace(length).is_some() {
                return Err(HeadFault::Ambiguous);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_first = !std::mem::replace(&mut self.is_chunked, true);
            if !is_first || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(HeadFault::Ambiguous);
            }
        }
        Ok(())
    }

    fn conclude(self, request_line: &[u8]) -> Result<Body, HeadFault> {
        // A space within the target is escaped by one parser and ends the target for another.
        if request_line.split(|byte| *byte == b' ').count() != 3 {
            return Err(HeadFault::Ambiguous);
        }
        match (self.is_chunked, self.length) {
            (true, Some(_)) => Err(HeadFault::Ambiguous),
            // A 1.0 proxy before us may not have understood the coding (RFC 9112, section 6.1).
            (true, None) if !request_line.ends_with(b" HTTP/1.1") => Err(HeadFault::Ambiguous),
            (true, None) => Ok(Body::Chunked),
            (false, None | Some(0)) => Ok(Body::Absent),
            (false, Some(length)) => Ok(Body::Sized(length)),
        }
    }
}

/// Digits only: no sign, no list, no space inside (RFC 9110, section 8.6).
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 {
        return None;
    }
    value.iter().try_fold(0_u64, |length, byte| {
        byte.is_ascii_digit()
            .then(|| length * 10 + u64::from(byte - b'0'))
    })
}

/// The lines of a head, each ended by CR LF; a CR, LF or NUL elsewhere is a fault.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], HeadFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let special = self
            .0
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n' | 0));
        let line = special.and_then(|position| {
            let line = self.0.get(..position)?;
            let rest = self.0.get(position..)?.strip_prefix(b"\r\n")?;
            Some((line, rest))
        });
        let Some((line, rest)) = line else {
            self.0 = &[];
            return Some(Err(HeadFault::Ambiguous));
        };
        self.0 = rest;
        Some(Ok(line))
    }
}

const END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests;
