//! Which kinds of characters a password holds, and how many of each.
//!
//! NIST SP 800-63B-4 (section 3.1.1.2) and ASVS 6.2.5 are against both rules; they are here for contracts that ask for
//! them, and a long passphrase may satisfy instead.

use super::{Candidate, Outcome, PasswordRule};
use crate::password::verdict::Reason;

/// A kind of characters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Lower-case letters, of any script.
    Lower,
    /// Upper-case letters, of any script.
    Upper,
    /// Digits.
    Digit,
    /// All else: signs, spaces, emoji, letters of scripts without case.
    Sign,
}

impl Class {
    /// All kinds, in the order in which people name them.
    pub const ALL: [Self; 4] = [Self::Lower, Self::Upper, Self::Digit, Self::Sign];

    /// How many characters there are of it on a keyboard: the CNIL's count, with the 33 signs of ASCII for signs.
    pub const fn alphabet(self) -> u32 {
        match self {
            Self::Lower | Self::Upper => 26,
            Self::Digit => 10,
            Self::Sign => 33,
        }
    }

    /// The class of a character.
    pub fn of(character: char) -> Self {
        if character.is_lowercase() {
            Self::Lower
        } else if character.is_uppercase() {
            Self::Upper
        } else if character.is_numeric() {
            Self::Digit
        } else {
            Self::Sign
        }
    }
}

/// From which length on a passphrase satisfies instead; never without one.
///
/// The stricter of two is the longer one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UnlessLength(pub Option<u32>);

impl UnlessLength {
    fn spares(self, length: u32) -> bool {
        self.0.is_some_and(|enough| length >= enough)
    }

    fn stricter(self, other: Self) -> Self {
        Self(self.0.zip(other.0).map(|(one, other)| one.max(other)))
    }
}

/// Characters of so many of the four kinds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Classes {
    /// 2 to 4.
    pub at_least: u32,
    /// The length that satisfies instead.
    pub unless_length: UnlessLength,
}

impl PasswordRule for Classes {
    const ID: &'static str = "classes";

    fn stricter(self, other: Self) -> Self {
        Self {
            at_least: self.at_least.max(other.at_least),
            unless_length: self.unless_length.stricter(other.unless_length),
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        if self.unless_length.spares(candidate.len()) {
            return Outcome::Met;
        }
        let counts = candidate.class_counts();
        let found = Class::ALL.into_iter().filter(|class| counts.of(*class) > 0);
        let found = u32::try_from(found.count()).unwrap_or(0);
        let reason = Reason::FewClasses {
            found,
            minimum: self.at_least,
            unless_length: self.unless_length.0,
        };
        Outcome::failed_if(found < self.at_least, reason)
    }
}

/// So many characters of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Counts([u32; 4]);

impl Counts {
    /// These counts, in the order of [`Class::ALL`].
    pub const fn new(counts: [u32; 4]) -> Self {
        Self(counts)
    }

    /// The count of a class.
    pub const fn of(self, class: Class) -> u32 {
        let [lower, upper, digit, sign] = self.0;
        match class {
            Class::Lower => lower,
            Class::Upper => upper,
            Class::Digit => digit,
            Class::Sign => sign,
        }
    }

    /// Each class with its count.
    pub fn each(self) -> impl Iterator<Item = (Class, u32)> {
        Class::ALL.into_iter().zip(self.0)
    }

    /// All of them together.
    pub fn sum(self) -> u32 {
        self.0.iter().sum()
    }

    /// The counts of a text.
    pub(super) fn in_text(text: &str) -> Self {
        Self(Class::ALL.map(|class| {
            let of_class = text
                .chars()
                .filter(|character| Class::of(*character) == class);
            u32::try_from(of_class.count()).unwrap_or(u32::MAX)
        }))
    }

    fn max(self, other: Self) -> Self {
        Self(Class::ALL.map(|class| self.of(class).max(other.of(class))))
    }
}

/// At least so many characters of each kind.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ClassCounts {
    /// Of each kind.
    pub at_least: Counts,
    /// The length that satisfies instead.
    pub unless_length: UnlessLength,
}

impl PasswordRule for ClassCounts {
    const ID: &'static str = "class_counts";

    fn stricter(self, other: Self) -> Self {
        Self {
            at_least: self.at_least.max(other.at_least),
            unless_length: self.unless_length.stricter(other.unless_length),
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        if self.unless_length.spares(candidate.len()) {
            return Outcome::Met;
        }
        let found = candidate.class_counts();
        let missing =
            Class::ALL.map(|class| self.at_least.of(class).saturating_sub(found.of(class)));
        let missing = Counts(missing);
        let reason = Reason::FewOfClass {
            missing,
            unless_length: self.unless_length.0,
        };
        Outcome::failed_if(missing.sum() > 0, reason)
    }
}
