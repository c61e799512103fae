//! Strictest wins, in whatever order; and a stricter policy never takes what a looser one refuses.

use proptest::{prelude::*, sample::subsequence};

use super::*;
use crate::password::{
    guesses::Guesses,
    rules::{
        Breached, ClassCounts, Classes, Counts, DistinctMin, EntropyMin, GuessesMin, Known,
        LengthMax, LengthMin, NotBreached, NotCommon, NotCurrent, NotListed, NotOwnData, NotReused,
        NotSimilar, OwnData, RepeatMax, Replaced, SequenceMax, UnlessLength, WhenUnknown,
    },
    times::{AgeMax, AgeMin, ChangesPerDay, ProvisionalLife, WhenOld},
};

fn unless() -> impl Strategy<Value = UnlessLength> {
    proptest::option::of(8_u32..40).prop_map(UnlessLength)
}

fn rule<F, R>(
    figures: impl Strategy<Value = F> + 'static,
    rule: impl Fn(F) -> R + 'static,
) -> BoxedStrategy<Rule>
where
    F: std::fmt::Debug,
    R: Into<Rule>,
{
    figures
        .prop_map(move |figures| rule(figures).into())
        .boxed()
}

/// Any of the rules, with any figures.
fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let when_unknown = prop_oneof![Just(WhenUnknown::Accept), Just(WhenUnknown::Refuse)];
    let counts = (proptest::array::uniform4(0_u32..4), unless());
    let all = vec![
        rule(8_u32..20, LengthMin),
        rule(20_u32..64, LengthMax),
        rule((2_u32..=4, unless()), |(at_least, unless_length)| Classes {
            at_least,
            unless_length,
        }),
        rule(counts, |(counts, unless_length)| ClassCounts {
            at_least: Counts::new(counts),
            unless_length,
        }),
        rule(2_u32..12, DistinctMin),
        rule(1_u32..6, RepeatMax),
        rule(2_u32..6, SequenceMax),
        rule(20_u32..90, |bits| EntropyMin { bits }),
        rule(1000_u32..12_000, |log| {
            GuessesMin(Guesses::from_log10_millis(log))
        }),
        rule(when_unknown, |when_unknown| NotBreached { when_unknown }),
        rule(any::<bool>(), |years| NotOwnData { years }),
        rule(2_u32..9, |changes_min| NotSimilar { changes_min }),
        rule(1_u32..10, |last| NotReused { last }),
        rule(Just(()), |()| NotCommon),
        rule(Just(()), |()| NotListed),
        rule(Just(()), |()| NotCurrent),
    ];
    assert_eq!(all.len(), RuleKind::ALL.len());
    all.prop_flat_map(|all| {
        let count = all.len();
        subsequence(all, 0..=count)
    })
}

fn times() -> impl Strategy<Value = Times> {
    let age_max =
        (14_u32..400, any::<bool>(), 0_u32..14).prop_map(|(days, forces, warning_days)| {
            let when_old = if forces {
                WhenOld::Force
            } else {
                WhenOld::Remind
            };
            AgeMax {
                days,
                when_old,
                warning_days,
            }
        });
    let parts = (
        proptest::option::of(age_max),
        proptest::option::of((1_u32..168).prop_map(|hours| AgeMin { hours })),
        proptest::option::of((1_u32..24).prop_map(|hours| ProvisionalLife { hours })),
        proptest::option::of((1_u32..9).prop_map(ChangesPerDay)),
    );
    parts.prop_map(
        |(age_max, age_min, provisional_life, changes_per_day)| Times {
            age_max,
            age_min,
            provisional_life,
            changes_per_day,
        },
    )
}

fn policies() -> impl Strategy<Value = Policy> {
    (rules(), times()).prop_map(|(rules, times)| Policy::new(rules, times))
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 !-]{1,40}",
        "(aaaa|azerty|1234|abc|marie|2026|Xk9| ){1,9}",
        "\\PC{1,30}",
    ]
}

fn known<T: Clone + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Known<T>> {
    prop_oneof![9 => values.prop_map(Known::Now), 1 => Just(Known::Later)]
}

prop_compose! {
    fn facts()(
        log in known(0_u32..15_000),
        listed in known(any::<bool>()),
        breached in known(prop_oneof![
            Just(Breached::Yes), Just(Breached::No), Just(Breached::Unknown)
        ]),
        is_current in known(any::<bool>()),
        is_reused in known(any::<bool>()),
    ) -> Facts<'static> {
        Facts {
            own: OwnData { login: "marie", year: Some(2026), ..OwnData::default() },
            guesses: match log {
                Known::Now(log) => Known::Now(Guesses::from_log10_millis(log)),
                Known::Later => Known::Later,
            },
            listed,
            breached,
            is_current,
            replaced: Replaced::Nothing,
            is_reused,
        }
    }
}

fn takes(policy: &Policy, text: &str, facts: Facts<'_>) -> bool {
    let judged = Effective::base(policy).judge(text, facts);
    matches!(judged, Judged::Acceptable(..))
}

proptest! {
    #[test]
    fn strictest_wins_in_whatever_order(one in policies(), two in policies(), three in policies()) {
        let left = one.stricter(&two).stricter(&three);
        let right = one.stricter(&two.stricter(&three));
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(one.stricter(&two), two.stricter(&one));
        prop_assert_eq!(&one.stricter(&one), &one);
        prop_assert_eq!(one.stricter(&Policy::default()), one);
    }

    #[test]
    fn a_stricter_policy_never_takes_what_a_looser_one_refuses(
        one in policies(), two in policies(), text in texts(), facts in facts()
    ) {
        let both = one.stricter(&two);
        if takes(&both, &text, facts) {
            prop_assert!(takes(&one, &text, facts));
            prop_assert!(takes(&two, &text, facts));
        }
    }

    #[test]
    fn a_verdict_is_the_sum_of_its_rules(policy in policies(), text in texts(), facts in facts()) {
        let Ok(password) = OpaquePassword::from_typed(&text) else { return Ok(()) };
        let verdict = Effective::base(&policy).verdict_on(&password, facts);
        prop_assert_eq!(verdict.findings().len(), policy.rules().len());
        for (finding, rule) in verdict.findings().iter().zip(policy.rules()) {
            let alone = Policy::new([*rule], Times::default());
            let alone = Effective::base(&alone).verdict_on(&password, facts);
            prop_assert_eq!(alone.findings(), std::slice::from_ref(finding));
        }
        let all_met = policy.rules().iter().all(|rule| {
            takes(&Policy::new([*rule], Times::default()), &text, facts)
        });
        prop_assert_eq!(verdict.is_acceptable(), all_met);
    }

    #[test]
    fn layers_ask_what_their_policies_ask_together(
        base in policies(), of_role in policies(), of_tenant in policies()
    ) {
        let role = Layer::Role("rh".parse().unwrap());
        let tenant = Layer::Tenant("acme".parse().unwrap());
        let effective = Effective::base(&base)
            .tightened(&role, &of_role)
            .tightened(&tenant, &of_tenant);
        let together = base.stricter(&of_role).stricter(&of_tenant);
        let rules: Vec<Rule> = effective.rules().iter().map(|(rule, _)| *rule).collect();
        prop_assert_eq!(rules, together.rules());
        prop_assert_eq!(effective.times(), together.times());
    }

    #[test]
    fn whatever_is_typed_gives_a_verdict(policy in policies(), text in any::<String>(), facts in facts()) {
        let _ = Effective::base(&policy).judge(&text, facts);
    }
}

#[test]
fn each_rule_says_whose_it_is() {
    let policy = |rules: &[Rule]| Policy::new(rules.iter().copied(), Times::default());
    let base = policy(&[
        LengthMin(12).into(),
        LengthMax(128).into(),
        NotCommon.into(),
    ]);
    let of_role = policy(&[LengthMin(15).into(), LengthMax(256).into()]);
    let of_tenant = policy(&[LengthMin(15).into(), DistinctMin(6).into()]);
    let role = Layer::Role("rh".parse().unwrap());
    let tenant = Layer::Tenant("acme".parse().unwrap());
    let effective = Effective::base(&base)
        .tightened(&role, &of_role)
        .tightened(&tenant, &of_tenant);
    assert_eq!(
        effective.rules(),
        [
            (LengthMin(15).into(), role),
            (LengthMax(128).into(), Layer::Base),
            (DistinctMin(6).into(), tenant),
            (NotCommon.into(), Layer::Base),
        ]
    );
}

#[test]
fn what_is_not_known_yet_is_neither_met_nor_failed() {
    let policy = Policy::new([NotListed.into(), NotCommon.into()], Times::default());
    let facts = Facts::while_typing(OwnData::default());
    let verdict = Effective::base(&policy)
        .judge("agrafe bougie lavoir", facts)
        .into_verdict();
    let outcomes: Vec<Outcome> = verdict
        .findings()
        .iter()
        .map(|finding| finding.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Met, Outcome::Later]);
    assert!(!verdict.is_acceptable());
    assert_eq!(verdict.reasons().count(), 0);
}
