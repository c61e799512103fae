//! Passwords that are handed over: long enough to be safe, plain enough to be read out.

use zeroize::Zeroizing;

use crate::entropy::{Entropy, EntropyUnavailable, random};

/// 20 characters in groups of five, 100 bits: `k7mqh-4pxdr-…`.
pub(crate) fn passphrase(entropy: &dyn Entropy) -> Result<Zeroizing<String>, EntropyUnavailable> {
    let draws = Zeroizing::new(random::<LEN>(entropy)?);
    let mut text = Zeroizing::new(String::with_capacity(LEN + LEN / GROUP));
    for (position, draw) in draws.iter().enumerate() {
        if position > 0 && position % GROUP == 0 {
            text.push('-');
        }
        // 256 is a multiple of 32, so each sign is as likely as any other.
        let sign = ALPHABET.chars().nth(usize::from(draw % 32));
        text.extend(sign);
    }
    Ok(text)
}

const LEN: usize = 20;
const GROUP: usize = 5;
/// Small letters and digits without `0 o 1 l`, which look alike in many hands and fonts.
const ALPHABET: &str = "abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_password_that_is_handed_over_has_100_bits_in_four_groups() {
        assert_eq!(ALPHABET.len(), 32);
        let text = passphrase(&SystemEntropy).unwrap();
        let groups: Vec<_> = text.split('-').map(str::len).collect();
        assert_eq!(groups, [5, 5, 5, 5]);
        assert_ne!(*text, *passphrase(&SystemEntropy).unwrap());
    }
}
