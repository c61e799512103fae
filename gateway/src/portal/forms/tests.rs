//! Forms of others are refused, whatever the browser tells of itself.

use super::*;
use crate::entropy::SystemEntropy;

const PORTAL: &str = "https://login.example.com";

fn seal() -> FormSeal {
    let keyring = Arc::new(Keyring::ephemeral(&SystemEntropy).unwrap());
    FormSeal::new(keyring, Arc::new(SystemEntropy))
}

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            (
                (*name).parse().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

/// The `Cookie` field that a browser sends once it has kept this `Set-Cookie`.
fn kept(set_cookie: &HeaderValue) -> String {
    let text = set_cookie.to_str().unwrap();
    text.split(';').next().unwrap().to_owned()
}

#[test]
fn the_browser_has_to_name_our_own_origin() {
    for (fields, wanted) in [
        (vec![("sec-fetch-site", "same-origin")], true),
        (
            vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
            true,
        ),
        (
            vec![("sec-fetch-site", "same-site"), ("origin", PORTAL)],
            false,
        ),
        (
            vec![("sec-fetch-site", "cross-site"), ("origin", PORTAL)],
            false,
        ),
        (vec![("sec-fetch-site", "none"), ("origin", PORTAL)], false),
        (
            vec![
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "same-origin"),
            ],
            false,
        ),
        (vec![("origin", PORTAL)], true),
        (vec![("origin", "null")], false),
        (vec![("origin", "https://login.example.com:8443")], false),
        (vec![("origin", "http://login.example.com")], false),
        (vec![("origin", "https://paie.example.com")], false),
        (vec![("origin", PORTAL), ("origin", PORTAL)], false),
        (vec![("referer", "https://login.example.com/")], false),
        (vec![], false),
    ] {
        let sent: HeaderMap = fields
            .iter()
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(*name, HeaderValue::from_static(value));
                map
            });
        assert_eq!(is_same_origin(&sent, PORTAL), wanted, "{fields:?}");
    }
}

#[test]
fn a_form_belongs_to_the_browser_that_was_given_its_page() {
    let seal = seal();
    let form = seal.before_sign_in(&HeaderMap::new()).unwrap();
    let cookie = kept(&form.cookie.unwrap());
    let own = headers(&[("origin", PORTAL), ("cookie", &cookie)]);
    assert_eq!(seal.check(&form.token, &own, None, PORTAL), Ok(()));

    let another = seal.before_sign_in(&HeaderMap::new()).unwrap();
    let other_cookie = kept(&another.cookie.unwrap());
    let other = headers(&[("origin", PORTAL), ("cookie", &other_cookie)]);
    assert_eq!(
        seal.check(&form.token, &other, None, PORTAL),
        Err(Forgery::Stale)
    );

    for token in ["", "AAAA", "not base64!", &"A".repeat(43)] {
        assert_eq!(
            seal.check(token, &own, None, PORTAL),
            Err(Forgery::Stale),
            "{token:?}"
        );
    }
    let no_cookie = headers(&[("origin", PORTAL)]);
    assert_eq!(
        seal.check(&form.token, &no_cookie, None, PORTAL),
        Err(Forgery::NoCookie)
    );
    let made_up = headers(&[("origin", PORTAL), ("cookie", "__Host-octroi-form=x")]);
    assert_eq!(
        seal.check(&form.token, &made_up, None, PORTAL),
        Err(Forgery::NoCookie)
    );
}

#[test]
fn a_page_that_comes_again_keeps_its_cookie() {
    let seal = seal();
    let first = seal.before_sign_in(&HeaderMap::new()).unwrap();
    let cookie = kept(&first.cookie.unwrap());
    let again = seal
        .before_sign_in(&headers(&[("cookie", &cookie)]))
        .unwrap();
    assert_eq!(again.token, first.token);
    assert!(again.cookie.is_none());
}

#[test]
fn b2_a_form_of_one_session_is_not_one_of_another() {
    let seal = seal();
    let [mine, theirs] = [(); 2].map(|()| SessionToken::draw(&SystemEntropy).unwrap());
    let form = seal.for_session(&mine);
    assert!(form.cookie.is_none());
    let own = headers(&[("sec-fetch-site", "same-origin")]);
    assert_eq!(seal.check(&form.token, &own, Some(&mine), PORTAL), Ok(()));
    assert_eq!(
        seal.check(&form.token, &own, Some(&theirs), PORTAL),
        Err(Forgery::Stale)
    );
    assert_eq!(
        seal.check(&form.token, &own, None, PORTAL),
        Err(Forgery::NoCookie)
    );
}
