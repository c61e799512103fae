//! D2, D3, D11: every parser is bounded; no secret is in an address, an answer, or a log.

use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::world::SESSION_COOKIE;
use serde_json::{Value, json};

use crate::stage::{HOST, ROLE, Stage};

/// Invariant 8: what a page takes is at most 64 KiB.
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
    for (length, status) in [
        (64 * 1024, 401),
        (64 * 1024 + 1, 413),
        (4 * 1024 * 1024, 413),
    ] {
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        let answer =
            Visitor::at(&stage.door()).ask("POST", &url, &headers, sized(length).as_bytes());
        let allowed = answer.status() == status
            || (status == 413 && answer.status() == 0)
            || (status == 401 && answer.status() == 400);
        assert!(allowed, "{length}: {answer:?}");
    }
}

#[test]
fn d2_deep_and_wide_documents_are_refused_quickly() {
    let stage = Stage::set();
    let url = format!("https://{}/.octroi/api/v1/login", stage.world.portal());
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let wide =
        json!({ "login": "x", "password": "y", "more": vec![Value::Null; 10_000] }).to_string();
    for body in [
        deep,
        wide,
        "{".repeat(60_000),
        "\"".repeat(60_000),
        "\u{feff}{}".to_owned(),
    ] {
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        let answer = Visitor::at(&stage.door()).ask("POST", &url, &headers, body.as_bytes());
        assert!(
            (400..500).contains(&answer.status()),
            "{}: {answer:?}",
            body.get(..20).unwrap_or_default()
        );
    }
    assert_eq!(
        stage
            .world
            .visitor()
            .get(&format!("https://{}/.octroi/login", stage.world.portal()))
            .status,
        200
    );
}

/// Invariant 5, over a whole visit: sign-in, two hosts, a wrong password, a sign-out.
#[test]
fn d11_no_secret_is_in_an_address_an_answer_or_a_log() {
    let stage = Stage::set();
    let account = stage.world.facts.with_role(ROLE).clone();
    let mut visitor = Visitor::at(&stage.door());
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

/// D3: a token differs from a right one in one place; the time to refuse it does not tell which.
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
        for version in octroi_integration_tests::visitor::VERSIONS {
            let answer = stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())]);
            assert!(answer.is_refusal(), "{place}: {answer:?}");
        }
    }
    stage.assert_nothing_passed("a nearly right token");
}
