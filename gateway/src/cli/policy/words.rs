//! Rules and clauses in the operator's words.

use std::fmt;

use octroi_policy::password::{
    rules::{Counts, Rule, UnlessLength, WhenUnknown},
    standards::{Change, ClauseResult, Figure, Finding, Standard, Unit},
};
use serde::Serialize;

use crate::admin;

/// A rule with its figures.
pub(super) fn rule_in_words(rule: Rule) -> String {
    match rule {
        Rule::LengthMin(least) => format!("at least {} characters", least.0),
        Rule::LengthMax(most) => format!("at most {} characters", most.0),
        Rule::Classes(classes) => {
            let text = format!("characters of at least {} of four kinds", classes.at_least);
            unless(text, classes.unless_length)
        }
        Rule::ClassCounts(counts) => {
            let text = format!("at least {}", counts_in_words(counts.at_least));
            unless(text, counts.unless_length)
        }
        Rule::DistinctMin(least) => format!("at least {} different characters", least.0),
        Rule::RepeatMax(most) => format!("the same character {} times in a row at most", most.0),
        Rule::SequenceMax(most) => format!(
            "at most {} characters in a row along keyboard, alphabet or digits",
            most.0
        ),
        Rule::EntropyMin(least) => format!("formal entropy of at least {} bits", least.bits),
        Rule::GuessesMin(least) => format!("at least {} guesses", least.0),
        Rule::NotCommon(_) => "not one of the passwords that everybody tries first".to_owned(),
        Rule::NotListed(_) => "not on the organisation's own list".to_owned(),
        Rule::NotBreached(rule) => match rule.when_unknown {
            WhenUnknown::Accept => "not known to be breached".to_owned(),
            WhenUnknown::Refuse => "known not to be breached".to_owned(),
        },
        Rule::NotOwnData(rule) if rule.years => {
            "without the person's own data, and without this year's number".to_owned()
        }
        Rule::NotOwnData(_) => "without the person's own data".to_owned(),
        Rule::NotCurrent(_) => "another one than now".to_owned(),
        Rule::NotSimilar(rule) => format!(
            "at least {} characters from the one that it replaces",
            rule.changes_min
        ),
        Rule::NotReused(rule) => format!("none of the last {}", rule.last),
    }
}

fn unless(text: String, UnlessLength(length): UnlessLength) -> String {
    match length {
        Some(length) => format!("{text}, unless it has {length} characters"),
        None => text,
    }
}

fn counts_in_words(counts: Counts) -> String {
    let wanted = counts.each().filter(|(_, count)| *count > 0);
    let words = wanted.map(|(class, count)| format!("{count} {}", admin::class_name(class)));
    words.collect::<Vec<_>>().join(", ")
}

/// One clause, and whether it is met.
#[derive(Serialize)]
pub(super) struct ShownClause {
    standard: String,
    clause: &'static str,
    id: &'static str,
    /// `met`, `not met`, `goes against` or `not applicable`.
    result: &'static str,
    /// What is there and what is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    figure: Option<String>,
    /// What would meet it.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
}

/// A clause in words.
pub(super) fn clause_in_words(finding: &Finding) -> ShownClause {
    let (result, figure, change) = match finding.result {
        ClauseResult::Met(figure) => ("met", figure_in_words(figure), None),
        ClauseResult::NotMet(figure, change) => ("not met", figure_in_words(figure), Some(change)),
        ClauseResult::Against(change) => ("goes against", None, Some(change)),
        ClauseResult::NotApplicable => ("not applicable", None, None),
    };
    ShownClause {
        standard: standard_in_words(finding.standard),
        clause: finding.clause,
        id: finding.id,
        result,
        figure,
        change: change.map(change_in_words),
    }
}

fn standard_in_words(standard: Standard) -> String {
    match standard {
        Standard::Cnil => "CNIL 2022-100".to_owned(),
        Standard::Anssi => "ANSSI-PG-078".to_owned(),
        Standard::Nist => "NIST SP 800-63B-4".to_owned(),
        Standard::Asvs { level } => format!("OWASP ASVS 5.0, L{level}"),
        Standard::Bsi => "BSI".to_owned(),
    }
}

fn figure_in_words(figure: Figure) -> Option<String> {
    let Figure::Of {
        found,
        wanted,
        unit,
    } = figure
    else {
        return None;
    };
    let unit = match unit {
        Unit::Characters => "characters",
        Unit::Bits => "bits",
        Unit::Attempts => "attempts",
        Unit::Seconds => "seconds",
        Unit::Days => "days",
    };
    // No bound at all is told as such, and not as the greatest number.
    let found = (found != u32::MAX).then(|| found.to_string());
    let found = found.as_deref().unwrap_or("unbounded");
    Some(format!("{found}, asked: {wanted} {unit}"))
}

fn change_in_words(change: Change) -> String {
    match change {
        Change::Set(rule) => rule_in_words(rule),
        Change::Remove(kind) => format!("without `{}`", kind.id()),
        Change::RemoveAge => "without a maximum age that forces".to_owned(),
        Change::SetAge(days) => format!("a maximum age of {days} days"),
        Change::Throttle => "stronger limits on attempts".to_owned(),
        Change::SecondFactor => "a second factor".to_owned(),
    }
}

impl fmt::Display for ShownClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            standard,
            clause,
            result,
            figure,
            change,
            ..
        } = self;
        write!(f, "{result:<14} {standard:<19} {clause}")?;
        if let Some(figure) = figure {
            write!(f, " ({figure})")?;
        }
        if let Some(change) = change {
            write!(f, "; would meet it: {change}")?;
        }
        Ok(())
    }
}
