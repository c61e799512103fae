//! What pages say of password rules: each as it is listed before anything is typed, and each as it is broken, with what
//! is missing and how to mend it. Never the password, nor the part of it that matched.

use octroi_policy::password::{
    policy::Layer,
    rules::{Class, Classes, Counts, Outcome, Rule, UnlessLength},
    verdict::{OwnDatum, Reason, Verdict},
};

use super::{parts::Problem, texts::Texts};

/// Every rule that the password breaks, in rule order, each with the way to mend it and whose rule it is.
pub(super) fn failed_rules(texts: &Texts, verdict: &Verdict) -> Vec<Problem> {
    let problem = |text| Problem { field: "new", text };
    let unusable = verdict
        .unusable_for()
        .map(|reason| problem(broken(texts, reason)));
    let failed = verdict
        .findings()
        .iter()
        .filter_map(|finding| match finding.outcome {
            Outcome::Failed(reason) => Some(problem(with_layer(
                texts,
                broken(texts, reason),
                &finding.layer,
            ))),
            Outcome::Met | Outcome::Later => None,
        });
    unusable.into_iter().chain(failed).collect()
}

/// The rules as the page lists them before anything is typed: those that a person can act upon.
pub(super) fn rule_texts(texts: &Texts, rules: &[(Rule, Layer)]) -> Vec<String> {
    let listed = rules.iter().filter_map(|(rule, layer)| {
        let text = listed(texts, *rule)?;
        Some(with_layer(texts, text, layer))
    });
    listed.collect()
}

/// The sentence, and whose rule it is where it is not everybody's.
fn with_layer(texts: &Texts, text: String, layer: &Layer) -> String {
    match layer {
        Layer::Base => text,
        Layer::Role(_) => format!("{text} {}", texts.get("rule-of-role")),
        Layer::Tenant(_) => format!("{text} {}", texts.get("rule-of-tenant")),
    }
}

/// A rule before anything is typed; `None` for those that hardly anybody ever breaks.
fn listed(texts: &Texts, rule: Rule) -> Option<String> {
    let number = |key: &str, n: u32| texts.with(key, "n", u64::from(n));
    Some(match rule {
        Rule::LengthMin(least) => number("rule-length", least.0),
        Rule::Classes(Classes {
            at_least,
            unless_length: UnlessLength(unless),
        }) => or_length(texts, number("rule-classes", at_least), unless),
        Rule::ClassCounts(counts) => {
            let text = texts.with("rule-counts", "list", &*class_list(texts, counts.at_least));
            or_length(texts, text, counts.unless_length.0)
        }
        Rule::DistinctMin(least) => number("rule-distinct", least.0),
        Rule::RepeatMax(most) => number("rule-repeats", most.0),
        Rule::SequenceMax(most) => number("rule-runs", most.0),
        Rule::GuessesMin(_) => texts.get("rule-guesses"),
        Rule::NotCommon(_) => texts.get("rule-common"),
        Rule::NotListed(_) => texts.get("rule-listed"),
        Rule::NotBreached(_) => texts.get("rule-breached"),
        Rule::NotOwnData(own) => texts.get(if own.years {
            "rule-own-years"
        } else {
            "rule-own"
        }),
        Rule::NotSimilar(_) => texts.get("rule-similar"),
        Rule::NotReused(reused) => number("rule-reused", reused.last),
        Rule::EntropyMin(least) => number(
            "rule-digits",
            least.bits.saturating_mul(1000).div_ceil(DIGIT_MILLIBITS),
        ),
        Rule::LengthMax(_) | Rule::NotCurrent(_) => return None,
    })
}

/// A rule that is broken.
fn broken(texts: &Texts, reason: Reason) -> String {
    let number = |key: &str, n: u32| texts.with(key, "n", u64::from(n));
    match reason {
        Reason::Empty => texts.get("new-empty"),
        Reason::TooShort { missing, minimum } => texts.fill(
            "failed-short",
            [
                ("missing", u64::from(missing).into()),
                ("min", u64::from(minimum).into()),
            ],
        ),
        Reason::TooLong { maximum } => texts.with("failed-long", "max", u64::from(maximum)),
        Reason::Unreadable => texts.get("failed-characters"),
        Reason::FewClasses {
            minimum,
            unless_length,
            ..
        } => or_length(texts, number("failed-classes", minimum), unless_length),
        Reason::FewOfClass {
            missing,
            unless_length,
        } => {
            let text = texts.with("failed-counts", "list", &*class_list(texts, missing));
            or_length(texts, text, unless_length)
        }
        Reason::FewDistinct { minimum, .. } => number("failed-distinct", minimum),
        Reason::Repeats { maximum } => number("failed-repeats", maximum),
        Reason::Runs { maximum } => number("failed-runs", maximum),
        Reason::Guessable { .. } => texts.get("failed-guesses"),
        Reason::Common => texts.get("failed-common"),
        Reason::OwnData(OwnDatum::Year) => texts.get("failed-year"),
        Reason::OwnData(_) => texts.get("failed-own"),
        Reason::Listed => texts.get("failed-listed"),
        Reason::Breached => texts.get("failed-breached"),
        Reason::BreachUnknown => texts.get("failed-breach-unknown"),
        Reason::Current => texts.get("failed-same"),
        Reason::Similar => texts.get("failed-similar"),
        Reason::Reused { last } => number("failed-reused", last),
        // A rule without words of its own is still a rule that is not met.
        Reason::TooUniform { .. } | _ => texts.get("failed-simple"),
    }
}

/// log2 of 10 in thousandths, rounded down: what a digit gives of formal entropy, as the CNIL counts it.
const DIGIT_MILLIBITS: u32 = 3321;

/// "3 digits, 1 capital", each where there is one.
fn class_list(texts: &Texts, counts: Counts) -> String {
    let wanted = counts.each().filter(|(_, count)| *count > 0);
    let words = wanted.map(|(class, count)| {
        let key = match class {
            Class::Lower => "class-lower",
            Class::Upper => "class-upper",
            Class::Digit => "class-digit",
            Class::Sign => "class-sign",
        };
        texts.with(key, "n", u64::from(count))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// And the length that satisfies instead.
fn or_length(texts: &Texts, text: String, unless: Option<u32>) -> String {
    match unless {
        Some(enough) => format!(
            "{text} {}",
            texts.with("rule-or-length", "n", u64::from(enough))
        ),
        None => text,
    }
}

#[cfg(test)]
mod tests;
