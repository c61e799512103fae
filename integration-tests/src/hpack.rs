//! HPACK (RFC 7541), as a hostile client and a recording server need it: an encoder that can say anything, literally,
//! and a complete decoder.

use std::sync::OnceLock;

/// A header block in which each field is a literal without indexing: nothing is normalised, nothing refused.
pub fn encode(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        put_string(&mut block, name);
        put_string(&mut block, value);
    }
    block
}

fn put_string(block: &mut Vec<u8>, text: &[u8]) {
    put_integer(block, text.len(), 7);
    block.extend_from_slice(text);
}

fn put_integer(block: &mut Vec<u8>, value: usize, prefix_bits: u32) {
    let limit = (1_usize << prefix_bits) - 1;
    if value < limit {
        block.push(u8::try_from(value).unwrap());
        return;
    }
    block.push(u8::try_from(limit).unwrap());
    let mut rest = value - limit;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128 + 128).unwrap());
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// Name and value, as text; bytes that are not UTF-8 are replaced.
pub type Field = (String, String);

/// Reads the header blocks of one connection, in their order.
#[derive(Debug)]
pub struct Decoder {
    dynamic: Vec<Field>,
    size: usize,
    size_max: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            dynamic: Vec::new(),
            size: 0,
            size_max: 4096,
        }
    }
}

impl Decoder {
    /// Decodes one complete header block. `None` if it is malformed.
    pub fn decode(&mut self, block: &[u8]) -> Option<Vec<Field>> {
        let mut input = Input { rest: block };
        let mut fields = Vec::new();
        while let Some(&first) = input.rest.first() {
            if first & 0x80 != 0 {
                let index = input.integer(7)?;
                fields.push(self.entry(index)?);
            } else if first & 0xc0 == 0x40 {
                let field = self.literal(&mut input, 6)?;
                self.insert(field.clone());
                fields.push(field);
            } else if first & 0xe0 == 0x20 {
                self.size_max = input.integer(5)?;
                self.evict();
            } else {
                fields.push(self.literal(&mut input, 4)?);
            }
        }
        Some(fields)
    }

    fn literal(&self, input: &mut Input<'_>, prefix_bits: u32) -> Option<Field> {
        let name = match input.integer(prefix_bits)? {
            0 => input.string()?,
            index => self.entry(index)?.0,
        };
        Some((name, input.string()?))
    }

    fn entry(&self, index: usize) -> Option<Field> {
        if let Some((name, value)) = STATIC.get(index.checked_sub(1)?) {
            return Some(((*name).to_owned(), (*value).to_owned()));
        }
        self.dynamic.get(index - 1 - STATIC.len()).cloned()
    }

    fn insert(&mut self, field: Field) {
        self.size += cost(&field);
        self.dynamic.insert(0, field);
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.size_max {
            let Some(oldest) = self.dynamic.pop() else {
                break;
            };
            self.size -= cost(&oldest);
        }
    }
}

/// RFC 7541 §4.1: 32 octets of overhead for each entry.
fn cost(field: &Field) -> usize {
    field.0.len() + field.1.len() + 32
}

struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn integer(&mut self, prefix_bits: u32) -> Option<usize> {
        let mask = (1_usize << prefix_bits) - 1;
        let mut value = usize::from(self.byte()?) & mask;
        if value < mask {
            return Some(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = usize::from(self.byte()?);
            value += (byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    fn string(&mut self) -> Option<String> {
        let huffman = self.rest.first()? & 0x80 != 0;
        let length = self.integer(7)?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let plain = if huffman {
            unpack(bytes)?
        } else {
            bytes.to_vec()
        };
        Some(String::from_utf8_lossy(&plain).into_owned())
    }
}

/// RFC 7541 Appendix B is a canonical code, so that the lengths of its 257 symbols say all of it. One digit (base 36) each.
const CODE_LENGTHS: &[u8; 257] = b"dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let (mut code, mut length) = (0_u32, 0_u32);
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |shift| u32::from(byte >> shift) & 1))
    {
        code = code << 1 | bit;
        length += 1;
        if let Some(symbol) = symbol(code, length) {
            plain.push(u8::try_from(symbol).ok()?);
            (code, length) = (0, 0);
        }
        if length > 30 {
            return None;
        }
    }
    // What is left over is padding: fewer than eight bits, all ones.
    (length < 8 && code == (1 << length) - 1).then_some(plain)
}

/// The symbol whose canonical code has this value and this length.
fn symbol(code: u32, length: u32) -> Option<usize> {
    static TABLE: OnceLock<Vec<Codes>> = OnceLock::new();
    let codes = TABLE
        .get_or_init(table)
        .get(usize::try_from(length).ok()?)?;
    let offset = code.checked_sub(codes.first)?;
    codes.symbols.get(usize::try_from(offset).ok()?).copied()
}

/// The codes of one length.
struct Codes {
    /// The code of the first symbol; the others follow without a gap.
    first: u32,
    symbols: Vec<usize>,
}

/// The codes by their length; worked out once, since every answer over HTTP/2 is read with them.
fn table() -> Vec<Codes> {
    let mut table: Vec<Codes> = Vec::new();
    for length in 0..=30 {
        let first = table.last().map_or(0, |shorter| {
            (shorter.first + u32::try_from(shorter.symbols.len()).unwrap()) << 1
        });
        table.push(Codes {
            first,
            symbols: symbols_of(length).collect(),
        });
    }
    table
}

fn symbols_of(length: u32) -> impl Iterator<Item = usize> {
    let digit = char::from_digit(length, 36);
    CODE_LENGTHS
        .iter()
        .enumerate()
        .filter(move |(_, have)| Some(char::from(**have)) == digit)
        .map(|(symbol, _)| symbol)
}

/// RFC 7541 Appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::{Decoder, encode};

    fn field(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn literals_come_back_as_they_went() {
        let long = [b'x'; 300];
        let block = encode(&[(b":Odd Name", b"\tv"), (b"long", &long)]);
        let fields = Decoder::default().decode(&block).unwrap();
        assert_eq!(
            fields,
            [field(":Odd Name", "\tv"), field("long", &"x".repeat(300))]
        );
    }

    /// The three requests of RFC 7541 appendix C.4: Huffman strings and a growing dynamic table.
    #[test]
    fn the_examples_of_the_standard_decode() {
        let mut decoder = Decoder::default();
        let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        let second = b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
        let third = b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        assert_eq!(
            decoder.decode(first).unwrap()[3],
            field(":authority", "www.example.com")
        );
        assert_eq!(
            decoder.decode(second).unwrap()[4],
            field("cache-control", "no-cache")
        );
        let fields = decoder.decode(third).unwrap();
        assert_eq!(
            fields[3..],
            [
                field(":authority", "www.example.com"),
                field("custom-key", "custom-value")
            ]
        );
    }
}
