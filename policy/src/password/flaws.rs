//! What is wrong with a policy before anybody meets it: figures out of bounds, floors loosened, rules that contradict
//! each other, and what would keep everybody out. Each with the nearest that works.

use super::{
    opaque::OpaquePassword,
    policy::Policy,
    rules::{
        ClassCounts, Classes, DistinctMin, EntropyMin, GuessesMin, LengthMax, LengthMin,
        NotBreached, NotReused, NotSimilar, RepeatMax, Rule, RuleKind, SequenceMax, WhenUnknown,
    },
    times::{AgeMax, AgeMin, ChangesPerDay, ProvisionalLife, Times},
};

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// A figure is out of its bounds.
    OutOfBounds {
        /// The rule's id and, after a point, the figure's where the rule has several.
        figure: &'static str,
        /// What it says.
        found: u32,
        /// What it may say at the least.
        least: u32,
        /// And at the most.
        most: u32,
    },
    /// The base has to have this rule.
    Missing(RuleKind),
    /// No password can meet both.
    Unmeetable {
        /// The figure that asks for more.
        figure: &'static str,
        /// What it asks.
        found: u32,
        /// The figure that gives less.
        against: &'static str,
        /// The most that `figure` can ask beside it.
        nearest: u32,
    },
    /// Nobody could choose a password: there is nothing that says which were breached, and without it all are refused.
    NobodyCanTell,
    /// A password would have to be changed before its owner may change it.
    ForcedTooSoon {
        /// The most hours that the least age may have.
        nearest_hours: u32,
    },
}

/// What a policy is for, as far as flaws go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// For everybody: it must hold all floors itself.
    Base,
    /// On top of the base, which holds the floors.
    Layer,
}

/// All that is wrong with a policy; nothing where it can be used.
///
/// `knows_breached` says whether there is a collection of breached passwords to ask.
pub fn flaws(policy: &Policy, part: Part, knows_breached: bool) -> Vec<Flaw> {
    let mut flaws: Vec<Flaw> = policy
        .rules()
        .iter()
        .filter_map(|rule| bounds(*rule))
        .collect();
    if part == Part::Base {
        let is_missing = |kind: &&RuleKind| policy.rule(**kind).is_none();
        let missing = REQUIRED.iter().filter(is_missing);
        flaws.extend(missing.map(|kind| Flaw::Missing(*kind)));
    }
    flaws.extend(unmeetable(policy));
    let refuses_unknown = |rule: NotBreached| rule.when_unknown == WhenUnknown::Refuse;
    if policy.get().is_some_and(refuses_unknown) && !knows_breached {
        flaws.push(Flaw::NobodyCanTell);
    }
    flaws.extend(times_flaws(policy.times()));
    flaws
}

/// A floor that no setting lowers: eight characters (NIST SP 800-63B-4, section 3.1.1.2, beside a second factor; ASVS
/// 6.2.1), and room for 64 (the same section; ASVS 6.2.9).
pub const LENGTH_MIN_FLOOR: u32 = 8;
/// See [`LENGTH_MIN_FLOOR`].
pub const LENGTH_MAX_FLOOR: u32 = 64;

/// Every base has these: a minimum and a maximum length, the common passwords (NIST: SHALL), another one than now.
const REQUIRED: &[RuleKind] = &[
    RuleKind::LengthMin,
    RuleKind::LengthMax,
    RuleKind::NotCommon,
    RuleKind::NotCurrent,
];

/// The one figure of a rule that is out of bounds, if any.
fn bounds(rule: Rule) -> Option<Flaw> {
    let within = |figure, found, least, most| {
        let is_within = (least..=most).contains(&found);
        (!is_within).then_some(Flaw::OutOfBounds {
            figure,
            found,
            least,
            most,
        })
    };
    match rule {
        Rule::LengthMin(LengthMin(length)) => within("length_min", length, LENGTH_MIN_FLOOR, 64),
        Rule::LengthMax(LengthMax(length)) => within(
            "length_max",
            length,
            LENGTH_MAX_FLOOR,
            OpaquePassword::LEN_MAX,
        ),
        Rule::Classes(Classes { at_least, .. }) => within("classes.at_least", at_least, 2, 4),
        Rule::ClassCounts(ClassCounts { at_least, .. }) => {
            within("class_counts", at_least.sum(), 1, LENGTH_MAX_FLOOR)
        }
        Rule::DistinctMin(DistinctMin(count)) => within("distinct_min", count, 2, 16),
        Rule::RepeatMax(RepeatMax(count)) => within("repeat_max", count, 1, 16),
        Rule::SequenceMax(SequenceMax(count)) => within("sequence_max", count, 2, 16),
        Rule::EntropyMin(EntropyMin { bits }) => within("entropy_min", bits, 1, 128),
        Rule::GuessesMin(GuessesMin(guesses)) => {
            within("guesses_min", guesses.log10_tenths(), 10, 200)
        }
        Rule::NotSimilar(NotSimilar { changes_min }) => {
            within("not_similar.changes_min", changes_min, 2, 16)
        }
        Rule::NotReused(NotReused { last }) => within("not_reused.last", last, 1, 10),
        Rule::NotCommon(_)
        | Rule::NotListed(_)
        | Rule::NotBreached(_)
        | Rule::NotOwnData(_)
        | Rule::NotCurrent(_) => None,
    }
}

/// Rules that no password of the greatest length can meet together.
fn unmeetable(policy: &Policy) -> impl Iterator<Item = Flaw> {
    let room = policy
        .get()
        .map_or(OpaquePassword::LEN_MAX, |LengthMax(length)| length);
    let asked = [
        policy.get().map(|LengthMin(length)| ("length_min", length)),
        policy
            .get()
            .map(|ClassCounts { at_least, .. }| ("class_counts", at_least.sum())),
        policy
            .get()
            .map(|DistinctMin(count)| ("distinct_min", count)),
    ];
    let asked = asked.into_iter().flatten();
    asked
        .filter(move |(_, found)| *found > room)
        .map(move |(figure, found)| Flaw::Unmeetable {
            figure,
            found,
            against: "length_max",
            nearest: room,
        })
}

fn times_flaws(times: &Times) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut within = |figure, found, least, most| {
        if !(least..=most).contains(&found) {
            flaws.push(Flaw::OutOfBounds {
                figure,
                found,
                least,
                most,
            });
        }
    };
    if let Some(AgeMax {
        days, warning_days, ..
    }) = times.age_max
    {
        within("age_max.days", days, AGE_DAYS_MIN, AGE_DAYS_MAX);
        within(
            "age_max.warning_days",
            warning_days,
            0,
            days.saturating_sub(1),
        );
    }
    if let Some(AgeMin { hours }) = times.age_min {
        within("age_min.hours", hours, 1, AGE_MIN_HOURS_MAX);
    }
    if let Some(ProvisionalLife { hours }) = times.provisional_life {
        within("provisional_life.hours", hours, 1, PROVISIONAL_HOURS_MAX);
    }
    if let Some(ChangesPerDay(count)) = times.changes_per_day {
        within("changes_per_day", count, 1, CHANGES_PER_DAY_MAX);
    }
    if let (Some(AgeMax { days, .. }), Some(AgeMin { hours })) = (times.age_max, times.age_min) {
        let age_hours = days.saturating_mul(24);
        if hours >= age_hours {
            let nearest_hours = age_hours.saturating_sub(1).min(AGE_MIN_HOURS_MAX);
            flaws.push(Flaw::ForcedTooSoon { nearest_hours });
        }
    }
    flaws
}

/// A password that has to change more often than each fortnight is written down.
const AGE_DAYS_MIN: u32 = 14;
/// Ten years.
const AGE_DAYS_MAX: u32 = 3653;
/// A week: whoever saw their password leak must not wait longer; an administrator can always reset it.
const AGE_MIN_HOURS_MAX: u32 = 168;
/// A password that somebody else chose is good for a day at most.
const PROVISIONAL_HOURS_MAX: u32 = 24;
/// More is none.
const CHANGES_PER_DAY_MAX: u32 = 100;

#[cfg(test)]
mod tests;
