//! Reads what a password must be: the base, and the layers of roles and tenants.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use octroi_policy::password::{
    flaws::{Part, flaws},
    guesses::Guesses,
    policies::Policies,
    policy::Policy,
    presets::Preset,
    rules::{
        ClassCounts, Classes, Counts, DistinctMin, EntropyMin, GuessesMin, LengthMax, LengthMin,
        NotOwnData, NotSimilar, RepeatMax, Rule, RuleKind, SequenceMax, UnlessLength,
    },
    times::Times,
};
use toml::de::DeValue;

use crate::{
    reader::{Reader, Told},
    reference::{self, Section},
    source::At,
};

/// All policies; `None` where a figure is out of its bounds, which the reading has noted.
pub(super) fn policies(reader: Reader<'_>) -> Option<Policies> {
    let presets = [
        Preset::Shipped,
        Preset::SecondFactor,
        Preset::CnilCase1,
        Preset::CnilCase2,
    ];
    let preset = reader.choice("preset", &presets.map(|preset| (preset.id(), preset)));
    let said = said(reader);
    let by_role = layers(reader, "role", &reference::PASSWORD_ROLE);
    let by_tenant = layers(reader, "tenant", &reference::PASSWORD_TENANT);
    let (preset, said) = (preset?.policy(), said?);
    // What is said takes the place of the preset's rule of that kind, stricter or not; the floors are looked at below.
    let kept = preset
        .rules()
        .iter()
        .filter(|rule| !said.is_about(rule.kind()));
    let rules: Vec<Rule> = kept.chain(&said.rules).copied().collect();
    let base = Policy::new(rules, *preset.times());
    // Each figure was held to its bounds where it stands: what is left contradicts another one.
    for flaw in flaws(&base, Part::Base, false) {
        reader.reading().error(
            reader.at(),
            format!("`password` cannot be met or loosens a floor: {flaw:?}"),
            "see the reference for what goes together",
        );
    }
    Some(Policies {
        base,
        by_role: by_role?,
        by_tenant: by_tenant?,
    })
}

/// One table for each name.
fn layers<N: FromStr<Err: Display> + Ord>(
    reader: Reader<'_>,
    name: &'static str,
    section: &'static Section,
) -> Option<BTreeMap<N, Policy>> {
    let mut layers = BTreeMap::new();
    let Some(value) = reader.told(name) else {
        return Some(layers);
    };
    let DeValue::Table(tables) = value.get_ref() else {
        reader.refuse_type(At(value.span().start), name, value.get_ref());
        return None;
    };
    let mut is_whole = true;
    for (key, value) in tables {
        let text = Told {
            value: &**key.get_ref(),
            at: At(key.span().start),
        };
        let parsed = reader.parse::<N>(name, text);
        let DeValue::Table(table) = value.get_ref() else {
            reader.refuse_type(At(value.span().start), name, value.get_ref());
            is_whole = false;
            continue;
        };
        let layer = Reader::open(reader.reading(), section, table, At(key.span().start));
        match (parsed, said(layer)) {
            (Some(parsed), Some(said)) => {
                layers.insert(parsed.value, Policy::new(said.rules, Times::default()));
            }
            _ => is_whole = false,
        }
    }
    is_whole.then_some(layers)
}

/// What a table says: rules, and which rules it says are none.
struct Said {
    rules: Vec<Rule>,
    off: Vec<RuleKind>,
}

impl Said {
    fn is_about(&self, kind: RuleKind) -> bool {
        self.off.contains(&kind) || self.rules.iter().any(|rule| rule.kind() == kind)
    }
}

fn said(reader: Reader<'_>) -> Option<Said> {
    let mut said = Said {
        rules: Vec::new(),
        off: Vec::new(),
    };
    let mut figures = Figures {
        reader,
        is_whole: true,
    };
    let mut add = |rule: Option<Rule>| said.rules.extend(rule);
    add(figures
        .get("length_min")
        .map(|length| LengthMin(length).into()));
    add(figures
        .get("length_max")
        .map(|length| LengthMax(length).into()));
    add(figures.classes().map(Rule::from));
    add(figures.class_counts().map(Rule::from));
    add(figures
        .get("distinct_min")
        .map(|count| DistinctMin(count).into()));
    add(figures
        .get("repeat_max")
        .map(|count| RepeatMax(count).into()));
    add(figures
        .get("sequence_max")
        .map(|count| SequenceMax(count).into()));
    add(figures
        .get("changes_min")
        .map(|changes_min| NotSimilar { changes_min }.into()));
    match figures.get("entropy_bits_min") {
        Some(0) => said.off.push(RuleKind::EntropyMin),
        Some(bits) => said.rules.push(EntropyMin { bits }.into()),
        None => {}
    }
    match figures.get("guesses_log10_min") {
        Some(0) => said.off.push(RuleKind::GuessesMin),
        Some(log10) => {
            let guesses = Guesses::from_log10_millis(log10.saturating_mul(1000));
            said.rules.push(GuessesMin(guesses).into());
        }
        None => {}
    }
    let years = reader.told("years").map(|_| reader.boolean("years"));
    let own_data = reader.told("own_data").map(|_| reader.boolean("own_data"));
    match (own_data, years) {
        (Some(false), None | Some(false)) => said.off.push(RuleKind::NotOwnData),
        (Some(false), Some(true)) => {
            let why = "asks for what `own_data = false` takes away";
            reader.refuse(reader.at_key("years"), "years", why);
            figures.is_whole = false;
        }
        (Some(true), years) => {
            let years = years.unwrap_or(false);
            said.rules.push(NotOwnData { years }.into());
        }
        (None, Some(years)) => said.rules.push(NotOwnData { years }.into()),
        (None, None) => {}
    }
    figures.is_whole.then_some(said)
}

/// The figures of a table, and whether all that were said could be read.
struct Figures<'d> {
    reader: Reader<'d>,
    is_whole: bool,
}

impl Figures<'_> {
    /// A figure, where it is said.
    fn get(&mut self, name: &str) -> Option<u32> {
        self.reader.told(name)?;
        let figure = self.reader.integer(name);
        self.is_whole &= figure.is_some();
        figure
    }

    /// The length that spares, which says nothing without what it spares from.
    fn unless_length(&mut self, name: &str, is_needed: bool, needed: &str) -> UnlessLength {
        let length = self.get(name);
        if length.is_some() && !is_needed {
            let why = format!("spares nobody from anything without {needed}");
            self.reader.refuse(self.reader.at_key(name), name, why);
            self.is_whole = false;
        }
        UnlessLength(length)
    }

    fn classes(&mut self) -> Option<Classes> {
        let at_least = self.get("classes_min");
        let said = self.reader.place_of("classes_min").is_some();
        let unless_length = self.unless_length("classes_unless_length", said, "`classes_min`");
        at_least.map(|at_least| Classes {
            at_least,
            unless_length,
        })
    }

    fn class_counts(&mut self) -> Option<ClassCounts> {
        let names = ["lower_min", "upper_min", "digits_min", "signs_min"];
        let counts = names.map(|name| self.get(name).unwrap_or(0));
        let said = names
            .iter()
            .any(|name| self.reader.place_of(name).is_some());
        let needed = "`lower_min`, `upper_min`, `digits_min` or `signs_min`";
        let unless_length = self.unless_length("counts_unless_length", said, needed);
        said.then(|| ClassCounts {
            at_least: Counts::new(counts),
            unless_length,
        })
    }
}

#[cfg(test)]
mod tests;
