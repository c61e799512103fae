//! How varied a password is: different characters, repeats, runs along keyboards, formal entropy.

use super::{Candidate, Outcome, PasswordRule};
use crate::password::{entropy, runs, verdict::Reason};

/// At least so many different characters; capital and small letters are one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DistinctMin(pub u32);

impl PasswordRule for DistinctMin {
    const ID: &'static str = "distinct_min";

    fn stricter(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let Self(minimum) = self;
        let mut different = candidate.folded().to_vec();
        different.sort_unstable();
        different.dedup();
        let found = u32::try_from(different.len()).unwrap_or(u32::MAX);
        Outcome::failed_if(found < minimum, Reason::FewDistinct { found, minimum })
    }
}

/// At most so many equal characters in a row.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RepeatMax(pub u32);

impl PasswordRule for RepeatMax {
    const ID: &'static str = "repeat_max";

    fn stricter(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let Self(maximum) = self;
        let longest = runs::longest_repeat(candidate.folded());
        Outcome::failed_if(longest > maximum, Reason::Repeats { maximum })
    }
}

/// At most so many characters in a row along the alphabet, the digits or a row of an AZERTY, QWERTZ or QWERTY
/// keyboard, forwards or backwards.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SequenceMax(pub u32);

impl PasswordRule for SequenceMax {
    const ID: &'static str = "sequence_max";

    fn stricter(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let Self(maximum) = self;
        let longest = runs::longest_sequence(candidate.folded());
        Outcome::failed_if(longest > maximum, Reason::Runs { maximum })
    }
}

/// Formal entropy of at least so many bits, as the CNIL counts it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct EntropyMin {
    /// Whole bits.
    pub bits: u32,
}

impl PasswordRule for EntropyMin {
    const ID: &'static str = "entropy_min";

    fn stricter(self, other: Self) -> Self {
        Self {
            bits: self.bits.max(other.bits),
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let bits = entropy::millibits(candidate.text()) / 1000;
        let reason = Reason::TooUniform {
            bits,
            minimum_bits: self.bits,
        };
        Outcome::failed_if(bits < self.bits, reason)
    }
}
