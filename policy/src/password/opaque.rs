//! The one form of a password that is judged and hashed: RFC 8265, section 4.2 (`OpaqueString`).

use unicode_normalization::{UnicodeNormalization, char::is_public_assigned};
use zeroize::Zeroizing;

/// A password in the form that is hashed. It has no `Debug`, no `Display` and no comparison, and
/// is wiped when dropped.
pub struct OpaquePassword(Zeroizing<String>);

impl OpaquePassword {
    /// The most characters of a password, after normalisation. Nothing is ever cut off.
    pub const LEN_MAX: u32 = 256;

    /// Normalises what was typed: every space becomes U+0020, the rest NFC; case stays.
    pub fn from_typed(typed: &str) -> Result<Self, Unusable> {
        if typed.is_empty() {
            return Err(Unusable::Empty);
        }
        if typed.len() > TYPED_BYTES_MAX {
            return Err(Unusable::TooLong);
        }
        // Room for the worst case, so that no copy of the secret stays behind on growing.
        let mut opaque = Zeroizing::new(String::with_capacity(typed.len() * NFC_GROWTH_MAX));
        opaque.extend(typed.chars().map(plain_space).nfc());
        if opaque.chars().any(is_unreadable) {
            return Err(Unusable::Unreadable);
        }
        let password = Self(opaque);
        if password.len() > Self::LEN_MAX {
            return Err(Unusable::TooLong);
        }
        Ok(password)
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Its length in code points, which is what people count as characters (NIST SP 800-63B-4,
    /// section 3.1.1.2).
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.chars().count()).unwrap_or(u32::MAX)
    }

    /// Never: an empty text is no password.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The text, for the rules of this module alone.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text cannot be a password at all.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// Nothing was typed.
    #[error("nothing was typed")]
    Empty,
    /// More than [`OpaquePassword::LEN_MAX`] characters.
    #[error("a password has at most {} characters", OpaquePassword::LEN_MAX)]
    TooLong,
    /// A control character, an invisible one, or one that Unicode has not assigned.
    #[error("the password holds a character that cannot be typed again with certainty")]
    Unreadable,
}

/// Bytes before normalisation: 4 for each of 256 characters, each with up to 3 combining marks.
const TYPED_BYTES_MAX: usize = 256 * 4 * 4;

/// How far NFC can lengthen UTF-8 text (Unicode TS 15, section 9, "maximum expansion").
const NFC_GROWTH_MAX: usize = 3;

/// RFC 8265, section 4.2.1: spaces that are not ASCII (general category `Zs`) become U+0020.
const fn plain_space(character: char) -> char {
    match character {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    }
}

/// What RFC 8264's `FreeformClass` disallows (section 4.3.3): controls, unassigned and private code
/// points, ignorable ones, old Hangul jamo. The joiners that it allows in some contexts are
/// refused too: two people who see the same text must type the same password.
fn is_unreadable(character: char) -> bool {
    character.is_control()
        || !is_public_assigned(character)
        || matches!(
            character,
            '\u{ad}'
                | '\u{034f}'
                | '\u{061c}'
                | '\u{1100}'..='\u{11ff}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{a960}'..='\u{a97c}'
                | '\u{d7b0}'..='\u{d7fb}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opaque(typed: &str) -> Result<String, Unusable> {
        OpaquePassword::from_typed(typed).map(|password| password.as_str().to_owned())
    }

    #[test]
    fn both_forms_of_an_accent_and_all_spaces_are_the_same_password() {
        assert_eq!(opaque("e\u{301}t\u{e9} \u{e0}"), opaque("été\u{a0}à"));
        assert_eq!(opaque("a\u{3000}b"), Ok("a b".to_owned()));
        assert_eq!(
            opaque(" A "),
            Ok(" A ".to_owned()),
            "neither case nor edges are touched"
        );
    }

    #[test]
    fn what_cannot_be_typed_again_is_refused() {
        for typed in [
            "a\0",
            "a\n",
            "a\u{7f}",
            "a\u{85}",
            "a\u{378}",
            "a\u{e000}",
            "a\u{200b}",
            "a\u{feff}",
            "a\u{2028}",
        ] {
            assert_eq!(opaque(typed), Err(Unusable::Unreadable), "{typed:?}");
        }
        assert_eq!(opaque(""), Err(Unusable::Empty));
    }

    #[test]
    fn a_password_has_1_to_256_characters_counted_after_normalisation() {
        assert_eq!(opaque("x"), Ok("x".to_owned()));
        for text in ["x".repeat(256), "e\u{301}".repeat(256), "😀".repeat(256)] {
            assert_eq!(
                OpaquePassword::from_typed(&text)
                    .map(|password| password.len())
                    .ok(),
                Some(256)
            );
        }
        assert_eq!(opaque(&"x".repeat(257)), Err(Unusable::TooLong));
        assert_eq!(opaque(&"x".repeat(1 << 20)), Err(Unusable::TooLong));
    }

    proptest! {
        #[test]
        fn the_form_is_its_own_form(typed in "\\PC{1,40}") {
            if let Ok(once) = opaque(&typed) {
                prop_assert_eq!(opaque(&once), Ok(once));
            }
        }
    }
}
