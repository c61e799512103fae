//! The base rules: length, readable, not common, not the person's own data, entropy. No classes.

pub use super::own_data::OwnData;
use super::{
    common, entropy,
    opaque::{OpaquePassword, Unusable},
    verdict::{Finding, Reason, Rule, Verdict},
};

/// A set of rules, in the order in which people read them. What the security team tunes builds
/// another one of these; who judges does not change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PasswordRules {
    rules: Box<[Rule]>,
}

impl PasswordRules {
    /// The rules where the password is the only factor: 15 characters (NIST SP 800-63B-4,
    /// section 3.1.1.2; ANSSI PG-078, R21 "strong").
    pub fn alone() -> Self {
        Self::with_length_min(15)
    }

    /// The rules where a second factor is enforced: 12 characters (above the 8 of NIST; ANSSI
    /// PG-078, R21).
    pub fn beside_second_factor() -> Self {
        Self::with_length_min(12)
    }

    fn with_length_min(length_min: u32) -> Self {
        Self {
            rules: Box::new([
                Rule::LengthMin(length_min),
                Rule::LengthMax(OpaquePassword::LEN_MAX),
                Rule::Readable,
                Rule::NotCommon,
                Rule::NotOwnData,
                Rule::EntropyBitsMin(ENTROPY_BITS_MIN),
            ]),
        }
    }

    /// The rules, for a page that lists them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Judges what was typed: every rule, met or not, with figures. The text is judged in the form
    /// in which it would be hashed.
    pub fn judge(&self, typed: &str, own: &OwnData<'_>) -> Judged {
        let opaque = OpaquePassword::from_typed(typed);
        let findings = self.rules.iter().map(|&rule| {
            let failed = match &opaque {
                Ok(password) => failure(rule, password, own),
                Err(unusable) => failure_of_unusable(rule, *unusable),
            };
            Finding { rule, failed }
        });
        let verdict = Verdict::new(findings.collect::<Box<[_]>>());
        match opaque {
            Ok(password) if verdict.is_acceptable() => {
                Judged::Acceptable(AcceptedPassword(password), verdict)
            }
            _ => Judged::Refused(verdict),
        }
    }
}

/// What came of judging.
pub enum Judged {
    /// Every rule is met.
    Acceptable(AcceptedPassword, Verdict),
    /// Some are not.
    Refused(Verdict),
}

impl Judged {
    /// Each rule with what was found.
    pub fn into_verdict(self) -> Verdict {
        match self {
            Self::Acceptable(_, verdict) | Self::Refused(verdict) => verdict,
        }
    }
}

/// Evidence that a password met the rules: only [`PasswordRules::judge`] makes it, and only it can
/// become somebody's password.
pub struct AcceptedPassword(OpaquePassword);

impl AcceptedPassword {
    /// The bytes to hash.
    pub fn into_opaque(self) -> OpaquePassword {
        self.0
    }
}

/// CNIL, deliberation 2022-100, case 2: 50 bits where attempts are throttled. Above the length
/// rule it only ever bites on digits.
const ENTROPY_BITS_MIN: u32 = 50;

fn failure(rule: Rule, password: &OpaquePassword, own: &OwnData<'_>) -> Option<Reason> {
    let text = password.as_str();
    match rule {
        Rule::LengthMin(minimum) => {
            let missing = minimum.saturating_sub(password.len());
            (missing > 0).then_some(Reason::TooShort { missing, minimum })
        }
        Rule::LengthMax(maximum) => {
            (password.len() > maximum).then_some(Reason::TooLong { maximum })
        }
        // Whoever has the current password compares it; a text alone cannot tell.
        Rule::Readable | Rule::NotCurrent => None,
        Rule::NotCommon => common::is_common(text).then_some(Reason::Common),
        Rule::NotOwnData => own.held_by(text).map(Reason::OwnData),
        Rule::EntropyBitsMin(minimum_bits) => {
            let bits = entropy::millibits(text) / 1000;
            (bits < minimum_bits).then_some(Reason::TooUniform { bits, minimum_bits })
        }
    }
}

/// A text that is no password fails the one rule that says why, and no other: what cannot be
/// hashed is not worth judging further.
fn failure_of_unusable(rule: Rule, unusable: Unusable) -> Option<Reason> {
    match (rule, unusable) {
        (Rule::LengthMin(_), Unusable::Empty) => Some(Reason::Empty),
        (Rule::LengthMax(maximum), Unusable::TooLong) => Some(Reason::TooLong { maximum }),
        (Rule::Readable, Unusable::Unreadable) => Some(Reason::Unreadable),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
