//! Each rule at, below and above its limit.

use super::*;
use crate::password::{
    estimate::estimate,
    policy::{Effective, Policy},
    presets::Preset,
    times::Times,
};

fn facts() -> Facts<'static> {
    Facts {
        own: OwnData {
            login: "marie",
            year: Some(2026),
            ..OwnData::default()
        },
        guesses: Known::Now(Guesses::from_log10_millis(12_000)),
        listed: Known::Now(false),
        breached: Known::Now(Breached::No),
        is_current: Known::Now(false),
        replaced: Replaced::Nothing,
        is_reused: Known::Now(false),
    }
}

fn reasons(policy: &Policy, typed: &str, facts: Facts<'_>) -> Vec<Reason> {
    let judged = Effective::base(policy).judge(typed, facts);
    judged.into_verdict().reasons().collect()
}

fn shipped(typed: &str) -> Vec<Reason> {
    reasons(&Preset::Shipped.policy(), typed, facts())
}

#[track_caller]
fn assert_outcome(rule: impl Into<Rule>, typed: &str, expected: Outcome) {
    let rule = rule.into();
    let password = OpaquePassword::from_typed(typed).unwrap();
    assert_eq!(
        rule.judge(&Candidate::new(&password, facts())),
        expected,
        "{rule:?} {typed}"
    );
}

#[test]
fn length_counts_code_points_at_below_and_above() {
    let too_short = Reason::TooShort {
        missing: 1,
        minimum: 15,
    };
    assert_eq!(shipped("vélo citron bl"), [too_short]);
    assert_eq!(shipped("vélo citron ble"), []);
    assert_eq!(shipped("ve\u{301}lo citron ble"), []);
    assert_eq!(shipped("😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰"), []);
    let too_long = Reason::TooLong { maximum: 256 };
    assert_eq!(shipped(&"vélo citron bleu ".repeat(20)), [too_long]);
    assert_eq!(shipped(&"a".repeat(1 << 20)), [too_long]);
    assert_eq!(shipped(""), [Reason::Empty]);
    assert_eq!(shipped("vélo\u{0}citron bleu"), [Reason::Unreadable]);
    let second = Preset::SecondFactor.policy();
    let count = |typed| reasons(&second, typed, facts()).len();
    assert_eq!((count("vélo citron"), count("vélo citrons")), (1, 0));
}

#[test]
fn all_reasons_are_told_at_once_in_rule_order() {
    let expected = [
        Reason::TooShort {
            missing: 7,
            minimum: 15,
        },
        Reason::TooUniform {
            bits: 41,
            minimum_bits: 50,
        },
        Reason::Common,
        Reason::OwnData(OwnDatum::Login),
    ];
    assert_eq!(shipped("marie123"), expected);
}

#[test]
fn digits_need_sixteen_and_no_pattern() {
    let uniform = Reason::TooUniform {
        bits: 49,
        minimum_bits: 50,
    };
    assert_eq!(shipped("830517629461385"), [uniform]);
    assert_eq!(shipped("8305176294613852"), []);
    assert_eq!(shipped("1234567890123456"), [Reason::Common]);
}

#[test]
fn kinds_are_counted_and_a_phrase_may_satisfy_instead() {
    let classes = |at_least, unless| Classes {
        at_least,
        unless_length: UnlessLength(unless),
    };
    for (typed, found) in [
        ("agrafe", 1),
        ("Agrafe", 2),
        ("Agrafe1", 3),
        ("Agrafe 1", 4),
        ("ÉTÉ", 1),
        ("été", 1),
        ("東京", 1),
        ("😀a", 2),
    ] {
        assert_outcome(classes(found, None), typed, Outcome::Met);
        let reason = Reason::FewClasses {
            found,
            minimum: found + 1,
            unless_length: Some(9),
        };
        assert_outcome(classes(found + 1, Some(9)), typed, Outcome::Failed(reason));
    }
    assert_outcome(classes(3, Some(9)), "agrafelav", Outcome::Met);
    assert_outcome(
        classes(3, Some(10)),
        "agrafelav",
        Outcome::Failed(Reason::FewClasses {
            found: 1,
            minimum: 3,
            unless_length: Some(10),
        }),
    );
}

#[test]
fn each_kind_is_counted_apart() {
    let rule = ClassCounts {
        at_least: Counts::new([1, 2, 1, 1]),
        unless_length: UnlessLength(Some(20)),
    };
    assert_outcome(rule, "aBC1-", Outcome::Met);
    let reason = Reason::FewOfClass {
        missing: Counts::new([0, 1, 0, 1]),
        unless_length: Some(20),
    };
    assert_outcome(rule, "aaB1", Outcome::Failed(reason));
    assert_outcome(rule, "agrafe bougie lavoir", Outcome::Met);
}

#[test]
fn variety_is_counted_without_capitals_and_accents() {
    assert_outcome(DistinctMin(3), "abcABC", Outcome::Met);
    let few = Reason::FewDistinct {
        found: 3,
        minimum: 4,
    };
    assert_outcome(DistinctMin(4), "abcABC", Outcome::Failed(few));
    assert_outcome(RepeatMax(2), "aab", Outcome::Met);
    let repeats = Reason::Repeats { maximum: 2 };
    assert_outcome(RepeatMax(2), "aAab", Outcome::Failed(repeats));
    assert_outcome(SequenceMax(4), "xazerx", Outcome::Met);
    let runs = Reason::Runs { maximum: 4 };
    for typed in ["xAzertx", "x54321", "qsdfgh", "ytrezz0", "edcba"] {
        assert_outcome(SequenceMax(4), typed, Outcome::Failed(runs));
    }
}

#[test]
fn guesses_are_compared_exactly() {
    let at = |log| GuessesMin(Guesses::from_log10_millis(log));
    assert_outcome(at(12_000), "agrafe", Outcome::Met);
    let guessable = Reason::Guessable {
        found: Guesses::from_log10_millis(12_000),
        minimum: Guesses::from_log10_millis(12_001),
    };
    assert_outcome(at(12_001), "agrafe", Outcome::Failed(guessable));
}

#[test]
fn lists_and_histories_say_what_their_facts_say() {
    let rules = Policy::new(
        [
            NotListed.into(),
            NotBreached {
                when_unknown: WhenUnknown::Refuse,
            }
            .into(),
            NotCurrent.into(),
            NotReused { last: 5 }.into(),
        ],
        Times::default(),
    );
    assert_eq!(reasons(&rules, "agrafe", facts()), []);
    let mut bad = facts();
    bad.listed = Known::Now(true);
    bad.breached = Known::Now(Breached::Yes);
    bad.is_current = Known::Now(true);
    bad.is_reused = Known::Now(true);
    let all = [
        Reason::Listed,
        Reason::Breached,
        Reason::Current,
        Reason::Reused { last: 5 },
    ];
    assert_eq!(reasons(&rules, "agrafe", bad), all);
    let mut unknown = facts();
    unknown.breached = Known::Now(Breached::Unknown);
    assert_eq!(reasons(&rules, "agrafe", unknown), [Reason::BreachUnknown]);
    let lenient = NotBreached {
        when_unknown: WhenUnknown::Accept,
    };
    let lenient = Policy::new([lenient.into()], Times::default());
    assert_eq!(reasons(&lenient, "agrafe", unknown), []);
}

#[test]
fn the_old_password_with_another_year_is_too_near() {
    let old = OpaquePassword::from_typed("Tisane-Bleue-2025").unwrap();
    let mut known = facts();
    known.replaced = Replaced::Password(&old);
    let policy = Policy::new([NotSimilar { changes_min: 4 }.into()], Times::default());
    assert_eq!(
        reasons(&policy, "tisane-bleue-2026", known),
        [Reason::Similar]
    );
    assert_eq!(reasons(&policy, "agrafe bougie lavoir", known), []);
}

#[test]
fn a_year_is_refused_where_the_rule_says_so() {
    let rule = |years| NotOwnData { years };
    let year = Reason::OwnData(OwnDatum::Year);
    assert_outcome(rule(true), "agrafe 2026 lavoir", Outcome::Failed(year));
    assert_outcome(rule(false), "agrafe 2026 lavoir", Outcome::Met);
}

#[test]
fn ids_are_one_a_rule_and_in_order() {
    let ids: std::collections::BTreeSet<&str> =
        RuleKind::ALL.iter().map(|kind| kind.id()).collect();
    assert_eq!(ids.len(), RuleKind::ALL.len());
    assert!(RuleKind::ALL.is_sorted());
}

/// ASVS 5.0, 6.2.4: "at least the top 3000 passwords which match the application's password policy".
#[test]
fn asvs_6_2_4_the_3000_most_common_passwords_that_are_long_enough_are_refused() {
    let list = include_str!("../../../data/most-common-of-15.txt");
    let policy = Policy::new([NotCommon.into()], Times::default());
    let is_refused = |password: &&str| reasons(&policy, password, facts()) == [Reason::Common];
    assert_eq!(list.lines().count(), 3000);
    assert_eq!(list.lines().filter(is_refused).count(), 3000);
    // In capitals too, since whoever guesses tries that.
    let capitals = list.lines().map(str::to_uppercase);
    assert_eq!(
        capitals
            .filter(|password| is_refused(&password.as_str()))
            .count(),
        3000
    );
}

#[test]
fn what_chance_makes_of_small_letters_is_taken() {
    let mut state = 7_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    for _ in 0..1000 {
        let password: String = (0..15).map(|_| letter()).collect();
        let opaque = OpaquePassword::from_typed(&password).unwrap();
        let mut known = facts();
        known.guesses = Known::Now(estimate(&opaque, &known.own));
        let found = reasons(&Preset::Shipped.policy(), &password, known);
        assert_eq!(found, [], "{password}");
    }
}

proptest::proptest! {
    #[test]
    fn asvs_6_2_5_no_class_of_characters_is_demanded(letters in "[a-z]{5} [a-z]{7} [a-z]{8}") {
        let allowed = [Reason::Common, Reason::OwnData(OwnDatum::Login)];
        let found = shipped(&letters);
        proptest::prop_assert!(found.iter().all(|reason| allowed.contains(reason)), "{:?}", found);
    }
}
