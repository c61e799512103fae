//! Where the head of an HTTP/1.1 request begins and ends. What it says, `policy` reads.

/// Where a request head ends, counted from the start of `bytes`; the search begins at `from`.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut searched = from;
    loop {
        let line_end = bytes
            .get(searched..)?
            .iter()
            .position(|byte| *byte == b'\n')?;
        searched += line_end + 1;
        if bytes.get(..searched)?.ends_with(END) {
            return Some(searched);
        }
    }
}

/// How many bytes of empty lines stand before the request line (RFC 9112, section 2.2).
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    let pairs = bytes.chunks_exact(2).take_while(|pair| pair == b"\r\n");
    pairs.count() * 2
}

const END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests;
