//! The clauses, one by one: what each asks, and how a policy is held against it.

use super::{Change, Circumstances, ClauseResult, Figure, Standard, Unit, guaranteed_millibits};
use crate::password::{
    flaws::{LENGTH_MAX_FLOOR, LENGTH_MIN_FLOOR},
    opaque::OpaquePassword,
    policy::Policy,
    rules::{Classes, EntropyMin, LengthMax, LengthMin, NotCommon, NotOwnData, Rule, RuleKind},
    times::{AgeMax, WhenOld},
};

/// One clause.
pub(super) struct Clause {
    pub(super) standard: Standard,
    pub(super) number: &'static str,
    pub(super) id: &'static str,
    pub(super) judge: fn(&Policy, &Circumstances) -> ClauseResult,
}

/// Clauses in the order of their texts.
pub(super) const CLAUSES: &[Clause] = &[
    of(Standard::Cnil, "cas 1", "cnil-case-1", |policy, _| {
        cnil_bits(policy, 80, |length, kinds| {
            (length >= 12 && kinds >= 4) || (length >= 14 && kinds >= 3)
        })
    }),
    of(Standard::Cnil, "cas 2", "cnil-case-2", cnil_case_2),
    of(Standard::Cnil, "cas 3", "cnil-case-3", |_, _| {
        ClauseResult::NotApplicable
    }),
    of(
        Standard::Cnil,
        "renouvellement",
        "cnil-renewal-users",
        no_forced_age_for_users,
    ),
    of(
        Standard::Cnil,
        "renouvellement, privilèges",
        "cnil-renewal-privileged",
        |policy, circumstances| age_of_privileged(policy, circumstances, 365),
    ),
    of(Standard::Anssi, "R21", "anssi-length", |policy, _| {
        length_min(policy, 12)
    }),
    of(Standard::Anssi, "R22", "anssi-no-maximum", |policy, _| {
        length_max(policy, OpaquePassword::LEN_MAX)
    }),
    of(
        Standard::Anssi,
        "R24",
        "anssi-age-users",
        no_forced_age_for_users,
    ),
    of(
        Standard::Anssi,
        "R25",
        "anssi-age-privileged",
        |policy, circumstances| age_of_privileged(policy, circumstances, 3 * 365),
    ),
    of(Standard::Anssi, "R27", "anssi-robustness", |policy, _| {
        has(policy, NotCommon.into())
    }),
    of(
        Standard::Nist,
        "3.1.1.2 (1)",
        "nist-length",
        |policy, circumstances| {
            length_min(
                policy,
                if circumstances.second_factor {
                    LENGTH_MIN_FLOOR
                } else {
                    15
                },
            )
        },
    ),
    of(
        Standard::Nist,
        "3.1.1.2 (2)",
        "nist-maximum",
        |policy, _| length_max(policy, LENGTH_MAX_FLOOR),
    ),
    of(
        Standard::Nist,
        "3.1.1.2 (5)",
        "nist-composition",
        no_composition,
    ),
    of(
        Standard::Nist,
        "3.1.1.2 (6)",
        "nist-periodic",
        no_forced_age,
    ),
    of(
        Standard::Nist,
        "3.1.1.2, blocklist",
        "nist-blocklist",
        |policy, _| has(policy, NotCommon.into()),
    ),
    of(
        Standard::Nist,
        "3.2.2",
        "nist-throttle",
        |_, circumstances| {
            let found = circumstances.throttle.consecutive_max.unwrap_or(u32::MAX);
            at_most(found, 100, Unit::Attempts, Change::Throttle)
        },
    ),
    of(ASVS_1, "6.2.1", "asvs-length", |policy, circumstances| {
        length_min(
            policy,
            if circumstances.second_factor {
                LENGTH_MIN_FLOOR
            } else {
                15
            },
        )
    }),
    of(ASVS_1, "6.2.4", "asvs-top-3000", |policy, _| {
        has(policy, NotCommon.into())
    }),
    of(ASVS_1, "6.2.5", "asvs-composition", no_composition),
    of(ASVS_1, "6.3.1", "asvs-throttle", |_, circumstances| {
        throttled(circumstances)
    }),
    of(ASVS_2, "6.2.9", "asvs-maximum", |policy, _| {
        length_max(policy, LENGTH_MAX_FLOOR)
    }),
    of(ASVS_2, "6.2.10", "asvs-periodic", no_forced_age),
    of(ASVS_2, "6.2.11", "asvs-context", |policy, _| {
        has(policy, NotOwnData::default().into())
    }),
    // The shipped list is made of breached passwords; a collection of all that are known does more.
    of(ASVS_2, "6.2.12", "asvs-breached", |policy, _| {
        if policy.rule(RuleKind::NotBreached).is_some() {
            ClauseResult::Met(Figure::Plain)
        } else {
            has(policy, NotCommon.into())
        }
    }),
    of(Standard::Bsi, "ORP.4.A22", "bsi-quality", |policy, _| {
        has(policy, NotCommon.into())
    }),
    of(Standard::Bsi, "ORP.4.A23", "bsi-periodic", no_forced_age),
    of(Standard::Bsi, "8 / 25", "bsi-length", |policy, _| {
        // Eight characters of four kinds have 52.5 bits; twenty-five of two kinds have more.
        cnil_bits(policy, 52, |length, kinds| length >= 8 && kinds >= 4)
    }),
];

const ASVS_1: Standard = Standard::Asvs { level: 1 };
const ASVS_2: Standard = Standard::Asvs { level: 2 };

const fn of(
    standard: Standard,
    number: &'static str,
    id: &'static str,
    judge: fn(&Policy, &Circumstances) -> ClauseResult,
) -> Clause {
    Clause {
        standard,
        number,
        id,
        judge,
    }
}

/// Case 2: 50 bits, where access is restricted.
fn cnil_case_2(policy: &Policy, circumstances: &Circumstances) -> ClauseResult {
    let throttle = throttled(circumstances);
    let bits = cnil_bits(policy, 50, |length, kinds| length >= 8 && kinds >= 3);
    if matches!(throttle, ClauseResult::Met(_)) {
        bits
    } else {
        throttle
    }
}

/// So many bits, rounded as the CNIL rounds (its own example for 80 has 79.6), or one of its examples word by word.
fn cnil_bits(policy: &Policy, wanted: u32, is_example: fn(u32, u32) -> bool) -> ClauseResult {
    let found = (guaranteed_millibits(policy) + 500) / 1000;
    let length = policy.get().map_or(0, |LengthMin(length)| length);
    let classes = policy
        .get()
        .filter(|classes| spares_none_below(*classes, wanted));
    let kinds = classes.map_or(0, |Classes { at_least, .. }| at_least);
    if is_example(length, kinds) {
        return ClauseResult::Met(Figure::Of {
            found: found.max(wanted),
            wanted,
            unit: Unit::Bits,
        });
    }
    let change = Change::Set(EntropyMin { bits: wanted }.into());
    at_least(found, wanted, Unit::Bits, change)
}

/// Whether the phrase that is spared the kinds has as many bits in small letters alone.
fn spares_none_below(classes: Classes, wanted: u32) -> bool {
    let enough = |length: u32| length.saturating_mul(LOWER_MILLIBITS) + 500 >= wanted * 1000;
    classes.unless_length.0.is_none_or(enough)
}

fn length_min(policy: &Policy, wanted: u32) -> ClauseResult {
    let found = policy.get().map_or(0, |LengthMin(length)| length);
    let change = Change::Set(LengthMin(wanted).into());
    at_least(found, wanted, Unit::Characters, change)
}

fn length_max(policy: &Policy, wanted: u32) -> ClauseResult {
    let found = policy
        .get()
        .map_or(OpaquePassword::LEN_MAX, |LengthMax(length)| length);
    let change = Change::Set(LengthMax(wanted).into());
    at_least(found, wanted, Unit::Characters, change)
}

fn has(policy: &Policy, rule: Rule) -> ClauseResult {
    if policy.rule(rule.kind()).is_some() {
        ClauseResult::Met(Figure::Plain)
    } else {
        ClauseResult::NotMet(Figure::Plain, Change::Set(rule))
    }
}

fn no_composition(policy: &Policy, _: &Circumstances) -> ClauseResult {
    let kinds = [RuleKind::Classes, RuleKind::ClassCounts];
    match kinds.into_iter().find(|kind| policy.rule(*kind).is_some()) {
        Some(kind) => ClauseResult::Against(Change::Remove(kind)),
        None => ClauseResult::Met(Figure::Plain),
    }
}

fn no_forced_age(policy: &Policy, _: &Circumstances) -> ClauseResult {
    match policy.times().age_max {
        Some(AgeMax {
            when_old: WhenOld::Force,
            ..
        }) => ClauseResult::Against(Change::RemoveAge),
        Some(_) | None => ClauseResult::Met(Figure::Plain),
    }
}

fn no_forced_age_for_users(policy: &Policy, circumstances: &Circumstances) -> ClauseResult {
    if circumstances.privileged {
        return ClauseResult::NotApplicable;
    }
    no_forced_age(policy, circumstances)
}

fn age_of_privileged(policy: &Policy, circumstances: &Circumstances, wanted: u32) -> ClauseResult {
    if !circumstances.privileged {
        return ClauseResult::NotApplicable;
    }
    let change = Change::SetAge(wanted);
    match policy.times().age_max {
        Some(AgeMax { days, .. }) => at_most(days, wanted, Unit::Days, change),
        None => ClauseResult::NotMet(Figure::Plain, change),
    }
}

/// A delay of more than a minute after five failures, and at most 25 attempts in 24 hours.
fn throttled(circumstances: &Circumstances) -> ClauseResult {
    let throttle = circumstances.throttle;
    if throttle.delay_after_5_seconds < 60 {
        return at_least(
            throttle.delay_after_5_seconds,
            60,
            Unit::Seconds,
            Change::Throttle,
        );
    }
    at_most(
        throttle.attempts_per_day,
        25,
        Unit::Attempts,
        Change::Throttle,
    )
}

const fn at_least(found: u32, wanted: u32, unit: Unit, change: Change) -> ClauseResult {
    let figure = Figure::Of {
        found,
        wanted,
        unit,
    };
    if found >= wanted {
        ClauseResult::Met(figure)
    } else {
        ClauseResult::NotMet(figure, change)
    }
}

const fn at_most(found: u32, wanted: u32, unit: Unit, change: Change) -> ClauseResult {
    let figure = Figure::Of {
        found,
        wanted,
        unit,
    };
    if found <= wanted {
        ClauseResult::Met(figure)
    } else {
        ClauseResult::NotMet(figure, change)
    }
}

/// log2 of 26, in thousandths.
const LOWER_MILLIBITS: u32 = 4700;
