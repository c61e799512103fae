//! The base rule, at, below and above each of its limits.

use proptest::prelude::*;

use super::*;
use crate::password::verdict::OwnDatum;

fn reasons(typed: &str) -> Vec<Reason> {
    let own = OwnData {
        login: "marie",
        ..OwnData::default()
    };
    PasswordRules::alone()
        .judge(typed, &own)
        .into_verdict()
        .reasons()
        .collect()
}

#[test]
fn length_counts_code_points_at_below_and_above() {
    assert_eq!(
        reasons("vélo citron bl"),
        [Reason::TooShort {
            missing: 1,
            minimum: 15
        }]
    );
    assert_eq!(reasons("vélo citron ble"), []);
    assert_eq!(reasons("ve\u{301}lo citron ble"), []);
    assert_eq!(reasons("😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰"), []);
    assert_eq!(
        reasons(&"vélo citron bleu ".repeat(20)),
        [Reason::TooLong { maximum: 256 }]
    );
    assert_eq!(reasons(""), [Reason::Empty]);
    let with_second = PasswordRules::beside_second_factor();
    let own = OwnData::default();
    let count = |typed| {
        with_second
            .judge(typed, &own)
            .into_verdict()
            .reasons()
            .count()
    };
    assert_eq!((count("vélo citron"), count("vélo citrons")), (1, 0));
}

#[test]
fn all_reasons_are_told_at_once_in_rule_order() {
    let expected = [
        Reason::TooShort {
            missing: 7,
            minimum: 15,
        },
        Reason::Common,
        Reason::OwnData(OwnDatum::Login),
        Reason::TooUniform {
            bits: 41,
            minimum_bits: 50,
        },
    ];
    assert_eq!(reasons("marie123"), expected);
}

#[test]
fn digits_need_sixteen_and_no_pattern() {
    assert_eq!(
        reasons("830517629461385"),
        [Reason::TooUniform {
            bits: 49,
            minimum_bits: 50
        }]
    );
    assert_eq!(reasons("8305176294613852"), []);
    assert_eq!(reasons("1234567890123456"), [Reason::Common]);
}

#[test]
fn what_cannot_be_typed_again_is_said_so() {
    assert_eq!(reasons("vélo\u{0}citron bleu"), [Reason::Unreadable]);
}

proptest! {
    #[test]
    fn asvs_6_2_5_no_class_of_characters_is_demanded(letters in "[a-z]{5} [a-z]{7} [a-z]{8}") {
        let lower = reasons(&letters);
        let all = [Reason::Common, Reason::OwnData(OwnDatum::Login)];
        prop_assert!(lower.iter().all(|reason| all.contains(reason)), "{:?}", lower);
    }

    #[test]
    fn whatever_is_typed_gives_a_verdict(typed in any::<String>()) {
        let _ = reasons(&typed);
    }
}
