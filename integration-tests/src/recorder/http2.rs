//! The HTTP/2 side of the recorder: from the preface on, over whatever it came; answers each request with 200, content and trailers.

use std::collections::HashMap;
use std::io;

use super::{Notes, Seen, Stream};
use crate::h2::{Frame, PREFACE, flag, kind};
use crate::hpack::{self, Decoder};

pub(super) fn serve(mut stream: impl Stream, notes: &Notes) {
    notes.connected();
    let mut preface = [0; PREFACE.len()];
    if stream.read_exact(&mut preface).is_err() || preface != PREFACE {
        return;
    }
    let mut connection = Connection {
        stream,
        decoder: Decoder::default(),
        open: HashMap::new(),
    };
    connection.put(kind::SETTINGS, 0, 0, &[]).ok();
    while let Ok(Some(frame)) = Frame::read(&mut connection.stream) {
        if connection.take(&frame, notes).is_err() {
            return;
        }
    }
}

struct Connection<S> {
    stream: S,
    decoder: Decoder,
    open: HashMap<u32, (usize, Seen)>,
}

impl<S: Stream> Connection<S> {
    fn put(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let frame = Frame {
            kind,
            flags,
            stream,
            payload: payload.to_vec(),
        };
        self.stream.write_all(&frame.to_bytes())
    }

    fn take(&mut self, frame: &Frame, notes: &Notes) -> io::Result<()> {
        match frame.kind {
            kind::SETTINGS if frame.flags & flag::ACK == 0 => {
                self.put(kind::SETTINGS, flag::ACK, 0, &[])?;
            }
            kind::PING if frame.flags & flag::ACK == 0 => {
                self.put(kind::PING, flag::ACK, 0, &frame.payload)?;
            }
            kind::HEADERS => self.headers(frame, notes)?,
            kind::DATA => self.data(frame, notes)?,
            _ => {}
        }
        Ok(())
    }

    fn headers(&mut self, first: &Frame, notes: &Notes) -> io::Result<()> {
        let mut block = first.content().to_vec();
        let mut complete = first.flags & flag::END_HEADERS != 0;
        while !complete {
            let next = Frame::read(&mut self.stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            block.extend_from_slice(&next.payload);
            complete = next.flags & flag::END_HEADERS != 0;
        }
        let fields = self
            .decoder
            .decode(&block)
            .ok_or(io::ErrorKind::InvalidData)?;
        if let Some((number, seen)) = self.open.get_mut(&first.stream) {
            seen.trailers = fields;
            notes.update(*number, seen);
        } else {
            let pseudo = |name: &str| {
                fields
                    .iter()
                    .find(|(have, _)| have == name)
                    .map(|(_, value)| value.clone())
            };
            let seen = Seen {
                method: pseudo(":method").unwrap_or_default(),
                target: pseudo(":path").unwrap_or_default(),
                fields: fields.clone(),
                ..Seen::default()
            };
            self.open
                .insert(first.stream, (notes.push(seen.clone()), seen));
        }
        self.end(first, notes)
    }

    fn data(&mut self, frame: &Frame, notes: &Notes) -> io::Result<()> {
        if let Some((number, seen)) = self.open.get_mut(&frame.stream) {
            seen.body.extend_from_slice(frame.content());
            notes.update(*number, seen);
        }
        let length = u32::try_from(frame.payload.len()).map_err(io::Error::other)?;
        if length > 0 {
            self.put(kind::WINDOW_UPDATE, 0, 0, &length.to_be_bytes())?;
            self.put(kind::WINDOW_UPDATE, 0, frame.stream, &length.to_be_bytes())?;
        }
        self.end(frame, notes)
    }

    fn end(&mut self, frame: &Frame, notes: &Notes) -> io::Result<()> {
        if frame.flags & flag::END_STREAM == 0 {
            return Ok(());
        }
        let Some((number, mut seen)) = self.open.remove(&frame.stream) else {
            return Ok(());
        };
        seen.is_complete = true;
        notes.update(number, &seen);
        let head = hpack::encode(&[(b":status", b"200"), (b"content-type", b"application/grpc")]);
        self.put(kind::HEADERS, flag::END_HEADERS, frame.stream, &head)?;
        self.put(kind::DATA, 0, frame.stream, b"over h2c\n")?;
        let trailers = hpack::encode(&[(b"grpc-status", b"0")]);
        self.put(
            kind::HEADERS,
            flag::END_HEADERS | flag::END_STREAM,
            frame.stream,
            &trailers,
        )
    }
}
