//! What is said of a password: each rule, whether it is met, and the figures that a page shows.

use super::{
    guesses::Guesses,
    policy::{Layer, stops},
    rules::{Counts, Outcome, Rule},
};

/// Why a rule is not met, with the figures for the sentence that says so.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing was typed.
    Empty,
    /// Characters are missing.
    TooShort {
        /// How many are missing.
        missing: u32,
        /// How many are needed.
        minimum: u32,
    },
    /// There are more characters than are taken.
    TooLong {
        /// How many are taken.
        maximum: u32,
    },
    /// It holds a control character or an unassigned code point.
    Unreadable,
    /// It is one of the passwords that everybody tries first.
    Common,
    /// It holds something that is known of the person.
    OwnData(OwnDatum),
    /// Too few different kinds of characters for its length.
    TooUniform {
        /// Its formal entropy, rounded down.
        bits: u32,
        /// How much is needed.
        minimum_bits: u32,
    },
    /// It holds characters of too few kinds.
    FewClasses {
        /// Of how many.
        found: u32,
        /// Of how many it must.
        minimum: u32,
        /// The length that would satisfy instead.
        unless_length: Option<u32>,
    },
    /// It holds too few characters of some kind.
    FewOfClass {
        /// How many more of each.
        missing: Counts,
        /// The length that would satisfy instead.
        unless_length: Option<u32>,
    },
    /// It holds too few different characters.
    FewDistinct {
        /// How many.
        found: u32,
        /// How many it must.
        minimum: u32,
    },
    /// A character stands too often in a row.
    Repeats {
        /// How often it may.
        maximum: u32,
    },
    /// It runs along a keyboard, the alphabet or the digits for too long.
    Runs {
        /// How many characters it may.
        maximum: u32,
    },
    /// Whoever tries what people choose finds it too soon.
    Guessable {
        /// With so many guesses.
        found: Guesses,
        /// How many it must take.
        minimum: Guesses,
    },
    /// It stands on the organisation's own list.
    Listed,
    /// It was breached somewhere, and stands in the collections of those who guess.
    Breached,
    /// Nobody can say at present whether it was breached.
    BreachUnknown,
    /// It is the password that is to be replaced.
    Current,
    /// It is too near to the password that it replaces.
    Similar,
    /// It was the account's before.
    Reused {
        /// Of how many passwords it must not be one.
        last: u32,
    },
}

/// Which of the person's own data a password holds; never the part itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OwnDatum {
    /// What stands before the `@` of the e-mail address.
    Email,
    /// A host of this installation.
    Host,
    /// The login.
    Login,
    /// A part of the person's name.
    Name,
    /// The name of the product.
    Product,
    /// The organisation.
    Tenant,
    /// This year, the last or the next.
    Year,
}

/// One rule and what was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Whose it is.
    pub layer: Layer,
    /// What was found.
    pub outcome: Outcome,
}

/// All rules in rule order, each with what was found; or why the text can be no password at all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    unusable: Option<Reason>,
    findings: Box<[Finding]>,
}

impl Verdict {
    /// The verdict that these findings make.
    pub fn new(findings: impl Into<Box<[Finding]>>) -> Self {
        Self {
            unusable: None,
            findings: findings.into(),
        }
    }

    /// The verdict on a text that can be no password: what cannot be hashed is not worth judging further.
    pub fn unusable(reason: Reason) -> Self {
        Self {
            unusable: Some(reason),
            findings: Box::default(),
        }
    }

    /// Whether every rule is met.
    pub fn is_acceptable(&self) -> bool {
        let is_met = |finding: &Finding| !stops(finding.outcome);
        self.unusable.is_none() && self.findings.iter().all(is_met)
    }

    /// Why the text can be no password at all, if so.
    pub const fn unusable_for(&self) -> Option<Reason> {
        self.unusable
    }

    /// Every rule, in rule order; none where the text can be no password.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Why it is not acceptable: all reasons, in rule order.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> {
        let failed = self
            .findings
            .iter()
            .filter_map(|finding| match finding.outcome {
                Outcome::Failed(reason) => Some(reason),
                Outcome::Met | Outcome::Later => None,
            });
        self.unusable.into_iter().chain(failed)
    }
}
