//! Where the frames that an upstream sends begin and end (RFC 6455, section 5.2).

/// Follows frame lengths through a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct ServerFrames {
    /// The header of the frame that is passing, as far as it is known.
    header: [u8; HEADER_BYTES_MAX],
    header_known: usize,
    payload_left: u64,
    has_closed: bool,
}

impl ServerFrames {
    /// Whether a frame of our own may follow here.
    pub(super) const fn is_between_frames(&self) -> bool {
        self.header_known == 0 && self.payload_left == 0
    }

    /// Whether a close frame has passed: nothing may follow it.
    pub(super) const fn has_closed(&self) -> bool {
        self.has_closed
    }

    /// `bytes` pass.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.step(bytes);
            bytes = bytes.get(count..).unwrap_or_default();
        }
    }

    /// How many of `bytes` belong to the frame that is passing; all of them if it does not end here.
    pub(super) fn rest_of_frame(&self, bytes: &[u8]) -> usize {
        let mut ahead = Self {
            header: self.header,
            ..*self
        };
        let mut count = 0;
        while count < bytes.len() && !ahead.is_between_frames() {
            count += ahead.step(bytes.get(count..).unwrap_or_default());
        }
        count
    }

    /// Takes the rest of a payload, or one byte of a header; gives how many bytes that was.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.payload_left > 0 {
            let left = usize::try_from(self.payload_left).unwrap_or(usize::MAX);
            let count = bytes.len().min(left);
            self.payload_left -= u64::try_from(count).unwrap_or(self.payload_left);
            return count;
        }
        let (Some(byte), Some(place)) = (bytes.first(), self.header.get_mut(self.header_known))
        else {
            return bytes.len();
        };
        *place = *byte;
        self.header_known += 1;
        if let Some(payload) = self.payload_of_complete_header() {
            let [first, ..] = self.header;
            self.has_closed |= first & OPCODE == CLOSE;
            self.header_known = 0;
            self.payload_left = payload;
        }
        1
    }

    /// The length of the payload once the whole header is known.
    fn payload_of_complete_header(&self) -> Option<u64> {
        let [_, second, rest @ ..] = &self.header;
        let (extended, length) = match second & LENGTH {
            LENGTH_OF_2_BYTES => {
                let [high, low, ..] = *rest;
                (2, u64::from(u16::from_be_bytes([high, low])))
            }
            LENGTH_OF_8_BYTES => {
                let (length, _) = rest.split_first_chunk::<8>()?;
                (8, u64::from_be_bytes(*length))
            }
            length => (0, u64::from(length)),
        };
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        (self.header_known == 2 + extended + mask).then_some(length)
    }
}

/// Two bytes, eight of length, four of mask.
const HEADER_BYTES_MAX: usize = 14;
const OPCODE: u8 = 0x0f;
const CLOSE: u8 = 0x08;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_OF_2_BYTES: u8 = 126;
const LENGTH_OF_8_BYTES: u8 = 127;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(opcode: u8, length: usize, is_masked: bool) -> Vec<u8> {
        let mask = if is_masked { MASKED } else { 0 };
        let mut frame = vec![0x80 | opcode];
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ ..=125), _) => frame.push(mask | length),
            (_, Ok(length)) => {
                frame.push(mask | LENGTH_OF_2_BYTES);
                frame.extend(length.to_be_bytes());
            }
            _ => {
                frame.push(mask | LENGTH_OF_8_BYTES);
                frame.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.resize(frame.len() + if is_masked { 4 } else { 0 }, 7);
        frame.resize(frame.len() + length, 0x88);
        frame
    }

    proptest! {
        #[test]
        fn boundaries_are_found_however_the_bytes_are_split(
            lengths in proptest::collection::vec(
                (prop_oneof![Just(0_usize), Just(125), Just(126), Just(65_535), Just(65_536), 0..300_usize], any::<bool>()),
                1..5,
            ),
            chunk in 1..5_000_usize,
        ) {
            let frames: Vec<_> = lengths.iter().map(|&(length, masked)| frame(1, length, masked)).collect();
            let mut tracker = ServerFrames::default();
            for bytes in &frames {
                prop_assert!(tracker.is_between_frames());
                let (last, before) = bytes.split_last().unwrap();
                for part in before.chunks(chunk) {
                    tracker.pass(part);
                    prop_assert!(!tracker.is_between_frames());
                }
                prop_assert_eq!(tracker.rest_of_frame(&[*last, 1, 2, 3]), 1);
                tracker.pass(&[*last]);
            }
            prop_assert!(tracker.is_between_frames() && !tracker.has_closed());
        }
    }

    #[test]
    fn a_close_frame_is_seen() {
        let mut tracker = ServerFrames::default();
        tracker.pass(&frame(CLOSE, 2, false));
        assert!(tracker.has_closed() && tracker.is_between_frames());
    }
}
