//! Which sessions count, what renews them, and what happens when nobody knows.

use std::time::Duration;

use octroi_policy::session::{Computer, SessionEpoch};

use super::{
    World,
    world::{Behind, NOW, facts},
};
use crate::listener::open_requests::{EndReason, OpenRequest};

fn get(host: &str, more: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
}

fn told(answer: &str) -> (&str, String) {
    let status = answer.split(' ').nth(1).unwrap_or("none");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    (status, problem["error"].as_str().unwrap_or("-").to_owned())
}

#[tokio::test]
async fn b8_a_session_that_ended_idled_or_changed_hands_counts_no_more() {
    for (spoil, error) in [
        ("ended", "session_revoked"),
        ("idle", "session_idle"),
        ("epoch", "session_account_changed"),
        ("locked", "session_account_changed"),
        ("host", "session_wrong_host"),
    ] {
        let world = World::new().await;
        let host = if spoil == "host" {
            "open.example.com"
        } else {
            "paie.example.com"
        };
        let (cookie, known) = world.sessions.open(host, &["rh"], Computer::Private);
        match spoil {
            "ended" => known.session.end(),
            "idle" => world.clock.advance(Duration::from_hours(1)),
            "epoch" => known.session.account().raise(SessionEpoch(2)),
            "locked" => known.session.account().close(),
            _ => {}
        }
        let answer = world
            .send(get("paie.example.com", &format!("Cookie: {cookie}\r\n")))
            .await;
        assert_eq!(
            told(&answer),
            ("401", error.to_owned()),
            "{spoil}\n{answer}"
        );
        assert_eq!(world.seen.all(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn invariant_2_a_store_that_cannot_be_reached_closes_the_door() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let request = get("paie.example.com", &format!("Cookie: {cookie}\r\n"));
    *world.sessions.behind.lock().unwrap() = Behind::Down;
    let answer = world.send(&request).await;
    assert_eq!(told(&answer), ("503", "store_unavailable".to_owned()));
    assert!(
        answer.to_ascii_lowercase().contains("retry-after: "),
        "{answer}"
    );
    assert_eq!(world.seen.all(), Vec::<String>::new());
    *world.sessions.behind.lock().unwrap() = Behind::Remote;
    let answer = world.send(&request).await;
    assert_eq!(told(&answer).0, "200");
}

#[tokio::test]
async fn two_cookies_and_api_tokens_are_refused() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    for (more, status, error) in [
        (
            format!("Cookie: {cookie}; {cookie}\r\n"),
            "400",
            "cookie_repeated",
        ),
        (
            format!("Cookie: {cookie}\r\ncookie: __host-octroi=x\r\n"),
            "400",
            "cookie_repeated",
        ),
        (
            format!("Cookie: {cookie}\r\nAuthorization: Bearer oct_1\r\n"),
            "400",
            "two_credentials",
        ),
        (
            "Authorization: bearer oct_1\r\n".to_owned(),
            "401",
            "api_token",
        ),
    ] {
        let answer = world.send(get("paie.example.com", &more)).await;
        assert_eq!(told(&answer), (status, error.to_owned()), "{more}");
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn only_what_a_person_does_renews_the_idle_time() {
    let later = NOW.after(Duration::from_mins(10));
    let navigate = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let image = "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\nAccept: */*\r\n";
    let frame = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";
    let prefetch = format!("{navigate}Sec-Purpose: prefetch\r\n");
    for (line, more, used_at) in [
        ("GET /", navigate, later),
        ("POST /", "Content-Length: 0\r\n", later),
        ("GET /", frame, NOW),
        ("GET /", image, NOW),
        ("GET /", &prefetch, NOW),
        ("GET /", "Accept: text/event-stream\r\n", NOW),
        ("GET /polled", navigate, NOW),
        ("POST /polled", "Content-Length: 0\r\n", NOW),
    ] {
        let world = World::new().await;
        let (cookie, known) = world
            .sessions
            .open("paie.example.com", &["rh"], Computer::Private);
        world.clock.set(later);
        let request = format!(
            "{line} HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\n\
             Cookie: {cookie}\r\n{more}\r\n"
        );
        assert_eq!(told(&world.send(request).await).0, "200");
        assert_eq!(known.session.last_used_at(), used_at, "{line} {more}");
    }
}

#[tokio::test]
async fn an_open_request_is_found_by_its_session_and_gone_when_it_is_over() {
    let world = World::before(silent_service().await, super::Seen::default()).await;
    let (cookie, known) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let (client, ours) = tokio::io::duplex(4096);
    let (_read, mut write) = tokio::io::split(client);
    let request = get("paie.example.com", &format!("Cookie: {cookie}\r\n"));
    tokio::io::AsyncWriteExt::write_all(&mut write, request.as_bytes())
        .await
        .unwrap();
    let open = OpenRequest::new(facts(None));
    let registry = world.gate.0.open_requests.clone();
    {
        let mut serving = std::pin::pin!(world.serve(ours, open.clone()));
        tokio::select! {
            () = &mut serving => panic!("the service says nothing"),
            () = async { while registry.len() == 0 { tokio::task::yield_now().await } } => {}
        }
        let session = known.session.record.id;
        assert_eq!(registry.end_session(session, EndReason::SessionEnded), 1);
        assert_eq!(open.ended().await, EndReason::SessionEnded);
        // The door drops Pingora's future now.
    }
    assert_eq!(registry.len(), 0);
    let line = world.access_lines().pop().unwrap();
    assert_eq!(line["ended"], "session_ended");
    assert!(
        world
            .metrics
            .text()
            .contains("octroi_requests_in_flight{route=\"paie\"} 0")
    );
}

async fn silent_service() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    address
}
