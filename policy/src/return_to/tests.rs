//! Tests of where people are sent: attack class B1 line by line.

use super::*;

fn read(text: &str) -> Option<String> {
    let here: Host = "login.example.com".parse().unwrap();
    ReturnTo::on(here, text).ok().map(|place| place.to_string())
}

#[test]
fn b1_no_text_leads_to_a_foreign_host() {
    for text in [
        "",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://login.example.com/",
        "https://a.example.com.evil.example",
        "https://evil@a.example.com",
        "https://a.example.com@evil.example",
        "https://a.example.com:443@evil.example/",
        "https://a.example.com%2eevil.example",
        "https://a.example.com\\.evil.example",
        "https://evil.example/https://a.example.com",
        "https://evil.example?a.example.com/",
        "https://evil.example#a.example.com/",
        "http://a.example.com/",
        "HTTPS://a.example.com/",
        "javascript:alert(1)",
        "javascript://a.example.com/%0aalert(1)",
        "data:text/html,x",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        " https://a.example.com/",
        "https://[::1]/",
        "https://a.example.com:x/",
        "https://a.example.com:99999/",
        "evil",
    ] {
        assert_eq!(read(text), None, "{text:?}");
    }
}

#[test]
fn own_places_are_kept_in_canonical_form() {
    for (text, place) in [
        ("/", "https://login.example.com/"),
        ("/account?tab=1", "https://login.example.com/account?tab=1"),
        ("/x%41", "https://login.example.com/xA"),
        ("/?q=//evil", "https://login.example.com/?q=//evil"),
    ] {
        assert_eq!(read(text).as_deref(), Some(place), "{text:?}");
    }
}

#[test]
fn invariant_8_the_longest_place_passes_and_one_byte_more_does_not() {
    let target = format!("/{}", "a".repeat(ReturnTo::BYTES_MAX - 1));
    assert!(read(&target[1..]).is_none());
    assert!(read(&target).is_some());
    assert_eq!(read(&format!("{target}a")), None);
}
