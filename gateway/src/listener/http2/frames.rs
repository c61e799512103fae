//! What passes on an HTTP/2 connection, told from the frame headers alone (RFC 9113, section 4.1).
//!
//! The h2 library answers SETTINGS, PING and the like without end, and waits without end for a
//! header block to be finished. Counting here costs nine bytes of state and a look at each header.

use tokio::time::Instant;

use crate::listener::limits::Http2Limits;

/// Counts the frames of one connection.
#[derive(Debug)]
pub(in crate::listener) struct FrameWatch {
    limits: Http2Limits,
    /// Bytes of the client's preface that are still to come.
    preface_left: usize,
    /// The header of the frame that is coming, as far as it is known.
    header: [u8; HEADER_BYTES],
    header_known: usize,
    payload_left: usize,
    block: Option<HeaderBlock>,
    window: Window,
    fault: Option<FrameFault>,
}

/// A header block that is not finished.
#[derive(Clone, Copy, Debug)]
struct HeaderBlock {
    began_at: Instant,
    continuations: u32,
    /// The frame that is coming is the block's last one.
    is_last_frame: bool,
}

/// What has been counted since the window began.
#[derive(Debug)]
struct Window {
    began_at: Option<Instant>,
    resets: u32,
    control_frames: u32,
    bytes: usize,
}

/// Why a connection must end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::listener) enum FrameFault {
    /// Too many streams opened and reset.
    Resets,
    /// Too many frames that carry nothing.
    ControlFrames,
    /// A header block in too many pieces.
    Continuations,
}

impl FrameWatch {
    /// A watch for a connection on which nothing has come.
    pub(in crate::listener) fn new(limits: Http2Limits) -> Self {
        Self {
            limits,
            preface_left: PREFACE_BYTES,
            header: [0; HEADER_BYTES],
            header_known: 0,
            payload_left: 0,
            block: None,
            window: Window::new(),
            fault: None,
        }
    }

    /// Why the connection must end, if it must.
    pub(in crate::listener) fn fault(&self) -> Option<FrameFault> {
        self.fault
    }

    /// Since when a header block has been unfinished.
    pub(in crate::listener) fn unfinished_block_since(&self) -> Option<Instant> {
        self.block.map(|block| block.began_at)
    }

    /// `bytes` went to the client.
    pub(in crate::listener) fn note_written(&mut self, bytes: usize) {
        self.window.bytes = self.window.bytes.saturating_add(bytes);
    }

    /// `bytes` came from the client.
    pub(in crate::listener) fn observe(&mut self, mut bytes: &[u8]) {
        self.window.bytes = self.window.bytes.saturating_add(bytes.len());
        bytes = skip(bytes, &mut self.preface_left);
        while !bytes.is_empty() && self.fault.is_none() {
            bytes = if self.payload_left > 0 {
                self.pass_payload(bytes)
            } else {
                self.pass_header_byte(bytes)
            };
        }
    }

    fn pass_payload<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let rest = skip(bytes, &mut self.payload_left);
        if self.payload_left == 0 {
            self.end_of_frame();
        }
        rest
    }

    fn pass_header_byte<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let place = self.header.get_mut(self.header_known);
        let (Some((first, rest)), Some(place)) = (bytes.split_first(), place) else {
            return &[];
        };
        *place = *first;
        self.header_known += 1;
        if self.header_known == HEADER_BYTES {
            self.header_known = 0;
            self.start_of_frame();
        }
        rest
    }

    fn start_of_frame(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.header;
        let length = u32::from_be_bytes([0, high, middle, low]);
        self.payload_left = usize::try_from(length).unwrap_or(usize::MAX);
        let ends_block = flags & END_HEADERS != 0;
        match kind {
            DATA if length > 0 || flags & END_STREAM != 0 => {}
            HEADERS => {
                self.block = Some(HeaderBlock {
                    began_at: Instant::now(),
                    continuations: 0,
                    is_last_frame: ends_block,
                });
            }
            CONTINUATION => self.continue_block(ends_block),
            RST_STREAM => {
                self.window.renew(&self.limits);
                self.window.resets += 1;
                if self.window.resets > self.limits.resets_max {
                    self.fault = Some(FrameFault::Resets);
                }
            }
            _ => self.count_control_frame(),
        }
        if self.payload_left == 0 {
            self.end_of_frame();
        }
    }

    fn end_of_frame(&mut self) {
        if self.block.is_some_and(|block| block.is_last_frame) {
            self.block = None;
        }
    }

    fn continue_block(&mut self, is_last_frame: bool) {
        let Some(block) = &mut self.block else {
            // A CONTINUATION without HEADERS: the library ends the connection.
            return;
        };
        block.is_last_frame = is_last_frame;
        block.continuations += 1;
        if block.continuations > self.limits.continuations_max {
            self.fault = Some(FrameFault::Continuations);
        }
    }

    fn count_control_frame(&mut self) {
        self.window.renew(&self.limits);
        self.window.control_frames += 1;
        let earned = u32::try_from(self.window.bytes / BYTES_PER_CONTROL_FRAME).unwrap_or(u32::MAX);
        if self.window.control_frames > self.limits.control_frames_max.saturating_add(earned) {
            self.fault = Some(FrameFault::ControlFrames);
        }
    }
}

impl Window {
    const fn new() -> Self {
        Self {
            began_at: None,
            resets: 0,
            control_frames: 0,
            bytes: 0,
        }
    }

    fn renew(&mut self, limits: &Http2Limits) {
        let now = Instant::now();
        let is_over = self
            .began_at
            .is_none_or(|began_at| now.duration_since(began_at) >= limits.window);
        if is_over {
            *self = Self::new();
            self.began_at = Some(now);
        }
    }
}

/// Takes as many bytes off as are `left`.
fn skip<'a>(bytes: &'a [u8], left: &mut usize) -> &'a [u8] {
    let count = bytes.len().min(*left);
    *left -= count;
    bytes.get(count..).unwrap_or_default()
}

/// RFC 9113, section 3.4.
const PREFACE_BYTES: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
/// RFC 9113, section 4.1.
const HEADER_BYTES: usize = 9;
/// What a large transfer needs of `WINDOW_UPDATE` and PING is far below one for each of these.
const BYTES_PER_CONTROL_FRAME: usize = 1024;

// RFC 9113, section 6.
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

#[cfg(test)]
mod tests;
