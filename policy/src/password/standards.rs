//! Which clauses of which texts a policy meets, fails, or goes against: computed, with the figures.
//!
//! The texts: CNIL deliberation 2022-100, ANSSI-PG-078 v2.0 (2021), NIST SP 800-63B-4, OWASP ASVS 5.0, BSI
//! IT-Grundschutz ORP.4 and the BSI's advice to citizens. Clauses that a policy cannot decide, such as how hashes are
//! kept, are not here: the product does them in one way only.

mod clauses;
mod entropy;

use self::clauses::CLAUSES;
pub use self::entropy::guaranteed_millibits;
use super::{
    policy::Policy,
    rules::{Rule, RuleKind},
};

/// A text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Standard {
    /// CNIL, deliberation 2022-100 of 21 July 2022.
    Cnil,
    /// ANSSI-PG-078 v2.0 of 8 October 2021.
    Anssi,
    /// NIST SP 800-63B-4.
    Nist,
    /// OWASP ASVS 5.0, by level.
    Asvs {
        /// 1 to 3.
        level: u8,
    },
    /// BSI: IT-Grundschutz ORP.4, and its advice on passwords.
    Bsi,
}

/// What counts beside the rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Circumstances {
    /// Whether whoever is under the policy must present a second factor.
    pub second_factor: bool,
    /// Whether those under the policy are administrators.
    pub privileged: bool,
    /// How attempts are limited.
    pub throttle: ThrottleFigures,
}

/// How attempts are limited, as far as the texts ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThrottleFigures {
    /// How many seconds the next attempt waits after five failures.
    pub delay_after_5_seconds: u32,
    /// How many attempts an account and source have within 24 hours.
    pub attempts_per_day: u32,
    /// How many consecutive failures close the password until it is reset; `None` where none does.
    pub consecutive_max: Option<u32>,
}

/// What is said of one clause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Whose clause.
    pub standard: Standard,
    /// Its number in the text.
    pub clause: &'static str,
    /// The stable id of the sentence that says what it asks.
    pub id: &'static str,
    /// Whether the policy meets it.
    pub result: ClauseResult,
}

/// Whether a clause is met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClauseResult {
    /// It is.
    Met(Figure),
    /// It is not; this would meet it.
    NotMet(Figure, Change),
    /// The policy does what the clause says not to do; taking it away would meet it.
    Against(Change),
    /// It asks nothing here.
    NotApplicable,
}

/// The figure that a clause is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Figure {
    /// None: it is there, or it is not.
    Plain,
    /// So much of so much.
    Of {
        /// What the policy has.
        found: u32,
        /// What the clause asks.
        wanted: u32,
        /// In which unit.
        unit: Unit,
    },
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Unit {
    /// Code points.
    Characters,
    /// Bits of formal entropy.
    Bits,
    /// Attempts.
    Attempts,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
}

/// What would meet a clause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// This rule, or its stricter form.
    Set(Rule),
    /// Without this rule.
    Remove(RuleKind),
    /// Without a maximum age that forces.
    RemoveAge,
    /// A maximum age of so many days.
    SetAge(u32),
    /// Stronger limits on attempts: no rule of the policy.
    Throttle,
    /// A second factor for whoever is under the policy.
    SecondFactor,
}

/// Every clause, and whether the policy meets it.
pub fn findings(policy: &Policy, circumstances: &Circumstances) -> Vec<Finding> {
    let judged = CLAUSES.iter().map(|clause| Finding {
        standard: clause.standard,
        clause: clause.number,
        id: clause.id,
        result: (clause.judge)(policy, circumstances),
    });
    judged.collect()
}

/// Whether no clause of a text, up to this level, is failed or gone against.
pub fn meets(policy: &Policy, circumstances: &Circumstances, standard: Standard) -> bool {
    let counts = |of: Standard| match (standard, of) {
        (Standard::Asvs { level: up_to }, Standard::Asvs { level }) => level <= up_to,
        (one, other) => one == other,
    };
    let is_good = |finding: &Finding| {
        matches!(
            finding.result,
            ClauseResult::Met(_) | ClauseResult::NotApplicable
        )
    };
    let findings = findings(policy, circumstances);
    // The CNIL's three cases are alternatives.
    let (cases, others): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .filter(|finding| counts(finding.standard))
        .partition(|finding| finding.id.starts_with("cnil-case-"));
    let has_case = cases.is_empty()
        || cases
            .iter()
            .any(|finding| matches!(finding.result, ClauseResult::Met(_)));
    has_case && others.into_iter().all(is_good)
}

#[cfg(test)]
mod tests;
