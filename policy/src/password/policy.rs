//! A password policy: its rules and its times; and what several policies ask of one account together.

use super::{
    opaque::{OpaquePassword, Unusable},
    rules::{Candidate, Facts, LengthMax, OneRule, Outcome, Rule, RuleKind},
    times::Times,
    verdict::{Finding, Reason, Verdict},
};
use crate::id::{Role, TenantName};

/// What one policy says, in itself: the base for everybody, or what a role or a tenant asks on top of it.
///
/// Two policies together ask the stricter of each rule ([`Policy::stricter`]), which is associative, commutative and
/// idempotent: the order in which roles and tenants are looked at never matters.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// At most one of each kind, in the order of kinds.
    rules: Box<[Rule]>,
    times: Times,
}

impl Policy {
    /// A policy of these rules; where a kind is named twice, the stricter of both.
    pub fn new(rules: impl IntoIterator<Item = Rule>, times: Times) -> Self {
        let mut rules: Vec<Rule> = rules.into_iter().collect();
        rules.sort_by_key(|rule| rule.kind());
        rules.dedup_by(|next, kept| {
            *kept = kept.stricter(*next);
            kept.kind() == next.kind()
        });
        Self {
            rules: rules.into(),
            times,
        }
    }

    /// The rules about a password, in the order in which people read them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this kind.
    pub fn rule(&self, kind: RuleKind) -> Option<Rule> {
        let found = self.rules.binary_search_by_key(&kind, |rule| rule.kind());
        found.ok().and_then(|at| self.rules.get(at)).copied()
    }

    /// The figures of one rule.
    pub fn get<R: OneRule>(&self) -> Option<R> {
        self.rule(R::KIND).and_then(R::of)
    }

    /// The rules about when passwords change.
    pub const fn times(&self) -> &Times {
        &self.times
    }

    /// What both ask.
    #[must_use]
    pub fn stricter(&self, other: &Self) -> Self {
        let rules = self.rules.iter().chain(&other.rules).copied();
        Self::new(rules, self.times.stricter(other.times))
    }
}

/// Whose policy a rule comes from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Layer {
    /// Everybody's.
    Base,
    /// That of a role that the account has.
    Role(Role),
    /// That of the account's tenant.
    Tenant(TenantName),
}

/// What is asked of one account: the base, tightened by its roles and its tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Effective {
    rules: Box<[(Rule, Layer)]>,
    times: Times,
}

impl Effective {
    /// The base alone.
    pub fn base(base: &Policy) -> Self {
        let rules = base.rules.iter().map(|rule| (*rule, Layer::Base));
        Self {
            rules: rules.collect(),
            times: base.times,
        }
    }

    /// The same, tightened: a rule that another layer asks more strictly is that layer's from here on.
    #[must_use]
    pub fn tightened(self, layer: &Layer, policy: &Policy) -> Self {
        let mut rules = self.rules.into_vec();
        rules.extend(policy.rules.iter().map(|rule| (*rule, layer.clone())));
        // Stable: of two of a kind, the one that was there stands first.
        rules.sort_by_key(|(rule, _)| rule.kind());
        rules.dedup_by(|(next, from), (kept, layer)| {
            let both = kept.stricter(*next);
            if both != *kept {
                *kept = both;
                *layer = from.clone();
            }
            kept.kind() == next.kind()
        });
        Self {
            rules: rules.into(),
            times: self.times.stricter(policy.times),
        }
    }

    /// The rules about a password, each with whose it is, in the order in which people read them.
    pub fn rules(&self) -> &[(Rule, Layer)] {
        &self.rules
    }

    /// The rules about when passwords change.
    pub const fn times(&self) -> &Times {
        &self.times
    }

    /// Judges what was typed, in the form in which it would be hashed: every rule, met or not, with figures.
    pub fn judge(&self, typed: &str, facts: Facts<'_>) -> Judged {
        match OpaquePassword::from_typed(typed) {
            Ok(password) => {
                let verdict = self.verdict_on(&password, facts);
                if verdict.is_acceptable() {
                    Judged::Acceptable(AcceptedPassword(password), verdict)
                } else {
                    Judged::Refused(verdict)
                }
            }
            Err(unusable) => Judged::Refused(Verdict::unusable(self.reason_for(unusable))),
        }
    }

    /// The verdict alone, on a password that becomes nobody's by it.
    pub fn verdict_on(&self, password: &OpaquePassword, facts: Facts<'_>) -> Verdict {
        let candidate = Candidate::new(password, facts);
        let findings = self.rules.iter().map(|(rule, layer)| Finding {
            rule: *rule,
            layer: layer.clone(),
            outcome: rule.judge(&candidate),
        });
        Verdict::new(findings.collect::<Vec<_>>())
    }

    fn reason_for(&self, unusable: Unusable) -> Reason {
        match unusable {
            Unusable::Empty => Reason::Empty,
            Unusable::Unreadable => Reason::Unreadable,
            Unusable::TooLong => {
                let maximum = self.rules.iter().find_map(|(rule, _)| LengthMax::of(*rule));
                Reason::TooLong {
                    maximum: maximum.map_or(OpaquePassword::LEN_MAX, |LengthMax(length)| length),
                }
            }
        }
    }
}

/// What came of judging.
pub enum Judged {
    /// Every rule is met.
    Acceptable(AcceptedPassword, Verdict),
    /// Some are not, or cannot be told yet.
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

/// Evidence that a password met the rules: only [`Effective::judge`] makes it, and only it can become somebody's
/// password.
pub struct AcceptedPassword(OpaquePassword);

impl AcceptedPassword {
    /// The bytes to hash.
    pub fn into_opaque(self) -> OpaquePassword {
        self.0
    }
}

/// Whether a finding is one that stops a password.
pub(super) const fn stops(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Met)
}

#[cfg(test)]
mod tests;
