//! On which lists a password stands: those that everybody tries first, the organisation's own, the breached ones; and
//! how soon it is guessed by whoever has them.

use super::{Candidate, Known, Outcome, PasswordRule};
use crate::password::{guesses::Guesses, verdict::Reason};

/// Not one of the passwords that everybody tries first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NotCommon;

impl PasswordRule for NotCommon {
    const ID: &'static str = "not_common";

    fn stricter(self, _: Self) -> Self {
        Self
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        Outcome::failed_if(candidate.is_common(), Reason::Common)
    }
}

/// Not on the organisation's own list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NotListed;

impl PasswordRule for NotListed {
    const ID: &'static str = "not_listed";

    fn stricter(self, _: Self) -> Self {
        Self
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        match candidate.facts().listed {
            Known::Now(listed) => Outcome::failed_if(listed, Reason::Listed),
            Known::Later => Outcome::Later,
        }
    }
}

/// What becomes of a password of which nobody can say whether it was breached.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WhenUnknown {
    /// It is taken.
    Accept,
    /// It is refused; the stricter of both.
    Refuse,
}

/// Whether a password stands in a collection of breached ones.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Breached {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// There is no collection, or it cannot be asked.
    Unknown,
}

/// Not among the breached passwords.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NotBreached {
    /// When nobody can say.
    pub when_unknown: WhenUnknown,
}

impl PasswordRule for NotBreached {
    const ID: &'static str = "not_breached";

    fn stricter(self, other: Self) -> Self {
        Self {
            when_unknown: self.when_unknown.max(other.when_unknown),
        }
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        match (candidate.facts().breached, self.when_unknown) {
            (Known::Later, _) => Outcome::Later,
            (Known::Now(Breached::Yes), _) => Outcome::Failed(Reason::Breached),
            (Known::Now(Breached::Unknown), WhenUnknown::Refuse) => {
                Outcome::Failed(Reason::BreachUnknown)
            }
            (Known::Now(Breached::No | Breached::Unknown), _) => Outcome::Met,
        }
    }
}

/// At least so many guesses for whoever tries words, names, dates and keyboards in the order of their use.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct GuessesMin(pub Guesses);

impl PasswordRule for GuessesMin {
    const ID: &'static str = "guesses_min";

    fn stricter(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    fn judge(self, candidate: &Candidate<'_>) -> Outcome {
        let Self(minimum) = self;
        match candidate.facts().guesses {
            Known::Now(found) => {
                Outcome::failed_if(found < minimum, Reason::Guessable { found, minimum })
            }
            Known::Later => Outcome::Later,
        }
    }
}
