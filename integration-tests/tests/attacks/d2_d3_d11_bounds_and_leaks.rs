//! D2, D3, D11: every parser is bounded; no secret is in an address, an answer, or a log.

use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::patience::Stopwatch;
use octroi_integration_tests::visitor::{VERSIONS, Version, Visitor};
use octroi_integration_tests::world::SESSION_COOKIE;
use serde_json::{Value, json};

use crate::stage::{HOST, ROLE, Stage};

#[test]
fn d2_bodies_of_pages_are_bounded() {
    let stage = Stage::set();
    let url = format!("https://{}/.octroi/api/v1/login", stage.world.portal());
    let sized = |length: usize| {
        let empty = json!({ "login": "acme/x", "password": "" })
            .to_string()
            .len();
        json!({ "login": "acme/x", "password": "a".repeat(length - empty) }).to_string()
    };
    for version in VERSIONS {
        for (length, status, reason) in [
            (64 * 1024, 401, "invalid_credentials"),
            (64 * 1024 + 1, 413, "body_too_large"),
            (1024 * 1024, 413, "body_too_large"),
        ] {
            let answer = post(&stage, version, &url, sized(length).as_bytes());
            let answer = answer.response();
            assert_eq!(
                (answer.status, &answer.json()["error"]),
                (status, &json!(reason)),
                "{version:?} {length}: {}",
                answer.everything()
            );
        }
    }
}

#[test]
fn d2_deep_and_wide_documents_are_refused_quickly() {
    let stage = Stage::set();
    let url = format!("https://{}/.octroi/api/v1/login", stage.world.portal());
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let wide =
        json!({ "login": "x", "password": "y", "more": vec![Value::Null; 10_000] }).to_string();
    let bodies = [
        deep,
        wide,
        "{".repeat(60_000),
        "\"".repeat(60_000),
        "\u{feff}{}".to_owned(),
    ];
    for version in VERSIONS {
        for body in &bodies {
            let watch = Stopwatch::start();
            let answer = post(&stage, version, &url, body.as_bytes()).response();
            assert_eq!(
                (answer.status, &answer.json()["error"]),
                (400, &json!("malformed_body")),
                "{version:?} {}: {}",
                body.get(..20).unwrap_or_default(),
                answer.everything()
            );
            assert!(watch.elapsed() < Duration::from_secs(5), "slowly");
        }
        let mut visitor = stage.world.visitor().speaking(version);
        let page = visitor.get(&format!("https://{}/.octroi/login", stage.world.portal()));
        assert_eq!(page.status, 200);
    }
}

fn post(stage: &Stage, version: Version, url: &str, body: &[u8]) -> Answer {
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    let mut visitor = Visitor::at(&stage.door()).speaking(version);
    visitor.ask("POST", url, &headers, body)
}

/// Invariant 5, over a whole visit: sign-in, two hosts, a wrong password, a sign-out.
#[test]
fn d11_no_secret_is_in_an_address_an_answer_or_a_log() {
    let stage = Stage::set();
    for version in VERSIONS {
        assert_keeps_secrets(&stage, version);
    }
}

#[track_caller]
fn assert_keeps_secrets(stage: &Stage, version: Version) {
    let account = stage.world.facts.with_role(ROLE).clone();
    let mut visitor = Visitor::at(&stage.door()).speaking(version);
    let wrong = "a wrong password 4711";
    visitor.sign_in(&stage.world.portal(), &account.full_login(), wrong);
    let signed_in = visitor.sign_in(
        &stage.world.portal(),
        &account.full_login(),
        &account.password,
    );
    let mut shown = vec![signed_in.text()];
    for hop in visitor.follow(&stage.world.url(HOST, "/a?key=secret-of-a-query")) {
        shown.push(hop.url.clone());
        shown.push(hop.response.text());
        shown.extend(hop.response.first("location").map(str::to_owned));
    }
    shown.extend(
        stage
            .closed
            .seen()
            .iter()
            .map(octroi_integration_tests::recorder::Seen::everything),
    );
    let tokens: Vec<String> = visitor
        .cookies
        .iter()
        .filter(|cookie| cookie.name == SESSION_COOKIE)
        .map(|cookie| cookie.value.clone())
        .collect();
    assert_eq!(tokens.len(), 2, "portal and host");
    stage.world.run(&["user", "show", &account.full_login()]);
    let log = stage.world.log();
    for secret in tokens.iter().chain([&account.password, &wrong.to_owned()]) {
        assert!(!log.contains(secret.as_str()), "the log holds {secret}");
        assert!(
            !shown.iter().any(|text| text.contains(secret.as_str())),
            "an answer or an address holds {secret}"
        );
    }
    assert!(!log.contains("secret-of-a-query"), "the log holds a query");
    let tickets: Vec<&str> = shown
        .iter()
        .flat_map(|text| text.split(['?', '&']))
        .filter_map(|part| part.strip_prefix("ticket="))
        .collect();
    assert!(!tickets.is_empty(), "the hand-over went by a ticket");
    for ticket in tickets {
        assert!(!log.contains(ticket), "the log holds a ticket");
    }
    for metrics in ["/metrics", "/readyz"] {
        let text = octroi_integration_tests::plain::get(stage.world.management(), metrics);
        assert!(
            !tokens.iter().any(|token| text.contains(token.as_str())),
            "{metrics} holds a token"
        );
    }
}

/// D3: a token that differs from a right one in one place is refused like any other. That no time tells the place is not
/// measured here: tokens are looked up by their digest, and `repo_tidy.rs` knows who compares secrets, and by what.
#[test]
fn d3_a_nearly_right_token_is_refused_like_any_other() {
    let stage = Stage::set();
    let insider = stage.insider();
    let token = insider
        .cookie(HOST, SESSION_COOKIE)
        .expect("a token")
        .to_owned();
    for place in [0, 1, 20, 40, 42] {
        let mut near: Vec<char> = token.chars().collect();
        near[place] = if near[place] == 'A' { 'B' } else { 'A' };
        let cookie = format!("{SESSION_COOKIE}={}", near.into_iter().collect::<String>());
        for version in VERSIONS {
            let answer = stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())]);
            assert!(answer.is_refusal(), "{place}: {answer:?}");
        }
    }
    stage.assert_nothing_passed("a nearly right token");
}
