//! The shipped list of common passwords, as a filter that is part of the program; `policy/data/README.md` says what it
//! was made of.

use std::{convert::Infallible, sync::OnceLock};

use super::{
    common::fold,
    filter::{FilterShape, key_of},
};

/// Whether a folded password stands on the list.
pub(super) fn holds(folded: &[char]) -> bool {
    static SHAPE: OnceLock<Option<FilterShape>> = OnceLock::new();
    let shape = SHAPE.get_or_init(|| {
        let (description, _) = parts()?;
        FilterShape::read(description, u32::try_from(FINGERPRINTS).ok()?).ok()
    });
    let Some((shape, (_, fingerprints))) = shape.as_ref().zip(parts()) else {
        return false;
    };
    let read = |at: u32| -> Result<u16, Infallible> {
        let at = usize::try_from(at).unwrap_or(usize::MAX).saturating_mul(2);
        let bytes = fingerprints.get(at..).and_then(<[u8]>::first_chunk);
        Ok(u16::from_le_bytes(*bytes.unwrap_or(&[0; 2])))
    };
    let Ok(held) = shape.holds(key_of(folded.iter().copied()), read);
    held
}

/// The key of a password on a list.
pub fn list_key(password: &str) -> u64 {
    key_of(fold(password))
}

/// The description and the fingerprints.
fn parts() -> Option<(&'static [u8; FilterShape::BYTES], &'static [u8])> {
    COMMON.split_first_chunk()
}

static COMMON: &[u8] = include_bytes!("../../data/common-passwords.f16");

/// Two bytes each.
const FINGERPRINTS: usize = (COMMON.len() - FilterShape::BYTES) / 2;
// 18 bits a password: over 100,000 of them.
const _: () = assert!(FINGERPRINTS > 112_500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_filter_is_whole() {
        let (description, fingerprints) = parts().unwrap();
        assert_eq!(fingerprints.len(), 2 * FINGERPRINTS);
        assert!(FilterShape::read(description, u32::try_from(FINGERPRINTS).unwrap()).is_ok());
    }

    #[test]
    fn common_passwords_of_both_languages_are_on_the_list() {
        for password in [
            "password1",
            "Password1",
            "chelsea1",
            "marseille13",
            "doudoune",
            "bonjour123",
            "jetaime1",
            "qwertyuiop123",
        ] {
            assert!(holds(&fold(password)), "{password}");
        }
    }

    #[test]
    fn what_chance_makes_is_not_on_the_list() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut letter = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
        };
        let random = (0..100_000).map(|_| (0..15).map(|_| letter()).collect::<Vec<char>>());
        let false_yes = random.filter(|password| holds(password)).count();
        assert!(false_yes < 10, "{false_yes} of 100,000");
    }
}
