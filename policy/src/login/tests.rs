//! One login has one form, and no login can pass for another.

use proptest::prelude::*;

use super::*;

fn canonical(typed: &str) -> String {
    Login::canonical(typed).unwrap().as_str().to_owned()
}

#[test]
fn c1_all_ways_to_type_a_login_are_one_login() {
    for typed in [
        "bob",
        "Bob",
        "BOB",
        "BOB ",
        "\tbob\n",
        "ｂｏｂ",
        "ＢＯＢ",
        "B\u{ff4f}b",
    ] {
        assert_eq!(canonical(typed), "bob", "{typed:?}");
    }
    for typed in ["é", "É", "e\u{301}", "E\u{301}"] {
        assert_eq!(canonical(typed), "é", "{typed:?}");
    }
    for typed in ["bob@x.example", "Bob@X.example"] {
        assert_eq!(canonical(typed), "bob@x.example", "{typed:?}");
    }
}

#[test]
fn what_logins_do_not_have_is_refused() {
    for typed in [
        "a b",
        "a,b",
        "a/b",
        "a\0b",
        "a\u{7f}b",
        "a\u{a0}b",
        "a\u{3000}b",
        "a\u{200b}b",
        "a\u{ad}b",
        "a\u{202e}b",
        "a\u{fe0f}",
        "ﬁn",
        "a①",
        "a²",
        "٣",
        "💥",
        "a\u{20dd}",
        "\u{301}a",
        "a\u{e000}",
        "a\u{378}",
        "\u{1100}",
        "€",
        "«a»",
    ] {
        assert_eq!(
            Login::canonical(typed),
            Err(MalformedLogin::Character),
            "{typed:?}"
        );
    }
    for typed in ["", " ", "\u{2003}"] {
        assert_eq!(
            Login::canonical(typed),
            Err(MalformedLogin::Empty),
            "{typed:?}"
        );
    }
}

#[test]
fn a_login_has_at_most_128_characters() {
    assert!(Login::canonical(&"é".repeat(127)).is_ok());
    assert!(Login::canonical(&"e\u{301}".repeat(128)).is_ok());
    assert_eq!(
        Login::canonical(&"a".repeat(129)),
        Err(MalformedLogin::TooLong)
    );
    assert_eq!(
        Login::canonical(&"a".repeat(1_000_000)),
        Err(MalformedLogin::TooLong)
    );
}

#[test]
fn look_alikes_are_refused_for_new_accounts() {
    let new = Login::for_new_account;
    assert_eq!(
        new("b\u{43e}b"),
        Err(MalformedLogin::MixedScripts),
        "Cyrillic о in bob"
    );
    assert_eq!(new("pαul"), Err(MalformedLogin::MixedScripts));
    assert_eq!(
        new("\u{441}\u{43e}\u{441}\u{43e}"),
        Err(MalformedLogin::LooksLatin),
        "сосо"
    );
    assert_eq!(
        new("\u{455}\u{43e}\u{455}-2"),
        Err(MalformedLogin::LooksLatin)
    );
    for typed in [
        "marie.dupont",
        "josé",
        "иван",
        "ΝΊΚΟΣ",
        "やまだ太郎",
        "山田taro",
        "김민수",
        "מרים",
        "o'neil",
        "x",
    ] {
        assert!(new(typed).is_ok(), "{typed:?}");
    }
}

#[test]
fn a_tenant_may_stand_before_the_login() {
    let typed = QualifiedLogin::parse(" ACME/Marie ").unwrap();
    assert_eq!(typed.tenant.unwrap().as_str(), "acme");
    assert_eq!(typed.login.as_str(), "marie");
    assert_eq!(QualifiedLogin::parse("marie").unwrap().tenant, None);
    assert_eq!(QualifiedLogin::parse("/marie"), Err(MalformedLogin::Tenant));
    assert_eq!(
        QualifiedLogin::parse("é/marie"),
        Err(MalformedLogin::Tenant)
    );
    assert_eq!(QualifiedLogin::parse("acme/"), Err(MalformedLogin::Empty));
    assert_eq!(
        QualifiedLogin::parse("acme/x/marie"),
        Err(MalformedLogin::Character)
    );
}

#[test]
fn d8_an_address_as_a_login_is_one_opaque_word() {
    for typed in ["a@evil@corp", "\"a@evil\"@corp", "a(x)@corp"] {
        assert_eq!(canonical(typed), typed);
    }
}

proptest! {
    #[test]
    fn the_canonical_form_is_its_own_canonical_form(typed in "\\PC{0,40}") {
        if let Ok(login) = Login::canonical(&typed) {
            prop_assert_eq!(Login::canonical(login.as_str()), Ok(login.clone()));
            prop_assert!(!login.as_str().chars().any(|c| c.is_control() || c.is_whitespace() || c == ',' || c == '/'));
        }
    }

    #[test]
    fn whatever_is_typed_gives_an_answer(typed in any::<String>()) {
        let _ = QualifiedLogin::parse(&typed);
        let _ = Login::for_new_account(&typed);
    }
}
