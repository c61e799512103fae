//! Signing in by page and by API.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};

use super::{
    Gatehouse, PORTAL,
    browser::{Answer, Browser, Sent},
    site,
};
use crate::identity::testing::PASSWORD;

const LOGIN: &str = "/.octroi/login";
const JSON: (&str, &str) = ("content-type", "application/json");

async fn signs_in(browser: &mut Browser, login: &str, password: &str, computer: &str) -> Answer {
    let page = browser.get(PORTAL, LOGIN).await;
    let fields = [
        ("login", login),
        ("password", password),
        ("computer", computer),
    ];
    browser.submit(&page, LOGIN, &fields).await
}

#[tokio::test]
async fn the_right_password_leads_on_and_the_computer_decides_on_the_cookie() {
    let house = Gatehouse::with_marie().await;
    for (cookie, computer, life) in [
        ("browser", "public", None),
        ("browser", "private", None),
        ("session", "public", None),
        ("session", "private", Some("86400")),
    ] {
        let extra = format!("[sessions]\ncookie = \"{cookie}\"\n");
        house.site.store(Arc::new(site(&extra)));
        let mut browser = house.browser();
        let answer = signs_in(&mut browser, "marie", PASSWORD, computer).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.refresh().as_deref(), Some("/.octroi/account"));
        let session = answer
            .set_cookies()
            .into_iter()
            .find(|cookie| cookie.starts_with("__Host-octroi="))
            .unwrap()
            .to_owned();
        assert_eq!(
            session
                .split_once("Max-Age=")
                .map(|(_, rest)| rest.split(';').next().unwrap()),
            life,
            "{cookie}, {computer}"
        );
        let account = browser.get(PORTAL, "/.octroi/account").await;
        assert_eq!(account.status, StatusCode::OK);
        assert!(account.says("marie") && account.says("Acme Industrie"));
    }
}

/// The choice of computer promises what the configuration says, and nothing else.
#[tokio::test]
async fn the_form_says_the_limits_that_are_in_force() {
    let house = Gatehouse::open().await;
    for (extra, said) in [
        (
            "",
            [
                "closes after 15 minutes without activity",
                "lasts 24 hours at most, 8 hours without activity",
            ],
        ),
        (
            "[sessions]\nabsolute = \"6h\"\nidle_private = \"90m\"\nidle_public = \"1m\"\n",
            [
                "closes after 1 minute without activity",
                "lasts 6 hours at most, 90 minutes without activity",
            ],
        ),
    ] {
        house.site.store(Arc::new(site(extra)));
        let page = house.browser().get(PORTAL, LOGIN).await;
        for sentence in said {
            assert!(page.says(sentence), "{sentence}: {}", page.body);
        }
    }
    let page = house.french_browser().get(PORTAL, LOGIN).await;
    assert!(page.says("dure 6\u{a0}heures au plus, 90\u{a0}minutes sans activité"));
}

#[tokio::test]
async fn c5_a_wrong_password_and_an_unknown_login_get_the_same_bytes() {
    let house = Gatehouse::with_marie().await;
    house.world.provisional("acme", "paul1").await;
    let mut browser = house.browser();
    let mut answers = Vec::new();
    for login in ["marie", "nobdy", "paul1"] {
        let answer = signs_in(&mut browser, login, "wrong wrong wrong", "public").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), Some("Octroi"));
        assert!(answer.says("The login or the password does not match."));
        assert!(
            answer.body.contains(&format!("value=\"{login}\"")),
            "the login comes back"
        );
        assert!(
            !answer.body.contains("wrong wrong"),
            "the password does not"
        );
        let body = answer.body.replace(login, "LOGIN");
        answers.push((format!("{:?}", answer.headers), body));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn empty_fields_are_named_and_linked() {
    let house = Gatehouse::open().await;
    let mut browser = house.browser();
    let answer = signs_in(&mut browser, " ", "", "public").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "<title>Error: Sign in – Exemple</title>",
        "<li><a href=\"#login\">Enter your login.</a></li>",
        "<li><a href=\"#password\">Enter your password.</a></li>",
        "aria-describedby=\"login-problem login-hint\" aria-invalid=\"true\"",
        "aria-describedby=\"password-problem\" aria-invalid=\"true\"",
        "tabindex=\"-1\" autofocus",
    ] {
        assert!(answer.body.contains(part), "{part}\n{}", answer.body);
    }
}

#[tokio::test]
async fn after_too_many_failures_the_page_says_until_when_and_keeps_the_login() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.french_browser();
    let mut last = signs_in(&mut browser, "marie", "faux faux faux", "public").await;
    for _ in 0..9 {
        if last.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        last = signs_in(&mut browser, "marie", "faux faux faux", "public").await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = last.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 0);
    assert!(
        last.says("Trop de tentatives. Réessayez à "),
        "{}",
        last.body
    );
    assert!(
        last.body.contains("<time datetime=\"2027-01-15T"),
        "{}",
        last.body
    );
    assert!(last.body.contains("value=\"marie\""));
    let right = signs_in(&mut browser, "marie", PASSWORD, "public").await;
    assert_eq!(
        right.status,
        StatusCode::TOO_MANY_REQUESTS,
        "the right password neither"
    );
    house.world.clock.advance(Duration::from_secs(seconds));
    let right = signs_in(&mut browser, "marie", PASSWORD, "public").await;
    assert_eq!(right.status, StatusCode::OK);
    assert!(right.refresh().is_none(), "there is something to read");
    assert!(right.says("tentatives ont été refusées"), "{}", right.body);
    assert!(
        right
            .body
            .contains("<a class=\"secondary\" href=\"/.octroi/account/password\">"),
        "what the page advises is one step away: {}",
        right.body
    );
}

#[tokio::test]
async fn b3_another_person_on_the_same_browser_ends_the_session_of_the_first() {
    let house = Gatehouse::with_marie().await;
    house.world.ready("acme", "paul").await;
    let mut browser = house.browser();
    signs_in(&mut browser, "marie", PASSWORD, "private").await;
    let marie = browser.clone();
    // The form was open before marie signed in.
    let mut fresh = house.browser();
    let page = fresh.get(PORTAL, LOGIN).await;
    let form_cookie = fresh.cookie(PORTAL, "__Host-octroi-form").unwrap();
    browser.plant(PORTAL, "__Host-octroi-form", &form_cookie);
    let fields = [
        ("login", "paul"),
        ("password", PASSWORD),
        ("computer", "private"),
    ];
    let answer = browser.submit(&page, LOGIN, &fields).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(
        browser.cookie(PORTAL, "__Host-octroi"),
        marie.cookie(PORTAL, "__Host-octroi")
    );
    let hers = marie.clone().get(PORTAL, "/.octroi/account").await;
    assert_eq!(hers.location(), LOGIN);
    let his = browser.get(PORTAL, "/.octroi/account").await;
    assert!(his.says("paul"));
}

#[tokio::test]
async fn b5_odd_forms_advance_nothing() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = browser.get(PORTAL, LOGIN).await;
    let right = page.form(LOGIN, &[("login", "marie"), ("password", PASSWORD)]);
    for (body, wanted) in [
        (String::new(), StatusCode::FORBIDDEN),
        ("form=&login=marie".to_owned(), StatusCode::FORBIDDEN),
        (format!("{right}&login=paul"), StatusCode::BAD_REQUEST),
        (format!("{right}&password="), StatusCode::BAD_REQUEST),
        ("%ff=%zz".to_owned(), StatusCode::FORBIDDEN),
    ] {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let sent = Sent {
            method: Method::POST,
            host: PORTAL,
            target: LOGIN,
            headers: &headers,
            body,
        };
        let shown = sent.body.clone();
        let answer = browser.send(sent).await;
        assert_eq!(answer.status, wanted, "{shown:?}");
        assert_eq!(browser.cookie(PORTAL, "__Host-octroi"), None, "{shown:?}");
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_is_not_looked_at_and_the_page_says_why() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = browser.get(PORTAL, LOGIN).await;
    let body = page.form(LOGIN, &[("login", "marie"), ("password", PASSWORD)]);
    for site in ["cross-site", "same-site", "none"] {
        let headers = [
            ("sec-fetch-site", site),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let sent = Sent {
            method: Method::POST,
            host: PORTAL,
            target: LOGIN,
            headers: &headers,
            body: body.clone(),
        };
        let answer = browser.send(sent).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{site}");
        assert!(
            answer.says("was not sent from a page of portail.exemple.fr"),
            "{site}"
        );
        assert_eq!(browser.cookie(PORTAL, "__Host-octroi"), None, "{site}");
    }
    let mut forgetful = house.browser();
    let answer = forgetful.submit(&page, LOGIN, &[("login", "marie")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.says("Your browser refuses cookies from portail.exemple.fr."));
    let answer = forgetful.submit(&page, LOGIN, &[("login", "marie")]).await;
    assert!(answer.says("This page was open for too long."));
    assert!(answer.body.contains("value=\"marie\""), "the login is kept");
}

/// What the API answers to somebody with an empty cookie jar, and whether it signed them in.
async fn api_answer(
    house: &Gatehouse,
    headers: &[(&'static str, &str)],
    body: &str,
) -> (Answer, bool) {
    let mut jar = house.browser();
    let sent = Sent {
        method: Method::POST,
        host: PORTAL,
        target: "/.octroi/api/v1/login",
        headers,
        body: body.to_owned(),
    };
    let answer = jar.send(sent).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer, jar.cookie(PORTAL, "__Host-octroi").is_some())
}

#[tokio::test]
async fn the_api_signs_in_and_says_what_comes_next() {
    let house = Gatehouse::with_marie().await;
    house.world.provisional("acme", "nora").await;
    let marie = format!(r#"{{"login":"marie","password":"{PASSWORD}"}}"#);
    let nora = format!(r#"{{"login":"nora","password":"{PASSWORD}","computer":"private"}}"#);
    for (body, told) in [
        (marie, r#""status":"signed_in""#),
        (nora, r#""status":"password_change_required""#),
    ] {
        let (answer, is_in) = api_answer(&house, &[JSON], &body).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.body.contains(told), "{}", answer.body);
        assert!(is_in);
    }
}

/// `ends_at` means the same wherever it stands: the end without further use; `ends_at_latest` is the end in any case.
#[tokio::test]
async fn the_api_says_the_same_end_at_sign_in_and_afterwards() {
    let house = Gatehouse::with_marie().await;
    for computer in ["public", "private"] {
        let mut jar = house.browser();
        let sent = Sent {
            method: Method::POST,
            host: PORTAL,
            target: "/.octroi/api/v1/login",
            headers: &[JSON],
            body: format!(r#"{{"login":"marie","password":"{PASSWORD}","computer":"{computer}"}}"#),
        };
        let told = [
            jar.send(sent).await,
            jar.get(PORTAL, "/.octroi/session").await,
        ]
        .map(|answer| {
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            ["ends_at", "ends_at_latest"].map(|name| body[name].as_str().unwrap().to_owned())
        });
        assert_eq!(told[0], told[1], "{computer}");
        assert!(told[0][0] < told[0][1], "{computer}: {told:?}");
    }
}

#[tokio::test]
async fn the_api_takes_nothing_but_json_of_its_own_shape() {
    let house = Gatehouse::with_marie().await;
    for (body, status, told) in [
        (
            r#"{"login":"marie","password":"no"}"#,
            401,
            "invalid_credentials",
        ),
        (r#"{"login":"","password":""}"#, 401, "invalid_credentials"),
        (r#"{"login":"marie"}"#, 400, "malformed_body"),
        (
            r#"{"login":"marie","password":"x","a":1}"#,
            400,
            "malformed_body",
        ),
        (
            r#"{"login":"a","login":"b","password":"x"}"#,
            400,
            "malformed_body",
        ),
        ("", 400, "malformed_body"),
    ] {
        let (answer, is_in) = api_answer(&house, &[JSON], body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.body);
        let told = format!("\"error\":\"{told}\"");
        assert!(answer.body.contains(&told), "{body}: {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert!(!is_in, "{body}");
    }
}

#[tokio::test]
async fn no_page_of_another_origin_signs_anybody_in() {
    let house = Gatehouse::with_marie().await;
    let right = format!(r#"{{"login":"marie","password":"{PASSWORD}"}}"#);
    for (headers, status) in [
        (vec![JSON, ("origin", "https://portail.exemple.fr")], 200),
        (vec![JSON, ("sec-fetch-site", "same-origin")], 200),
        (vec![], 415),
        (vec![("content-type", "text/plain")], 415),
        (
            vec![("content-type", "application/x-www-form-urlencoded")],
            415,
        ),
        (vec![JSON, JSON], 415),
        (vec![JSON, ("sec-fetch-site", "same-site")], 403),
        (vec![JSON, ("sec-fetch-site", "cross-site")], 403),
        (vec![JSON, ("origin", "null")], 403),
        (vec![JSON, ("origin", "https://paie.exemple.fr")], 403),
    ] {
        let (answer, is_in) = api_answer(&house, &headers, &right).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{headers:?}: {}",
            answer.body
        );
        assert_eq!(is_in, status == 200, "{headers:?}");
    }
}

#[tokio::test]
async fn b4_a_provisional_password_opens_nothing_but_the_choice_of_another() {
    let house = Gatehouse::open().await;
    house.world.provisional("acme", "nora").await;
    let mut browser = house.browser();
    let answer = signs_in(&mut browser, "nora", PASSWORD, "private").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/.octroi/account/password");
    for page in [
        "/.octroi/account",
        "/.octroi/account/sessions",
        "/.octroi/login",
    ] {
        let answer = browser.get(PORTAL, page).await;
        assert_eq!(answer.location(), "/.octroi/account/password", "{page}");
    }
}

#[tokio::test]
async fn asking_how_long_a_session_lives_does_not_make_it_live_longer() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let nobody = browser.get(PORTAL, "/.octroi/session").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.header("www-authenticate"), Some("Octroi"));
    signs_in(&mut browser, "marie", PASSWORD, "public").await;
    for left in [900, 600, 300] {
        let answer = browser.get(PORTAL, "/.octroi/api/v1/session").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let told = format!("\"seconds_left\":{left},");
        assert!(answer.body.contains(&told), "{left}: {}", answer.body);
        house.world.clock.advance(Duration::from_mins(5));
    }
    let ended = browser.get(PORTAL, "/.octroi/session").await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
}
