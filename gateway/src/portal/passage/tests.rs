//! The way back is one of the host's own pages.

use super::*;

#[test]
fn b1_only_a_path_of_the_same_host_is_gone_back_to() {
    let host: Host = "paie.exemple.fr".parse().unwrap();
    for (asked, wanted) in [
        ("/", "/"),
        ("/a/b?c=d&e=%20", "/a/b?c=d&e=%20"),
        ("", "/"),
        ("a", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/.octroi/logout", "/"),
        ("/.octroi", "/"),
        ("/.octroi?a=b", "/"),
        ("/%2eoctroi", "/"),
        ("/.octroix", "/.octroix"),
        ("/a/../.octroi/logout", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
    ] {
        assert_eq!(own_target(&host, asked), wanted, "{asked:?}");
    }
    let long = format!("/{}", "a".repeat(ReturnTo::BYTES_MAX));
    assert_eq!(own_target(&host, &long), "/");
}

#[test]
fn an_id_is_sixteen_bytes_and_nothing_that_a_cookie_could_misread() {
    assert!(PassageId::read("AAAAAAAAAAAAAAAAAAAAAA").is_some());
    for text in [
        "",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAA=;",
        "AAAAAAAAAAAAAAAAAAAAA\n",
    ] {
        assert_eq!(PassageId::read(text), None, "{text:?}");
    }
}
