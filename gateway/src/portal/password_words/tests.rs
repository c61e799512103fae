//! Each rule has its words, in both languages.

use octroi_policy::password::{
    guesses::Guesses,
    rules::{
        ClassCounts, DistinctMin, EntropyMin, GuessesMin, LengthMax, LengthMin, NotBreached,
        NotCommon, NotCurrent, NotListed, NotOwnData, NotReused, NotSimilar, RepeatMax, RuleKind,
        SequenceMax, WhenUnknown,
    },
};

use super::*;
use crate::portal::language::Language;

fn all_rules() -> Vec<Rule> {
    let unless_length = UnlessLength(Some(20));
    let counts = Counts::new([1, 2, 3, 0]);
    vec![
        LengthMin(15).into(),
        LengthMax(64).into(),
        Classes {
            at_least: 3,
            unless_length,
        }
        .into(),
        ClassCounts {
            at_least: counts,
            unless_length,
        }
        .into(),
        DistinctMin(6).into(),
        RepeatMax(1).into(),
        SequenceMax(4).into(),
        EntropyMin { bits: 50 }.into(),
        GuessesMin(Guesses::from_log10_millis(10_000)).into(),
        NotCommon.into(),
        NotListed.into(),
        NotBreached {
            when_unknown: WhenUnknown::Accept,
        }
        .into(),
        NotOwnData { years: true }.into(),
        NotCurrent.into(),
        NotSimilar { changes_min: 4 }.into(),
        NotReused { last: 5 }.into(),
    ]
}

#[test]
fn each_rule_that_a_person_can_act_upon_has_a_sentence_of_its_own() {
    let rules = all_rules();
    assert_eq!(rules.len(), RuleKind::ALL.len());
    for language in Language::ALL {
        let texts = Texts::of(language);
        let of_base: Vec<(Rule, Layer)> = rules.iter().map(|rule| (*rule, Layer::Base)).collect();
        let sentences = rule_texts(texts, &of_base);
        assert_eq!(sentences.len(), rules.len() - 2, "{sentences:#?}");
        let mut different = sentences.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), sentences.len(), "{sentences:#?}");
    }
}

#[test]
fn sentences_say_what_is_missing_how_to_mend_it_and_whose_rule_it_is() {
    let french = Texts::of(Language::French);
    let english = Texts::of(Language::English);
    let counts = Reason::FewOfClass {
        missing: Counts::new([0, 1, 2, 0]),
        unless_length: Some(20),
    };
    assert_eq!(
        broken(english, counts),
        "It lacks 1 capital, 2 digits. Add them. Or take at least 20 characters."
    );
    assert_eq!(
        broken(french, counts),
        "Il y manque 1\u{a0}majuscule, 2\u{a0}chiffres. Ajoutez-les. Ou bien prenez au moins 20\u{a0}caractères."
    );
    let layer = Layer::Tenant("acme".parse().unwrap());
    let rules = [(LengthMin(20).into(), layer)];
    assert_eq!(
        rule_texts(english, &rules),
        ["At least 20 characters. Set by your organisation."]
    );
}
