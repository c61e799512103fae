//! Values that are written with every request, without the machinery of formatting: it costs ten times as much.

use std::{io::Write, net::IpAddr};

/// Appends a number in decimal.
pub(super) fn push_number(text: &mut Vec<u8>, mut left: u64) {
    let mut digits = [b'0'; DIGITS_MAX];
    let mut first = DIGITS_MAX;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(left % 10).unwrap_or(0);
        first -= 1;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    text.extend_from_slice(digits.get(first..).unwrap_or_default());
}

/// Appends an address as `Display` writes it (RFC 5952 for IPv6).
pub(super) fn push_address(text: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let [first, rest @ ..] = address.octets();
            push_number(text, first.into());
            for octet in rest {
                text.push(b'.');
                push_number(text, octet.into());
            }
        }
        // Which groups are left out is not worth being written twice.
        IpAddr::V6(address) => {
            // Writing to a vector cannot fail.
            let _ = write!(text, "{address}");
        }
    }
}

/// Appends bytes in lower-case hexadecimal.
pub(super) fn push_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |half: u8| half + b'0' + u8::from(half > 9) * (b'a' - b'0' - 10);
    text.extend(
        bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]),
    );
}

/// Of the largest number of 64 bits.
const DIGITS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        push(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 99, 100, 4_096, u64::MAX] {
            let text = written(|text| push_number(text, number));
            assert_eq!(text, number.to_string());
        }
    }

    #[test]
    fn addresses_are_written_as_everywhere() {
        for address in [
            "0.0.0.0",
            "192.0.2.1",
            "255.255.255.255",
            "::1",
            "2001:db8::a:0:0:1",
            "::ffff:192.0.2.1",
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(written(|text| push_address(text, parsed)), address);
        }
    }

    #[test]
    fn bytes_are_written_as_two_digits_each() {
        let text = written(|text| push_hex(text, &[0x00, 0x09, 0x0a, 0x9f, 0xf0, 0xff]));
        assert_eq!(text, "00090a9ff0ff");
    }
}
