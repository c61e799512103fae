//! Formal entropy, as the CNIL counts it: length × log2 of the alphabet that was used.

/// Formal entropy of `text` in thousandths of a bit, rounded down.
///
/// CNIL, deliberation 2022-100, counts characters drawn from an alphabet; it says nothing of how
/// hard a text is to guess, so it stands beside the list of common passwords, never for it.
pub(super) fn millibits(text: &str) -> u32 {
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let alphabet: u32 = ALPHABETS
        .iter()
        .filter(|(uses, _)| text.chars().any(uses))
        .map(|(_, size)| size)
        .sum();
    length.saturating_mul(log2_millis(alphabet))
}

/// Kinds of characters and how many there are of each.
const ALPHABETS: [Alphabet; 5] = [
    (|character| character.is_ascii_lowercase(), 26),
    (|character| character.is_ascii_uppercase(), 26),
    (|character| character.is_ascii_digit(), 10),
    (
        |character| character.is_ascii() && !character.is_ascii_alphanumeric(),
        33,
    ),
    // Letters with accents on one European keyboard; an emoji counts no more than that.
    (|character| !character.is_ascii(), 40),
];

/// Whether a character is of the kind, and how many there are.
type Alphabet = (fn(char) -> bool, u32);

/// log2 in thousandths, rounded down; 0 for 0. Squares a fixed-point number bit by bit.
pub(super) fn log2_millis(number: u32) -> u32 {
    let Some(whole) = number.checked_ilog2() else {
        return 0;
    };
    let mut mantissa = (u64::from(number) << FRACTION_BITS) >> whole;
    let mut fraction = 0_u32;
    for _ in 0..FRACTION_BITS {
        mantissa = (mantissa * mantissa) >> FRACTION_BITS;
        fraction <<= 1;
        if mantissa >= 2 << FRACTION_BITS {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    whole * 1000 + ((fraction * 1000) >> FRACTION_BITS)
}

/// Bits after the point: 1/65536 is finer than the thousandth that is told.
const FRACTION_BITS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_cnil_s_own_method() {
        for (text, bits) in [
            ("abcdefgh", 37),
            ("abcdefghijk", 51),
            ("abcdefghijkl", 56),
            ("abcdefghijklmno", 70),
            ("123456789012", 39),
            ("123456789012345", 49),
            ("1234567890123456", 53),
            ("", 0),
        ] {
            assert_eq!(millibits(text) / 1000, bits, "{text:?}");
        }
    }

    #[test]
    fn each_kind_of_character_widens_the_alphabet_once() {
        let steps: Vec<u32> = ["aaaa", "aaaA", "aaA1", "aA1-", "A1-é"]
            .map(millibits)
            .to_vec();
        assert!(
            steps.windows(2).take(3).all(|pair| pair[0] < pair[1]),
            "{steps:?}"
        );
    }
}
