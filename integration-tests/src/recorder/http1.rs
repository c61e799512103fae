//! The HTTP/1.1 side of the recorder: takes bytes as they come, understands as little as it must.

use std::io;

use super::{Notes, Reply, Seen, Stream};
use crate::answer::Response;
use crate::hpack::Field;

type Script<'a> = &'a (dyn Fn(&Seen, &mut dyn Stream) -> Reply + Send + Sync);

pub(super) fn serve(stream: impl Stream, notes: &Notes, script: Script<'_>) {
    notes.connected();
    let mut connection = Connection {
        stream,
        unread: Vec::new(),
    };
    while let Ok(Some((number, mut seen))) = connection.head(notes) {
        if seen.only("expect").is_some() {
            connection
                .stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .ok();
        }
        if is_upgrade(&seen) {
            seen.is_complete = true;
        } else if connection.body(&mut seen).is_err() {
            notes.update(number, &seen);
            return;
        }
        notes.update(number, &seen);
        match script(&seen, &mut connection.stream) {
            Reply::Taken => return,
            Reply::Response(response) => {
                if connection
                    .stream
                    .write_all(&to_bytes(&response, seen.method == "HEAD"))
                    .is_err()
                {
                    return;
                }
            }
        }
    }
}

struct Connection<S> {
    stream: S,
    unread: Vec<u8>,
}

impl<S: Stream> Connection<S> {
    fn head(&mut self, notes: &Notes) -> io::Result<Option<(usize, Seen)>> {
        let end = loop {
            if let Some(at) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break at + 4;
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        };
        let raw: Vec<u8> = self.unread.drain(..end).collect();
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let seen = Seen {
            method: words.next().unwrap_or_default().to_owned(),
            target: words.next().unwrap_or_default().to_owned(),
            fields: lines.filter_map(field).collect(),
            raw,
            ..Seen::default()
        };
        Ok(Some((notes.push(seen.clone()), seen)))
    }

    fn body(&mut self, seen: &mut Seen) -> io::Result<()> {
        if seen.only("transfer-encoding").is_some() {
            self.chunks(seen)?;
        } else if let Some(length) = seen
            .only("content-length")
            .and_then(|text| text.parse().ok())
        {
            while seen.body.len() < length {
                self.have(1)?;
                let take = self.unread.len().min(length - seen.body.len());
                seen.body.extend(self.unread.drain(..take));
            }
        }
        seen.is_complete = true;
        Ok(())
    }

    fn chunks(&mut self, seen: &mut Seen) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(io::Error::other)?;
            if size == 0 {
                break;
            }
            self.have(size + 2)?;
            let chunk: Vec<u8> = self.unread.drain(..size + 2).collect();
            seen.body.extend(chunk.iter().take(size));
        }
        loop {
            let line = self.line()?;
            let Some(trailer) = field(&line) else {
                return Ok(());
            };
            seen.trailers.push(trailer);
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads until this many bytes are there.
    fn have(&mut self, length: usize) -> io::Result<()> {
        while self.unread.len() < length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        self.unread.extend(buffer.iter().take(read));
        Ok(read)
    }
}

fn is_upgrade(seen: &Seen) -> bool {
    seen.only("upgrade").is_some()
}

fn field(line: &str) -> Option<Field> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_owned(), value.trim().to_owned()))
}

/// A response as bytes, framed by its length.
fn to_bytes(response: &Response, to_head: bool) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Recorded\r\n", response.status);
    let has_content = !matches!(response.status, 100..200 | 204 | 304);
    let length =
        has_content.then(|| ("content-length".to_owned(), response.body.len().to_string()));
    for (name, value) in response.fields.iter().chain(&length) {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    if !to_head {
        bytes.extend_from_slice(&response.body);
    }
    bytes
}
