//! Sets of passwords as binary fuse filters: 18 bits for each, no false "no", one false "yes" in 65,536.
//!
//! Where the fingerprints are is the caller's: in the program for the shipped list, in a file that is read in three
//! places for the breached ones.

/// How the fingerprints of a filter are found: Graf and Lemire, "Binary Fuse Filters" (2022), with three places and the
/// layout of the `xorf` crate, which builds them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FilterShape {
    seed: u64,
    /// A power of two.
    segment_length: u32,
    /// Where the first of the three places of a key can be: a multiple of the segment's length.
    first_places: u32,
}

/// What is said of bytes that describe no filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this is no description of a filter")]
pub struct NoFilter;

impl FilterShape {
    /// How many bytes describe a filter: a seed of eight; the segment's length, the same less one, and how many first
    /// places there are, of four each, little-endian.
    pub const BYTES: usize = 20;

    /// The filter that these bytes describe, with so many fingerprints. What does not hold together is refused, so
    /// that no look-up can lead outside.
    ///
    /// # Errors
    ///
    /// Where the numbers contradict each other.
    pub fn read(bytes: &[u8; Self::BYTES], fingerprints: u32) -> Result<Self, NoFilter> {
        let (seed, numbers) = bytes.split_first_chunk::<8>().ok_or(NoFilter)?;
        let (numbers, _) = numbers.as_chunks::<4>();
        let &[length, mask, places] = numbers else {
            return Err(NoFilter);
        };
        let [length, mask, places] = [length, mask, places].map(u32::from_le_bytes);
        let holds_together = length.is_power_of_two()
            && mask == length - 1
            && places >= length
            && places.is_multiple_of(length)
            && length
                .checked_mul(2)
                .and_then(|more| more.checked_add(places))
                == Some(fingerprints);
        let shape = Self {
            seed: u64::from_le_bytes(*seed),
            segment_length: length,
            first_places: places,
        };
        holds_together.then_some(shape).ok_or(NoFilter)
    }

    /// Whether the filter holds a key, by three readings of fingerprints; each index is below the count of them that
    /// [`FilterShape::read`] was told.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn holds<E>(&self, key: u64, read: impl Fn(u32) -> Result<u16, E>) -> Result<bool, E> {
        let hash = spread(key.wrapping_add(self.seed));
        let [one, two, three] = self.places(hash);
        let [.., low, high] = (hash ^ (hash >> 32)).to_be_bytes();
        let fingerprint = u16::from_be_bytes([low, high]);
        Ok(fingerprint == read(one)? ^ read(two)? ^ read(three)?)
    }

    /// Three places in three segments that follow each other.
    fn places(&self, hash: u64) -> [u32; 3] {
        let product = u128::from(hash) * u128::from(self.first_places);
        // Below `first_places`, which has 32 bits.
        let one = u32::try_from(product >> 64).unwrap_or(0);
        let within = |shift: u32| {
            let bits = (hash >> shift) & u64::from(self.segment_length - 1);
            u32::try_from(bits).unwrap_or(0)
        };
        let two = (one + self.segment_length) ^ within(18);
        let three = (one + 2 * self.segment_length) ^ within(0);
        [one, two, three]
    }
}

/// Spreads a number over all of its bits: the last step of `MurmurHash3`, which is in the public domain.
const fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}

/// The key of a text in a filter of ours: FNV-1a with 64 bits over its UTF-8. Nobody gains by a collision, which only
/// refuses one more password.
pub fn key_of(text: impl IntoIterator<Item = char>) -> u64 {
    let mut hash = FNV_OFFSET;
    let mut buffer = [0; 4];
    for character in text {
        for byte in character.encode_utf8(&mut buffer).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }
    hash
}

/// The FNV-1a parameters for 64 bits (RFC 9923, section 5).
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
/// See [`FNV_OFFSET`].
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use xorf::{BinaryFuse16, DmaSerializable};

    use super::*;

    fn built(keys: &[u64]) -> ([u8; FilterShape::BYTES], Box<[u16]>) {
        let filter = BinaryFuse16::try_from(keys).unwrap();
        let mut bytes = [0; FilterShape::BYTES];
        filter.dma_copy_descriptor_to(&mut bytes);
        (bytes, filter.fingerprints)
    }

    #[test]
    fn what_was_put_in_is_held_and_little_else() {
        let keys: Vec<u64> = (0..20_000_u64).map(spread).collect();
        let (bytes, fingerprints) = built(&keys);
        let count = u32::try_from(fingerprints.len()).unwrap();
        let shape = FilterShape::read(&bytes, count).unwrap();
        let holds = |key| {
            let read = |at: u32| {
                fingerprints
                    .get(usize::try_from(at).unwrap())
                    .copied()
                    .ok_or(())
            };
            shape.holds(key, read).unwrap()
        };
        assert!(keys.iter().all(|key| holds(*key)));
        let strangers = (1_000_000..1_200_000_u64).map(spread);
        let false_yes = strangers.filter(|key: &u64| holds(*key)).count();
        assert!(
            false_yes < 20,
            "{false_yes} of 200,000; 3 are to be expected"
        );
    }

    #[test]
    fn a_description_that_leads_outside_is_refused() {
        let keys: Vec<u64> = (0..500_u64).map(spread).collect();
        let (bytes, fingerprints) = built(&keys);
        let count = u32::try_from(fingerprints.len()).unwrap();
        assert!(FilterShape::read(&bytes, count).is_ok());
        assert_eq!(FilterShape::read(&bytes, count - 1), Err(NoFilter));
        for at in 8..FilterShape::BYTES {
            for bit in 0..8 {
                let mut broken = bytes;
                broken[at] ^= 1 << bit;
                assert_eq!(
                    FilterShape::read(&broken, count),
                    Err(NoFilter),
                    "{at} {bit}"
                );
            }
        }
        assert_eq!(
            FilterShape::read(&[0; FilterShape::BYTES], 0),
            Err(NoFilter)
        );
        assert_eq!(
            FilterShape::read(&[255; FilterShape::BYTES], u32::MAX),
            Err(NoFilter)
        );
    }

    #[test]
    fn keys_are_those_of_the_rfc() {
        assert_eq!(key_of("".chars()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(key_of("a".chars()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(key_of("foobar".chars()), 0x8594_4171_f739_67e8);
    }
}
