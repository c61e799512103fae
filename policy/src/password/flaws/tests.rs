//! Each bound at, below and above; each contradiction with the nearest that works.

use super::*;
use crate::password::{
    guesses::Guesses,
    presets::Preset,
    rules::{Counts, NotCommon, NotCurrent, NotOwnData, UnlessLength},
    times::WhenOld,
};

/// A rule with this figure.
type WithFigure<'a> = &'a dyn Fn(u32) -> Rule;

fn layer(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::new(rules, Times::default())
}

fn flaws_of(policy: &Policy) -> Vec<Flaw> {
    flaws(policy, Part::Layer, true)
}

#[test]
fn every_preset_can_be_used_as_it_is() {
    for preset in Preset::ALL {
        let part = if preset.is_layer() {
            Part::Layer
        } else {
            Part::Base
        };
        assert_eq!(flaws(&preset.policy(), part, false), [], "{preset:?}");
        assert_eq!(Preset::named(preset.id()), Some(preset));
    }
    assert_eq!(Preset::named("none"), None);
}

#[test]
fn a_base_has_to_have_the_floors_and_a_layer_has_not() {
    let empty = Policy::default();
    let missing: Vec<Flaw> = REQUIRED.iter().copied().map(Flaw::Missing).collect();
    assert_eq!(flaws(&empty, Part::Base, true), missing);
    assert_eq!(flaws(&empty, Part::Layer, true), []);
    let whole = layer([
        LengthMin(8).into(),
        LengthMax(64).into(),
        NotCommon.into(),
        NotCurrent.into(),
    ]);
    assert_eq!(flaws(&whole, Part::Base, true), []);
}

#[test]
fn each_figure_is_taken_at_its_bounds_and_refused_beyond_them() {
    let classes = |at_least| {
        Classes {
            at_least,
            unless_length: UnlessLength(None),
        }
        .into()
    };
    let counts = |lower| {
        ClassCounts {
            at_least: Counts::new([lower, 0, 0, 0]),
            unless_length: UnlessLength(None),
        }
        .into()
    };
    let guesses = |tenths: u32| GuessesMin(Guesses::from_log10_millis(tenths * 100)).into();
    let cases: [(&str, u32, u32, WithFigure<'_>); 11] = [
        ("length_min", 8, 64, &|figure| LengthMin(figure).into()),
        ("length_max", 64, 256, &|figure| LengthMax(figure).into()),
        ("classes.at_least", 2, 4, &classes),
        ("class_counts", 1, 64, &counts),
        ("distinct_min", 2, 16, &|figure| DistinctMin(figure).into()),
        ("repeat_max", 1, 16, &|figure| RepeatMax(figure).into()),
        ("sequence_max", 2, 16, &|figure| SequenceMax(figure).into()),
        ("entropy_min", 1, 128, &|bits| EntropyMin { bits }.into()),
        ("guesses_min", 10, 200, &guesses),
        ("not_similar.changes_min", 2, 16, &|changes_min| {
            NotSimilar { changes_min }.into()
        }),
        ("not_reused.last", 1, 10, &|last| NotReused { last }.into()),
    ];
    for (figure, least, most, rule) in cases {
        for good in [least, most] {
            assert_eq!(flaws_of(&layer([rule(good)])), [], "{figure} = {good}");
        }
        for found in [least - 1, most + 1] {
            let out = Flaw::OutOfBounds {
                figure,
                found,
                least,
                most,
            };
            assert!(
                flaws_of(&layer([rule(found)])).contains(&out),
                "{figure} = {found}"
            );
        }
    }
}

#[test]
fn what_no_password_can_meet_is_refused_with_the_nearest_that_works() {
    let sum_of_80 = ClassCounts {
        at_least: Counts::new([20; 4]),
        unless_length: UnlessLength(None),
    };
    let found = flaws_of(&layer([LengthMax(64).into(), sum_of_80.into()]));
    let unmeetable = Flaw::Unmeetable {
        figure: "class_counts",
        found: 80,
        against: "length_max",
        nearest: 64,
    };
    assert!(found.contains(&unmeetable), "{found:?}");
    assert_eq!(
        flaws_of(&layer([LengthMin(64).into(), LengthMax(64).into()])),
        []
    );
}

#[test]
fn to_refuse_what_nobody_can_tell_needs_somebody_who_can() {
    let rule = |when_unknown| layer([NotBreached { when_unknown }.into()]);
    let refuse = rule(WhenUnknown::Refuse);
    assert_eq!(flaws(&refuse, Part::Layer, false), [Flaw::NobodyCanTell]);
    assert_eq!(flaws(&refuse, Part::Layer, true), []);
    assert_eq!(flaws(&rule(WhenUnknown::Accept), Part::Layer, false), []);
}

#[test]
fn times_are_bounded_and_never_lock_everybody_out() {
    let with = |times| Policy::new([NotOwnData::default().into()], times);
    let age_max = |days, warning_days| {
        Some(AgeMax {
            days,
            when_old: WhenOld::Force,
            warning_days,
        })
    };
    let out = |figure, found, least, most| Flaw::OutOfBounds {
        figure,
        found,
        least,
        most,
    };
    let of = |times| flaws_of(&with(times));
    for (days, warning) in [(14, 0), (14, 13), (3653, 14)] {
        let times = Times {
            age_max: age_max(days, warning),
            ..Times::default()
        };
        assert_eq!(of(times), [], "{days} {warning}");
    }
    for (days, warning, flaw) in [
        (13, 0, out("age_max.days", 13, 14, 3653)),
        (3654, 0, out("age_max.days", 3654, 14, 3653)),
        (14, 14, out("age_max.warning_days", 14, 0, 13)),
    ] {
        let times = Times {
            age_max: age_max(days, warning),
            ..Times::default()
        };
        assert_eq!(of(times), [flaw]);
    }
    let hours = |hours| Times {
        age_min: Some(AgeMin { hours }),
        provisional_life: Some(ProvisionalLife { hours: hours / 7 }),
        changes_per_day: Some(ChangesPerDay(hours / 2)),
        ..Times::default()
    };
    assert_eq!(of(hours(168)), []);
    assert_eq!(
        of(hours(0)),
        [
            out("age_min.hours", 0, 1, 168),
            out("provisional_life.hours", 0, 1, 24),
            out("changes_per_day", 0, 1, 100),
        ]
    );
    assert_eq!(
        of(hours(203)),
        [
            out("age_min.hours", 203, 1, 168),
            out("provisional_life.hours", 29, 1, 24),
            out("changes_per_day", 101, 1, 100),
        ]
    );
    let forced = Times {
        age_max: age_max(14, 0),
        age_min: Some(AgeMin { hours: 14 * 24 }),
        ..Times::default()
    };
    let nearest_hours = 168;
    assert!(of(forced).contains(&Flaw::ForcedTooSoon { nearest_hours }));
}
