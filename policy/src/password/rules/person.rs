//! What a password has to do with the person: their own data, the password that it replaces, those before.

use super::{Candidate, Known, Outcome, PasswordRule, Replaced};
use crate::password::{
    similarity,
    verdict::{OwnDatum, Reason},
};

/// Without the person's own login, name, address, organisation or the product's name.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct NotOwnData {
    /// Without this year's number, and those beside it, either.
    pub years: bool,
}

impl PasswordRule for NotOwnData {
    const ID: &'static str = "not_own_data";

    fn stricter(self, other: Self) -> Self {
        Self {
            years: self.years || other.years,
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let year = || (self.years && candidate.holds_year()).then_some(OwnDatum::Year);
        let datum = candidate.own_datum().or_else(year);
        datum.map_or(Outcome::Met, |datum| {
            Outcome::Failed(Reason::OwnData(datum))
        })
    }
}

/// Another one than the password that it replaces.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NotCurrent;

impl PasswordRule for NotCurrent {
    const ID: &'static str = "not_current";

    fn stricter(self, _: Self) -> Self {
        Self
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        match candidate.facts().is_current {
            Known::Now(is_current) => Outcome::failed_if(is_current, Reason::Current),
            Known::Later => Outcome::Later,
        }
    }
}

/// At least so many changes away from the password that it replaces.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NotSimilar {
    /// Characters that have to be put in, taken out or replaced; capitals and accents do not count.
    pub changes_min: u32,
}

impl PasswordRule for NotSimilar {
    const ID: &'static str = "not_similar";

    fn stricter(self, other: Self) -> Self {
        Self {
            changes_min: self.changes_min.max(other.changes_min),
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        match candidate.facts().replaced {
            Replaced::Later => Outcome::Later,
            Replaced::Nothing => Outcome::Met,
            Replaced::Password(old) => {
                let is_near =
                    similarity::is_nearer_than(self.changes_min, candidate.folded(), old.as_str());
                Outcome::failed_if(is_near, Reason::Similar)
            }
        }
    }
}

/// None of the last so many passwords of the account.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NotReused {
    /// How many: each costs a hash at each change.
    pub last: u32,
}

impl PasswordRule for NotReused {
    const ID: &'static str = "not_reused";

    fn stricter(self, other: Self) -> Self {
        Self {
            last: self.last.max(other.last),
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        match candidate.facts().is_reused {
            Known::Now(is_reused) => {
                Outcome::failed_if(is_reused, Reason::Reused { last: self.last })
            }
            Known::Later => Outcome::Later,
        }
    }
}
