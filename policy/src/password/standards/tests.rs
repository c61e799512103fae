//! The figures of the texts, and what each preset meets.

use super::*;
use crate::password::{
    presets::Preset,
    rules::{
        ClassCounts, Classes, Counts, EntropyMin, LengthMax, LengthMin, NotCommon, NotOwnData,
        UnlessLength,
    },
    times::{AgeMax, Times, WhenOld},
};

const THROTTLED: ThrottleFigures = ThrottleFigures {
    delay_after_5_seconds: 60,
    attempts_per_day: 25,
    consecutive_max: Some(100),
};
const ALONE: Circumstances = Circumstances {
    second_factor: false,
    privileged: false,
    throttle: THROTTLED,
};
const WITH_SECOND: Circumstances = Circumstances {
    second_factor: true,
    ..ALONE
};
const ADMIN: Circumstances = Circumstances {
    privileged: true,
    ..ALONE
};

fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::new(rules, Times::default())
}

fn result(policy: &Policy, circumstances: &Circumstances, id: &str) -> ClauseResult {
    let findings = findings(policy, circumstances);
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.id == id).collect();
    assert_eq!(found.len(), 1, "{id}");
    found[0].result
}

fn is_met(policy: &Policy, circumstances: &Circumstances, id: &str) -> bool {
    matches!(result(policy, circumstances, id), ClauseResult::Met(_))
}

#[test]
fn the_shipped_policy_meets_all_texts_at_once() {
    let shipped = Preset::Shipped.policy();
    for standard in [
        Standard::Cnil,
        Standard::Anssi,
        Standard::Nist,
        Standard::Asvs { level: 3 },
    ] {
        assert!(meets(&shipped, &ALONE, standard), "{standard:?}");
        let second = Preset::SecondFactor.policy();
        assert!(meets(&second, &WITH_SECOND, standard), "{standard:?}");
    }
    assert!(is_met(&shipped, &ALONE, "cnil-case-2"));
    assert!(!is_met(&shipped, &ALONE, "cnil-case-1"));
    let second = Preset::SecondFactor.policy();
    assert!(!meets(&second, &ALONE, Standard::Nist));
    // The BSI's advice asks for four kinds of characters or for a length that nobody else asks for.
    assert!(!is_met(&shipped, &ALONE, "bsi-length"));
    assert!(is_met(&shipped, &ALONE, "bsi-quality"));
}

#[test]
fn each_preset_meets_the_text_that_it_is_named_after() {
    assert!(is_met(&Preset::CnilCase1.policy(), &ALONE, "cnil-case-1"));
    assert!(is_met(&Preset::CnilCase2.policy(), &ALONE, "cnil-case-2"));
    assert!(!is_met(&Preset::CnilCase2.policy(), &ALONE, "cnil-case-1"));
    let admin = Preset::Shipped
        .policy()
        .stricter(&Preset::CnilAdmin.policy());
    assert!(is_met(&admin, &ADMIN, "cnil-renewal-privileged"));
    assert!(is_met(&admin, &ADMIN, "anssi-age-privileged"));
    assert!(!is_met(
        &Preset::Shipped.policy(),
        &ADMIN,
        "cnil-renewal-privileged"
    ));
    let six_months = Preset::Shipped
        .policy()
        .stricter(&Preset::PmcSixMonths.policy());
    for id in [
        "nist-periodic",
        "asvs-periodic",
        "bsi-periodic",
        "cnil-renewal-users",
        "anssi-age-users",
    ] {
        let against = ClauseResult::Against(Change::RemoveAge);
        assert_eq!(result(&six_months, &ALONE, id), against, "{id}");
    }
}

/// Where the CNIL gives an example, it counts, even if its own arithmetic falls short of its figure by half a bit.
#[test]
fn the_cnils_own_examples_are_met() {
    let classes = |length, at_least| {
        policy([
            LengthMin(length).into(),
            Classes {
                at_least,
                unless_length: UnlessLength(None),
            }
            .into(),
        ])
    };
    for (length, kinds, case_1, case_2) in [
        (12, 4, true, true),
        (14, 3, true, true),
        (13, 3, false, true),
        (11, 4, false, true),
        (8, 3, false, true),
        (8, 2, false, false),
        (7, 3, false, false),
    ] {
        let policy = classes(length, kinds);
        assert_eq!(
            is_met(&policy, &ALONE, "cnil-case-1"),
            case_1,
            "{length} {kinds}"
        );
        assert_eq!(
            is_met(&policy, &ALONE, "cnil-case-2"),
            case_2,
            "{length} {kinds}"
        );
    }
    // 16 digits have 53 bits, 15 have 49.8 and count as 50 as the CNIL rounds; 25 have 83.
    for (length, case_1, case_2) in [(14, false, false), (15, false, true), (25, true, true)] {
        let digits = policy([LengthMin(length).into()]);
        assert_eq!(is_met(&digits, &ALONE, "cnil-case-1"), case_1, "{length}");
        assert_eq!(is_met(&digits, &ALONE, "cnil-case-2"), case_2, "{length}");
    }
}

#[test]
fn the_weakest_way_through_the_rules_is_what_is_guaranteed() {
    let kinds = |unless| Classes {
        at_least: 4,
        unless_length: UnlessLength(unless),
    };
    for (rules, millibits) in [
        (vec![], 0),
        (vec![LengthMin(12).into()], 39_860),
        (vec![LengthMin(12).into(), kinds(None).into()], 78_836),
        // Twenty digits are spared the kinds, and weaker.
        (vec![LengthMin(12).into(), kinds(Some(20)).into()], 66_420),
        (
            vec![LengthMin(12).into(), EntropyMin { bits: 70 }.into()],
            70_000,
        ),
        (
            vec![
                LengthMin(10).into(),
                ClassCounts {
                    at_least: Counts::new([1, 1, 0, 0]),
                    unless_length: UnlessLength(None),
                }
                .into(),
            ],
            57_000,
        ),
    ] {
        let guaranteed = guaranteed_millibits(&policy(rules.clone()));
        assert!(
            guaranteed.abs_diff(millibits) <= 20,
            "{guaranteed} {rules:?}"
        );
    }
}

#[test]
fn case_2_asks_that_attempts_are_limited() {
    let shipped = Preset::Shipped.policy();
    for (throttle, met) in [
        (THROTTLED, true),
        (
            ThrottleFigures {
                delay_after_5_seconds: 59,
                ..THROTTLED
            },
            false,
        ),
        (
            ThrottleFigures {
                attempts_per_day: 26,
                ..THROTTLED
            },
            false,
        ),
    ] {
        let circumstances = Circumstances { throttle, ..ALONE };
        assert_eq!(is_met(&shipped, &circumstances, "cnil-case-2"), met);
        assert_eq!(is_met(&shipped, &circumstances, "asvs-throttle"), met);
        assert_eq!(meets(&shipped, &circumstances, Standard::Cnil), met);
    }
    for (consecutive_max, met) in [(Some(100), true), (Some(101), false), (None, false)] {
        let throttle = ThrottleFigures {
            consecutive_max,
            ..THROTTLED
        };
        let circumstances = Circumstances { throttle, ..ALONE };
        assert_eq!(is_met(&shipped, &circumstances, "nist-throttle"), met);
    }
}

#[test]
fn what_is_missing_is_told_with_what_would_meet_it() {
    let weak = policy([LengthMin(8).into(), LengthMax(63).into()]);
    let not_met = |found, wanted, unit, rule: Rule| {
        ClauseResult::NotMet(
            Figure::Of {
                found,
                wanted,
                unit,
            },
            Change::Set(rule),
        )
    };
    let characters = Unit::Characters;
    for (id, expected) in [
        (
            "nist-length",
            not_met(8, 15, characters, LengthMin(15).into()),
        ),
        (
            "anssi-length",
            not_met(8, 12, characters, LengthMin(12).into()),
        ),
        (
            "nist-maximum",
            not_met(63, 64, characters, LengthMax(64).into()),
        ),
        (
            "anssi-no-maximum",
            not_met(63, 256, characters, LengthMax(256).into()),
        ),
        (
            "cnil-case-2",
            not_met(27, 50, Unit::Bits, EntropyMin { bits: 50 }.into()),
        ),
        (
            "nist-blocklist",
            ClauseResult::NotMet(Figure::Plain, Change::Set(NotCommon.into())),
        ),
        (
            "asvs-context",
            ClauseResult::NotMet(Figure::Plain, Change::Set(NotOwnData::default().into())),
        ),
    ] {
        assert_eq!(result(&weak, &ALONE, id), expected, "{id}");
        // The change, made, meets the clause.
        if let ClauseResult::NotMet(_, Change::Set(rule)) = expected {
            let others = weak
                .rules()
                .iter()
                .filter(|other| other.kind() != rule.kind());
            let mended = policy(others.copied().chain([rule]));
            assert!(is_met(&mended, &ALONE, id), "{id}");
        }
    }
    assert!(is_met(&weak, &WITH_SECOND, "nist-length"));
    let classes = Classes {
        at_least: 2,
        unless_length: UnlessLength(Some(15)),
    };
    let against = ClauseResult::Against(Change::Remove(RuleKind::Classes));
    for id in ["nist-composition", "asvs-composition"] {
        assert_eq!(result(&policy([classes.into()]), &ALONE, id), against);
    }
}

#[test]
fn a_reminder_goes_against_nothing() {
    let times = Times {
        age_max: Some(AgeMax {
            days: 365,
            when_old: WhenOld::Remind,
            warning_days: 14,
        }),
        ..Times::default()
    };
    let shipped = Preset::Shipped.policy();
    let reminded = Policy::new(shipped.rules().iter().copied(), times);
    for id in [
        "nist-periodic",
        "asvs-periodic",
        "bsi-periodic",
        "anssi-age-users",
    ] {
        assert!(is_met(&reminded, &ALONE, id), "{id}");
    }
}

#[test]
fn every_clause_has_an_id_of_its_own() {
    let findings = findings(&Preset::Shipped.policy(), &ALONE);
    let ids: std::collections::BTreeSet<&str> = findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids.len(), findings.len());
}
