//! What people make is found soon, what chance makes is not; and the estimate is the same everywhere.

use proptest::prelude::*;

use super::*;

const MARIE: OwnData<'static> = OwnData {
    login: "mdupont",
    name: Some("Marie-Hélène Dupont"),
    email: None,
    tenant: &["acme"],
    product: &["octroi"],
    hosts: &[],
    year: None,
};

fn log10_tenths(text: &str) -> u32 {
    let password = OpaquePassword::from_typed(text).unwrap();
    estimate(&password, &MARIE).log10_tenths()
}

#[test]
fn what_people_make_of_names_words_and_dates_is_found_within_ten_to_the_ten() {
    for text in [
        "marie14juillet1989",
        "gwenaelle03septembre1992",
        "Julien-et-Camille",
        "jean.dupont.1975",
        "14/07/1989-14/07/1989",
        "P@ssw0rdP@ssw0rd",
        "azertyuiopqsdfghjklm",
        "dupontdupontdupont2026",
        "soleilsoleilsoleil",
        "aaaaaaaaaaaaaaaaaaaa",
        "Bonjour2026Bonjour2026!",
        "nicolas25decembre",
        "alexandre.martin.1984",
        "abcdefghijklmnopqrst",
        "octroi-acme-octroi-acme",
    ] {
        let found = log10_tenths(text);
        assert!(found < 100, "{text}: 10^{}.{}", found / 10, found % 10);
    }
}

#[test]
fn phrases_and_chance_take_more() {
    for text in [
        "agrafe bougie lavoir tunnel",
        "agrafe bougie lavoir",
        "soleil chocolat doudou princesse",
        "correct horse battery staple",
        "xK9#mQ2$vL7pRt4w",
        "qvxjzkwpfhgtbnd",
        "8305176294613852",
        "vélo-citron-vert",
        "tumbler plover quince",
        "Les sanglots longs des violons",
        "😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰",
    ] {
        let found = log10_tenths(text);
        assert!(found >= 100, "{text}: 10^{}.{}", found / 10, found % 10);
    }
}

#[test]
fn each_kind_of_piece_costs_what_it_says() {
    let log10_millis = |text: &str| {
        let password = OpaquePassword::from_typed(text).unwrap();
        estimate(&password, &OwnData::default()).log10_millis()
    };
    assert_eq!(log10_millis("1989"), PIECE + 2176);
    assert_eq!(log10_millis("14juillet1989"), PIECE + 5041);
    assert_eq!(log10_millis("azertyuiop"), PIECE + RUN);
    assert_eq!(log10_millis("qz"), 2 * LETTER);
    assert_eq!(log10_millis("73"), 2 * TEN);
    assert_eq!(log10_millis("qzqz"), 2 * LETTER + PIECE + REPEAT);
    assert_eq!(log10_millis("q-z-q"), 3 * LETTER + SIGN);
    let word = log10_millis("bonjour");
    assert_eq!(log10_millis("Bonjour"), word + DOUBLE);
    assert_eq!(log10_millis("BONJOUR"), word + DOUBLE);
    assert_eq!(log10_millis("b0nj0ur"), word + DOUBLE);
    assert_eq!(log10_millis("bOnjour"), word + DOUBLE + LETTER_CASE);
}

#[test]
fn the_person_s_own_words_cost_next_to_nothing() {
    let own = OpaquePassword::from_typed("zzkwortz").unwrap();
    let stranger = estimate(&own, &OwnData::default());
    let known = OwnData {
        login: "zzkwortz",
        ..OwnData::default()
    };
    assert_eq!(estimate(&own, &known).log10_millis(), PIECE + OWN);
    assert!(stranger.log10_millis() > 8 * TEN);
}

proptest! {
    /// Whoever guesses a text knows how to guess it with one character more.
    #[test]
    fn no_text_takes_more_than_its_characters_one_by_one(text in "[a-z0-9 .-]{1,60}") {
        let password = OpaquePassword::from_typed(&text).unwrap();
        let length = u32::try_from(text.chars().count()).unwrap();
        let most = length * LETTER;
        prop_assert!(estimate(&password, &MARIE).log10_millis() <= most);
    }

    #[test]
    fn whatever_is_typed_has_an_estimate(text in "\\PC{1,200}") {
        if let Ok(password) = OpaquePassword::from_typed(&text) {
            let _ = estimate(&password, &MARIE);
        }
    }
}
