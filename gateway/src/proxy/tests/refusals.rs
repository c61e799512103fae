//! What is refused, how, and that the service never hears of it.

use std::time::Duration;

use octroi_policy::{request::Malformed, session::Computer};

use super::{World, world::fields};
use crate::listener::refusal::{DoorRefusal, DoorRefusals};

fn get(target: &str, host: &str, more: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn a1_no_spelling_of_a_closed_path_reaches_the_service_through_an_open_one() {
    let world = World::new().await;
    for target in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..%2fadmin",
        "/public/%252e%252e/admin",
        "//admin",
        "/public/..;/admin",
        "/public\\..\\admin",
        "/./admin",
        "/public/a#/../admin",
        "/public%00",
    ] {
        let answer = world.send(get(target, "open.example.com", "")).await;
        assert_eq!(status(&answer), "400", "{target}\n{answer}");
    }
    let answer = world.send(get("/admin", "open.example.com", "")).await;
    assert_eq!(status(&answer), "404");
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a2_no_spelling_of_a_host_reaches_a_closed_route() {
    let world = World::new().await;
    for host in [
        "paie.example.com",
        "PAIE.Example.com",
        "paie.example.com.",
        "paie.example.com:443",
    ] {
        let answer = world.send(get("/", host, "")).await;
        assert_eq!(status(&answer), "401", "{host}\n{answer}");
    }
    let absolute = get("https://paie.example.com/", "paie.example.com", "");
    assert_eq!(status(&world.send(absolute).await), "401");
    for request in [
        get("https://open.example.com/public", "paie.example.com", ""),
        get("/public", "open.example.com\r\nHost: paie.example.com", ""),
        "GET /public HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
    ] {
        assert_eq!(status(&world.send(&request).await), "400", "{request}");
    }
    let (answer, _) = world
        .send_as(
            Some("paie.example.com"),
            get("/public", "open.example.com", ""),
        )
        .await;
    assert_eq!(status(&answer), "421");
    for port in ["1", "80", "8443", "65535"] {
        let host = format!("open.example.com:{port}");
        let answer = world.send(get("/public", &host, "")).await;
        assert_eq!(status(&answer), "421", "{host}");
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a8_a_request_that_two_parsers_would_cut_differently_is_refused_and_the_connection_closed()
{
    let world = World::new().await;
    for head in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "X: a\r\n b\r\n\r\n",
        "X: a\n\r\n",
        "X : a\r\n\r\n",
    ] {
        let next = "GET /webhooks/smuggled HTTP/1.1\r\nHost: paie.example.com\r\n\r\n";
        let request = format!("POST /webhooks/ HTTP/1.1\r\nHost: paie.example.com\r\n{head}{next}");
        let answer = world.send(&request).await;
        assert_eq!(status(&answer), "400", "{request}\n{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn methods_that_echo_or_tunnel_are_not_served() {
    let world = World::new().await;
    for method in ["TRACE", "TRACK"] {
        let request = format!(
            "{method} /public HTTP/1.1\r\nHost: open.example.com\r\nConnection: close\r\n\r\n"
        );
        let answer = world.send(request).await;
        assert_eq!(status(&answer), "405", "{answer}");
        assert!(
            !fields(&answer.replace("\r\n", "\n"), "Allow").is_empty(),
            "{answer}"
        );
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a10_no_header_opens_a_protected_path() {
    let world = World::new().await;
    for more in [
        "User-Agent: kube-probe/1.30\r\n",
        "User-Agent: GoogleHC/1.0\r\n",
        "X-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n",
        "X-Original-URL: /webhooks/\r\nX-Rewrite-URL: /webhooks/\r\n",
        "X-HTTP-Method-Override: OPTIONS\r\n",
        "Remote-User: admin\r\nOctroi-Assertion: x\r\n",
        "Authorization: Basic YTpi\r\n",
        "Cookie: __Host-octroi=\r\n",
        "Cookie: __Host-octroi=x\r\n",
    ] {
        let answer = world.send(get("/", "paie.example.com", more)).await;
        assert_eq!(status(&answer), "401", "{more}\n{answer}");
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn programs_get_a_problem_and_people_are_led_to_sign_in_and_back() {
    let world = World::new().await;
    let answer = world.send(get("/a?b=c", "paie.example.com", "")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n", "\n");
    assert!(head.starts_with("HTTP/1.1 401 "), "{answer}");
    assert_eq!(fields(&head, "WWW-Authenticate"), ["Octroi"]);
    assert_eq!(fields(&head, "Content-Type"), ["application/problem+json"]);
    assert_eq!(fields(&head, "Cache-Control"), ["no-store"]);
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["error"], "sign_in_needed");
    assert_eq!(problem["login"], "https://login.example.com/.octroi/login");
    assert_eq!(
        problem["request_id"].as_str(),
        fields(&head, "X-Request-Id").first().copied()
    );

    let navigation = "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n";
    let answer = world
        .send(get("/a?b=c", "paie.example.com", navigation))
        .await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let head = answer.replace("\r\n", "\n");
    assert_eq!(
        fields(&head, "location"),
        ["https://login.example.com/from?return_to=/a%3Fb%3Dc"]
    );

    // A form that was sent is not led away, whatever the browser says of it: its person is told.
    for mode in ["", "Sec-Fetch-Mode: navigate\r\n"] {
        let post = format!(
            "POST /a HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\n{mode}Accept: text/html\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = world.send(&post).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("<p>SignInNeeded "), "{answer}");
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a_person_without_the_role_is_refused_without_being_told_which() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["it"], Computer::Private);
    let answer = world
        .send(get(
            "/",
            "paie.example.com",
            &format!("Cookie: {cookie}\r\n"),
        ))
        .await;
    assert_eq!(status(&answer), "403");
    assert!(
        answer.contains("not_allowed") && !answer.contains("rh"),
        "{answer}"
    );
    let line = world.access_lines().pop().unwrap();
    assert_eq!(line["because"], "role_missing");
    assert_eq!(
        line["route"], "paie",
        "who was refused where is found by route"
    );
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a_session_does_not_buy_attempts_at_signing_in_as_somebody_else() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("login.example.com", &[], Computer::Private);
    let attempt = format!(
        "POST /.octroi/api/v1/login HTTP/1.1\r\nHost: login.example.com\r\nConnection: close\r\n\
         Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n"
    );
    for _ in 0..50 {
        let answer = world.send(attempt.clone()).await;
        assert_ne!(status(&answer), "429", "{answer}");
    }
    assert_eq!(status(&world.send(attempt).await), "429");
}

#[tokio::test]
async fn strangers_are_answered_so_often_and_then_told_when_to_come_back() {
    let world = World::new().await;
    let mut last = String::new();
    for _ in 0..50 {
        last = world.send(get("/", "paie.example.com", "")).await;
        assert_eq!(status(&last), "401", "{last}");
    }
    let refused = world.send(get("/", "paie.example.com", "")).await;
    assert_eq!(status(&refused), "429", "{last}");
    let head = refused.replace("\r\n", "\n");
    let wait: u64 = fields(&head, "Retry-After")[0].parse().unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(wait)).await;
    tokio::time::resume();
    assert_eq!(
        status(&world.send(get("/", "paie.example.com", "")).await),
        "401"
    );
}

#[tokio::test]
async fn upgrades_to_anything_but_a_websocket_are_refused() {
    let world = World::new().await;
    let more = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let request = format!(
        "GET /public HTTP/1.1\r\nHost: open.example.com\r\nConnection: Upgrade, HTTP2-Settings\r\n{more}\r\n"
    );
    assert_eq!(status(&world.send(request).await), "400");
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_door_refuses_has_a_reference_an_access_line_and_counts_like_any_refusal() {
    let world = World::new().await;
    let facts = super::world::facts(None);
    for (refusal, status, reason) in [
        (
            DoorRefusal::Malformed(Malformed::HostRepeated),
            400,
            "request_host_repeated",
        ),
        (DoorRefusal::HeadTooLarge, 431, "head_too_large"),
        (DoorRefusal::HeadTooSlow, 408, "head_too_slow"),
        (DoorRefusal::BodyTooSlow, 408, "body_too_slow"),
    ] {
        let answer = world.gate.refuse(&facts, refusal);
        assert_eq!(answer.status(), status);
        let problem: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(problem["error"], reason);
        let id = answer.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(problem["request_id"], id);
        assert!(
            answer.headers().contains_key("strict-transport-security"),
            "{answer:?}"
        );
    }
    let lines = world.access_lines();
    let refused: Vec<_> = lines.iter().map(|line| line["refused"].clone()).collect();
    assert_eq!(
        refused,
        [
            "request_host_repeated",
            "head_too_large",
            "head_too_slow",
            "body_too_slow"
        ]
    );
    assert!(lines.iter().all(|line| line["method"] == "-"), "{lines:?}");
}
