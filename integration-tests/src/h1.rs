//! A raw HTTP/1.1 client: sends any bytes, reads responses as RFC 9112 frames them.

use std::io::{self, Read};

use crate::answer::{Answer, Response};
use crate::hpack::Field;
use crate::wire::{Door, Wire, is_silence};

/// Longest response head that the client reads.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// A connection that speaks HTTP/1.1.
#[derive(Debug)]
pub struct Client<S = Wire> {
    stream: S,
    unread: Vec<u8>,
}

impl Client {
    /// Connects with ALPN `http/1.1`.
    pub fn connect(door: &Door, sni: &str) -> io::Result<Self> {
        Ok(Self::over(door.tls(sni, &["http/1.1"])?))
    }

    /// The connection beneath.
    pub fn wire(&mut self) -> &mut Wire {
        &mut self.stream
    }
}

impl<S: Read + io::Write> Client<S> {
    /// Speaks over an existing stream.
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends bytes as they are; a refused write is seen as the answer that follows.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .and_then(|()| self.stream.flush())
            .ok();
    }

    /// Sends a request and reads its answer.
    pub fn exchange(&mut self, request: &[u8]) -> Answer {
        self.send(request);
        self.answer(is_head(request))
    }

    /// Reads the next final response; interim ones (but 101) are passed over.
    pub fn answer(&mut self, to_head: bool) -> Answer {
        loop {
            match self.response(to_head) {
                Ok(Some(response))
                    if (100..200).contains(&response.status) && response.status != 101 => {}
                Ok(Some(response)) => return Answer::Response(response),
                Err(error) if is_silence(&error) => return Answer::Silence,
                Ok(None) | Err(_) => return Answer::Closed,
            }
        }
    }

    /// Reads the head of the next response and leaves its content unread.
    pub fn head(&mut self) -> io::Result<Option<Response>> {
        let Some(end) = self.fill_until(b"\r\n\r\n")? else {
            return Ok(None);
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        Ok(Some(parse_head(&head)))
    }

    /// Reads what comes, at least one byte unless the stream ends.
    pub fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.unread.is_empty() {
            self.fill()?;
        }
        Ok(std::mem::take(&mut self.unread))
    }

    /// Reads exactly `length` bytes; `None` if the stream ends before.
    pub fn exactly(&mut self, length: usize) -> io::Result<Option<Vec<u8>>> {
        while self.unread.len() < length {
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(self.unread.drain(..length).collect()))
    }

    /// Whether the server closes without sending anything more.
    pub fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && matches!(self.fill(), Ok(0))
    }

    fn response(&mut self, to_head: bool) -> io::Result<Option<Response>> {
        let Some(mut response) = self.head()? else {
            return Ok(None);
        };
        if to_head || response.status < 200 || matches!(response.status, 204 | 304) {
            return Ok(Some(response));
        }
        let chunked = response
            .first("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let body = if chunked {
            self.chunks()?
        } else if let Some(length) = response
            .first("content-length")
            .and_then(|text| text.parse().ok())
        {
            self.exactly(length)?
        } else {
            Some(self.until_the_end()?)
        };
        Ok(body.map(|body| {
            response.body = body;
            response
        }))
    }

    fn chunks(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        loop {
            let Some(end) = self.fill_until(b"\r\n")? else {
                return Ok(None);
            };
            let line: Vec<u8> = self.unread.drain(..end + 2).collect();
            let digits = String::from_utf8_lossy(&line);
            let size = digits
                .split(';')
                .next()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
            let Some(size) = size else { return Ok(None) };
            let Some(chunk) = self.exactly(size + 2)? else {
                return Ok(None);
            };
            if size == 0 {
                return Ok(Some(body));
            }
            body.extend_from_slice(chunk.get(..size).unwrap_or_default());
        }
    }

    fn until_the_end(&mut self) -> io::Result<Vec<u8>> {
        while self.fill()? > 0 {}
        Ok(std::mem::take(&mut self.unread))
    }

    /// Reads until `mark` is there; gives its position. `None` if the stream ends before.
    fn fill_until(&mut self, mark: &[u8]) -> io::Result<Option<usize>> {
        loop {
            if let Some(at) = self
                .unread
                .windows(mark.len())
                .position(|window| window == mark)
            {
                return Ok(Some(at));
            }
            if self.unread.len() > HEAD_BYTES_MAX || self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        self.unread
            .extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

fn is_head(request: &[u8]) -> bool {
    request.starts_with(b"HEAD ")
}

fn parse_head(head: &[u8]) -> Response {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .unwrap_or_default();
    Response {
        status,
        fields: lines.filter_map(parse_field).collect(),
        body: Vec::new(),
    }
}

fn parse_field(line: &str) -> Option<Field> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// One request as bytes: any method, any target, any fields, in this order.
pub fn request(method: &[u8], target: &[u8], fields: &[(&[u8], &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = [method, b" ", target, b" HTTP/1.1\r\n"].concat();
    for (name, value) in fields {
        bytes.extend_from_slice(&[*name, b": ", *value, b"\r\n"].concat());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}
