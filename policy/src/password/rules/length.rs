//! How long a password is.

use super::{Candidate, Outcome, PasswordRule};
use crate::password::verdict::Reason;

/// At least this many code points.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LengthMin(pub u32);

impl PasswordRule for LengthMin {
    const ID: &'static str = "length_min";

    fn stricter(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let Self(minimum) = self;
        let missing = minimum.saturating_sub(candidate.len());
        Outcome::failed_if(missing > 0, Reason::TooShort { missing, minimum })
    }
}

/// At most this many code points. Never under 64 (NIST SP 800-63B-4, section 3.1.1.2; ASVS 6.2.9).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LengthMax(pub u32);

impl PasswordRule for LengthMax {
    const ID: &'static str = "length_max";

    fn stricter(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let Self(maximum) = self;
        Outcome::failed_if(candidate.len() > maximum, Reason::TooLong { maximum })
    }
}
