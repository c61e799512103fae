//! Tests of cookies: attack class A12 and the ways in which a cookie can be doubled.

use super::*;

fn headers(fields: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append("cookie", HeaderValue::from_str(field).unwrap());
    }
    headers
}

#[test]
fn one_cookie_is_found_wherever_it_stands() {
    for fields in [
        &["__Host-octroi=t"][..],
        &["a=b; __Host-octroi=t; c=d"],
        &["a=b;__Host-octroi=t"],
        &["a=b", "__Host-octroi=t"],
        &["__host-OCTROI = t "],
        &["; ;__Host-octroi=t;"],
    ] {
        assert_eq!(
            presented(&headers(fields)),
            Presented::Token(b"t"),
            "{fields:?}"
        );
    }
    for fields in [
        &[][..],
        &["a=__Host-octroi=t"],
        &["__Host-octroi-enter-1=t"],
        &["x__Host-octroi=t"],
        &["__Host-octroix=t"],
        &["=__Host-octroi=t"],
        &["==__Host-octroi=t"],
        &[" = __Host-octroi=t; =__Host-octroi"],
    ] {
        assert_eq!(
            presented(&headers(fields)),
            Presented::Nothing,
            "{fields:?}"
        );
    }
    assert_eq!(
        presented(&headers(&["__Host-octroi"])),
        Presented::Token(b"")
    );
    assert_eq!(
        presented(&headers(&["__Host-octroi=a=b"])),
        Presented::Token(b"a=b")
    );
}

#[test]
fn b2_two_cookies_are_refused_however_they_are_spelt() {
    for fields in [
        &["__Host-octroi=a; __Host-octroi=b"][..],
        &["__Host-octroi=a", "__Host-octroi=a"],
        &["__Host-octroi=a; __host-octroi=b"],
        &["__Host-octroi; __Host-octroi=b"],
    ] {
        assert_eq!(
            presented(&headers(fields)),
            Presented::Repeated,
            "{fields:?}"
        );
    }
}

#[test]
fn a12_an_upstream_sees_no_cookie_of_ours() {
    let replaced = |text: &str| Some(HeaderValue::from_str(text).unwrap());
    for (fields, forwarded) in [
        (&[][..], None),
        (&["a=b; c=d"], replaced("a=b; c=d")),
        (&["a=b;c=d"], replaced("a=b;c=d")),
        (&["a=b", "c=d"], replaced("a=b; c=d")),
        (&["__Host-octroi=t"], None),
        (&["__Host-octroi=t; a=b"], replaced("a=b")),
        (&["a=b;__Host-octroi=t;c=d"], replaced("a=b; c=d")),
        (&["a=b;  __host-OCTROI =t", " c=d "], replaced("a=b; c=d")),
        (
            &["__Host-octroi-enter-1=x; __Host-octroi-lang=fr; a=b"],
            replaced("a=b"),
        ),
        (&["__Host-octroi; a"], replaced("a")),
        (&["a=__Host-octroi"], replaced("a=__Host-octroi")),
        (&["=__Host-octroi=t; a=b"], replaced("a=b")),
        (&["a=b; =\t= __Host-octroi-enter-1=t"], replaced("a=b")),
        (&["=x; a=b"], replaced("=x; a=b")),
    ] {
        assert_eq!(for_upstream(&headers(fields)), forwarded, "{fields:?}");
    }
}

#[test]
fn an_upstream_sets_no_cookie_of_ours() {
    for (set_cookie, ours) in [
        ("__Host-octroi=x; Path=/", true),
        (" __HOST-octroi =x", true),
        ("__Host-octroi-enter-1=x", true),
        ("__Host-octroi", true),
        ("=__Host-octroi=x", true),
        ("==__host-octroi=x; Secure", true),
        (" =\t= __Host-octroi-lang=x", true),
        ("=__Host-octroi", true),
        ("=", false),
        ("=a=__Host-octroi", false),
        ("__Host-other=x", false),
        ("a=__Host-octroi", false),
        ("", false),
    ] {
        assert_eq!(sets_ours(set_cookie.as_bytes()), ours, "{set_cookie:?}");
    }
}

proptest::proptest! {
    #[test]
    fn a12_whatever_stands_before_the_name_an_upstream_sets_no_cookie_of_ours(
        before in "[= \t]{0,8}", name in "__[hH][oO][sS][tT]-[oO][cC][tT][rR][oO][iI]", rest in "(-[a-z]{1,8})?[ \t]{0,2}(=[!-~]{0,9})?",
    ) {
        let line = format!("{before}{name}{rest}");
        proptest::prop_assert!(sets_ours(line.as_bytes()), "{line:?}");
    }

    #[test]
    fn a12_whatever_stands_before_the_name_an_upstream_is_sent_no_cookie_of_ours(
        before in "[= \t]{0,8}", after in "(; a=b)?",
    ) {
        let sent = headers(&[&format!("c=d;{before}__Host-octroi=t{after}")]);
        let Some(value) = for_upstream(&sent) else {
            return Err(proptest::test_runner::TestCaseError::fail("nothing was left"));
        };
        proptest::prop_assert!(!value.to_str().unwrap().contains("octroi"), "{value:?}");
        proptest::prop_assert!(presented(&sent) != Presented::Repeated);
    }
}
