//! A raw HTTP/2 client: writes any frames, in any order, with any header blocks; reads what comes back (RFC 9113).

use std::io::{self, Read, Write};

use crate::answer::{Answer, Response};
use crate::hpack::{self, Decoder, Field};
use crate::wire::{Door, Wire, is_silence};

/// Frame types of RFC 9113 §6.
pub mod kind {
    /// Content.
    pub const DATA: u8 = 0;
    /// A header block begins.
    pub const HEADERS: u8 = 1;
    /// One stream is given up.
    pub const RST_STREAM: u8 = 3;
    /// Parameters of the connection.
    pub const SETTINGS: u8 = 4;
    /// Are you there?
    pub const PING: u8 = 6;
    /// The connection is given up.
    pub const GOAWAY: u8 = 7;
    /// Leave to send more.
    pub const WINDOW_UPDATE: u8 = 8;
    /// A header block goes on.
    pub const CONTINUATION: u8 = 9;
}

/// Flags of RFC 9113 §6.
pub mod flag {
    /// Nothing more on this stream.
    pub const END_STREAM: u8 = 1;
    /// An answer to SETTINGS or PING.
    pub const ACK: u8 = 1;
    /// The header block is complete.
    pub const END_HEADERS: u8 = 4;
    /// The payload is padded.
    pub const PADDED: u8 = 8;
    /// HEADERS carries a priority.
    pub const PRIORITY: u8 = 32;
}

/// The longest frame that every server takes (RFC 9113 §4.2).
const FRAME_BYTES_MAX: usize = 16_384;

/// How much may be sent before the server has said anything (RFC 9113 §6.9.2).
const WINDOW_BYTES: usize = 65_535;

/// What a client sends before anything else (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame, as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Frame type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Stream, 0 for the connection.
    pub stream: u32,
    /// Payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The bytes of this frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a frame's length");
        let mut bytes = length.to_be_bytes().get(1..).expect("three bytes").to_vec();
        bytes.extend_from_slice(&[self.kind, self.flags]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads the next frame; `None` at the end of the stream.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; 9];
        match stream.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let [high, middle, low, kind, flags, ref number @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes([0, high, middle, low]))
            .map_err(io::Error::other)?;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload)?;
        Ok(Some(Self {
            kind,
            flags,
            stream: code(number) & 0x7fff_ffff,
            payload,
        }))
    }

    fn is(&self, kind: u8, stream: u32) -> bool {
        self.kind == kind && self.stream == stream
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without padding and priority.
    pub fn content(&self) -> &[u8] {
        let mut start = 0;
        let mut end = self.payload.len();
        if self.has(flag::PADDED) && matches!(self.kind, kind::DATA | kind::HEADERS) {
            start = 1;
            end = end.saturating_sub(usize::from(
                self.payload.first().copied().unwrap_or_default(),
            ));
        }
        if self.kind == kind::HEADERS && self.has(flag::PRIORITY) {
            start += 5;
        }
        self.payload.get(start..end).unwrap_or_default()
    }
}

/// A connection that speaks HTTP/2.
#[derive(Debug)]
pub struct Client<S = Wire> {
    stream: S,
    decoder: Decoder,
    next: u32,
    waiting: Vec<Frame>,
    /// What the header blocks among those that wait say, in the same order: each block is read when it comes, since it
    /// may refer to the one before, whatever stream that was of (RFC 7541 §2.2).
    heads: Vec<(u32, Option<Vec<Field>>)>,
}

impl Client {
    /// Connects with ALPN `h2` and sends preface, SETTINGS and wide windows.
    pub fn connect(door: &Door, sni: &str) -> io::Result<Self> {
        let wire = door.tls(sni, &["h2"])?;
        if wire.alpn().as_deref() != Some("h2") {
            return Err(io::Error::other("the server does not speak h2"));
        }
        Ok(Self::over(wire))
    }

    /// The connection beneath.
    pub fn wire(&mut self) -> &mut Wire {
        &mut self.stream
    }
}

impl<S: Read + Write> Client<S> {
    /// Speaks over an existing stream.
    pub fn over(stream: S) -> Self {
        let mut client = Self {
            stream,
            decoder: Decoder::default(),
            next: 1,
            waiting: Vec::new(),
            heads: Vec::new(),
        };
        client.send(PREFACE);
        // SETTINGS_INITIAL_WINDOW_SIZE (4) and the connection's window: large enough never to be waited for.
        client.frame(kind::SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
        client.frame(kind::WINDOW_UPDATE, 0, 0, &0x3fff_ffff_u32.to_be_bytes());
        client
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .and_then(|()| self.stream.flush())
            .ok();
    }

    /// Sends one frame.
    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let frame = Frame {
            kind,
            flags,
            stream,
            payload: payload.to_vec(),
        };
        self.send(&frame.to_bytes());
    }

    /// The number of the next stream.
    pub fn open(&mut self) -> u32 {
        let stream = self.next;
        self.next += 2;
        stream
    }

    /// Begins a request: sends its header block, in CONTINUATION frames where it is long.
    pub fn begin(&mut self, fields: &[(&[u8], &[u8])], ends: bool) -> u32 {
        let stream = self.open();
        self.block(stream, fields, ends);
        stream
    }

    /// Sends a header block (a request's or trailers) on a stream.
    pub fn block(&mut self, stream: u32, fields: &[(&[u8], &[u8])], ends: bool) {
        let block = hpack::encode(fields);
        let pieces: Vec<&[u8]> = block.chunks(FRAME_BYTES_MAX).collect();
        let last = pieces.len() - 1;
        let mut bytes = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let kind = if number == 0 {
                kind::HEADERS
            } else {
                kind::CONTINUATION
            };
            let mut flags = if number == last { flag::END_HEADERS } else { 0 };
            if ends && number == 0 {
                flags |= flag::END_STREAM;
            }
            bytes.extend(
                Frame {
                    kind,
                    flags,
                    stream,
                    payload: piece.to_vec(),
                }
                .to_bytes(),
            );
        }
        self.send(&bytes);
    }

    /// Sends content on a stream.
    pub fn data(&mut self, stream: u32, content: &[u8], ends: bool) {
        self.frame(
            kind::DATA,
            if ends { flag::END_STREAM } else { 0 },
            stream,
            content,
        );
    }

    /// Sends a whole request and reads its answer.
    pub fn exchange(&mut self, fields: &[(&[u8], &[u8])], body: &[u8]) -> Answer {
        let stream = self.begin(fields, body.is_empty());
        if body.len() > WINDOW_BYTES {
            self.wait_for_a_wider_window().ok();
        }
        let mut pieces = body.chunks(FRAME_BYTES_MAX).peekable();
        while let Some(piece) = pieces.next() {
            self.data(stream, piece, pieces.peek().is_none());
        }
        self.answer(stream)
    }

    /// Reads until the server has opened the connection's window, as it does in its first frames.
    fn wait_for_a_wider_window(&mut self) -> io::Result<()> {
        while let Some(frame) = Frame::read(&mut self.stream)? {
            if frame.is(kind::WINDOW_UPDATE, 0) {
                break;
            }
            if frame.stream == 0 {
                self.acknowledge(&frame);
            } else {
                self.keep(frame);
            }
        }
        Ok(())
    }

    /// Reads the answer on one stream; frames of other streams are kept for their own.
    pub fn answer(&mut self, stream: u32) -> Answer {
        let mut response = Response::default();
        loop {
            let frame = match self.frame_of(stream) {
                Ok(Some(frame)) => frame,
                Err(error) if is_silence(&error) => return Answer::Silence,
                Ok(None) | Err(_) => return Answer::Closed,
            };
            if let Some(answer) = self.take(&frame, &mut response) {
                return answer;
            }
        }
    }

    /// Adds one frame to the response; gives the answer when that is complete.
    fn take(&mut self, frame: &Frame, response: &mut Response) -> Option<Answer> {
        let ends = frame.has(flag::END_STREAM);
        match frame.kind {
            kind::HEADERS => match self.fields_of(frame) {
                Some(fields) => take_fields(response, fields),
                None => return Some(Answer::Closed),
            },
            kind::DATA => response.body.extend_from_slice(frame.content()),
            kind::RST_STREAM => return Some(Answer::Reset(code(&frame.payload))),
            kind::GOAWAY => {
                return Some(Answer::GoAway(code(
                    frame.payload.get(4..).unwrap_or_default(),
                )));
            }
            _ => return None,
        }
        ends.then(|| Answer::Response(std::mem::take(response)))
    }

    /// Reads the next frame, whatever it is; `None` at the end of the stream.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        if !self.waiting.is_empty() {
            let frame = self.waiting.remove(0);
            if frame.kind == kind::HEADERS
                && let Some(at) = self.place_of_head(frame.stream)
            {
                self.heads.remove(at);
            }
            return Ok(Some(frame));
        }
        Frame::read(&mut self.stream)
    }

    /// The next frame that concerns `stream`: its own, or the end of the connection.
    fn frame_of(&mut self, stream: u32) -> io::Result<Option<Frame>> {
        if let Some(at) = self.waiting.iter().position(|frame| frame.stream == stream) {
            return Ok(Some(self.waiting.remove(at)));
        }
        loop {
            let Some(frame) = Frame::read(&mut self.stream)? else {
                return Ok(None);
            };
            if frame.stream == stream || is_end_for(stream, &frame) {
                return Ok(Some(frame));
            }
            if frame.stream != 0 {
                self.keep(frame);
            } else {
                self.acknowledge(&frame);
            }
        }
    }

    fn acknowledge(&mut self, frame: &Frame) {
        match frame.kind {
            kind::SETTINGS if !frame.has(flag::ACK) => {
                self.frame(kind::SETTINGS, flag::ACK, 0, &[]);
            }
            kind::PING if !frame.has(flag::ACK) => {
                self.frame(kind::PING, flag::ACK, 0, &frame.payload);
            }
            _ => {}
        }
    }

    /// Puts a frame aside for the one who asks for its stream.
    fn keep(&mut self, frame: Frame) {
        if frame.kind == kind::HEADERS {
            let fields = self.finish_block(&frame);
            self.heads.push((frame.stream, fields));
        }
        self.waiting.push(frame);
    }

    /// What a block says, that has just come or was put aside.
    fn fields_of(&mut self, frame: &Frame) -> Option<Vec<Field>> {
        match self.place_of_head(frame.stream) {
            Some(at) => self.heads.remove(at).1,
            None => self.finish_block(frame),
        }
    }

    fn place_of_head(&self, stream: u32) -> Option<usize> {
        self.heads.iter().position(|(of, _)| *of == stream)
    }

    fn finish_block(&mut self, first: &Frame) -> Option<Vec<Field>> {
        let mut block = first.content().to_vec();
        let mut complete = first.has(flag::END_HEADERS);
        while !complete {
            let next = Frame::read(&mut self.stream).ok()??;
            block.extend_from_slice(&next.payload);
            complete = next.has(flag::END_HEADERS);
        }
        self.decoder.decode(&block)
    }
}

/// A GOAWAY with an error, or one that leaves this stream out.
fn is_end_for(stream: u32, frame: &Frame) -> bool {
    let last = code(&frame.payload) & 0x7fff_ffff;
    let error = code(frame.payload.get(4..).unwrap_or_default());
    frame.is(kind::GOAWAY, 0) && (error != 0 || last < stream)
}

fn take_fields(response: &mut Response, fields: Vec<Field>) {
    for (name, value) in fields {
        if name == ":status" {
            response.status = value.parse().unwrap_or_default();
        } else {
            response.fields.push((name, value));
        }
    }
}

fn code(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |four| u32::from_be_bytes(*four))
}

/// The fields of a request: the four pseudo-fields, then others, as they are.
pub fn fields<'a>(
    method: &'a [u8],
    authority: &'a [u8],
    path: &'a [u8],
    others: &[(&'a [u8], &'a [u8])],
) -> Vec<(&'a [u8], &'a [u8])> {
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", authority),
        (b":path", path),
    ];
    fields.extend_from_slice(others);
    fields
}
