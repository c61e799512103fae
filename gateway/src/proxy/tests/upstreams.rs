//! Services that do not answer, sockets, and pages of this process.

use octroi_policy::session::Computer;

use super::{
    World,
    world::{Seen, fields},
};

fn told(answer: &str) -> (&str, String) {
    let status = answer.split(' ').nth(1).unwrap_or("none");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    (status, problem["error"].as_str().unwrap_or("-").to_owned())
}

#[tokio::test]
async fn a_service_that_is_down_is_told_so_with_a_reference() {
    let world = World::new().await;
    let request = "GET / HTTP/1.1\r\nHost: down.example.com\r\nConnection: close\r\n\r\n";
    let answer = world.send(request).await;
    assert_eq!(
        told(&answer),
        ("502", "upstream_unreachable".to_owned()),
        "{answer}"
    );
    let request = "GET / HTTP/1.1\r\nHost: down.example.com\r\nAccept: text/html\r\n\r\n";
    let answer = world.send(request).await;
    assert!(answer.contains("<p>ServiceDown "), "{answer}");
    let lines = world.access_lines();
    assert!(
        lines
            .iter()
            .all(|line| line["refused"] == "upstream_unreachable"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_speak_http_is_broken() {
    let world = World::answering("no http at all\r\n\r\n").await;
    let request = "GET /public HTTP/1.1\r\nHost: open.example.com\r\nConnection: close\r\n\r\n";
    let answer = world.send(request).await;
    assert_eq!(
        told(&answer),
        ("502", "upstream_broken".to_owned()),
        "{answer}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_gives_504_and_a_stream_may_be_silent_for_longer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Its backlog takes connections, and nobody ever answers.
    let world = World::before(silent.local_addr().unwrap(), Seen::default()).await;
    for (more, least, most) in [
        ("", 1000, 1900),
        ("Accept: text/event-stream\r\n", 2000, 2900),
    ] {
        let began = tokio::time::Instant::now();
        let request =
            format!("GET / HTTP/1.1\r\nHost: slow.example.com\r\nConnection: close\r\n{more}\r\n");
        let answer = world.send(request).await;
        let took = began.elapsed().as_millis();
        assert_eq!(
            told(&answer),
            ("504", "upstream_too_slow".to_owned()),
            "{answer}"
        );
        assert!((least..most).contains(&took), "{took} ms: {more}");
    }
    drop(silent);
}

#[tokio::test]
async fn a_post_goes_to_the_next_address_where_the_first_refuses_the_connection() {
    let world = World::new().await;
    for turn in 0..4 {
        let request = "POST /a HTTP/1.1\r\nHost: half-down.example.com\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab";
        let answer = world.send(request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{turn}: {answer}");
    }
    assert_eq!(world.seen.all().len(), 4);
}

fn upgrade(host: &str, more: &str) -> String {
    format!(
        "GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn a_socket_opened_from_elsewhere_with_our_cookie_is_refused() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    for origin in [
        "",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: https://open.example.com\r\n",
        "Origin: http://paie.example.com\r\n",
        "Origin: https://paie.example.com\r\nOrigin: https://paie.example.com\r\n",
    ] {
        let request = upgrade("paie.example.com", &format!("Cookie: {cookie}\r\n{origin}"));
        let answer = world.send(request).await;
        assert_eq!(
            told(&answer),
            ("403", "foreign_origin".to_owned()),
            "{origin}"
        );
    }
    let answer = world
        .send(upgrade("paie.example.com", "Sec-Fetch-Mode: navigate\r\n"))
        .await;
    assert_eq!(told(&answer), ("401", "sign_in_needed".to_owned()));
    let answer = world.send(upgrade("login.example.com", "")).await;
    assert_eq!(told(&answer), ("400", "upgrade".to_owned()));
}

#[tokio::test]
async fn a_socket_of_ones_own_is_left_to_the_door_and_not_answered_here() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let more = format!("Cookie: {cookie}\r\nOrigin: https://paie.example.com\r\n");
    let (answer, open) = world
        .send_as(None, upgrade("paie.example.com", &more))
        .await;
    assert_eq!(answer, "");
    assert_eq!(world.gate.0.open_requests.len(), 1);
    assert_eq!(world.access_lines().len(), 0);
    let takeover = open.take_takeover().expect("the door is asked");
    let request = &takeover.request;
    assert_eq!(
        (request.method(), request.uri()),
        (&http::Method::GET, &"/socket".parse().unwrap())
    );
    assert_eq!(request.headers()["upgrade"], "websocket");
    assert_eq!(request.headers()["connection"], "Upgrade");
    assert_eq!(request.headers()["remote-groups"], "rh");
    assert!(!request.headers().contains_key("cookie"));
    drop(takeover);
    assert_eq!(world.gate.0.open_requests.len(), 0);
    assert_eq!(world.access_lines()[0]["route"], "paie");
}

#[tokio::test]
async fn pages_are_given_the_canonical_request_and_its_visitor() {
    let world = World::new().await;
    let request = "POST /.octroi/%6cogin?x HTTP/1.1\r\nHost: LOGIN.example.com\r\nConnection: close\r\n\
        Content-Length: 3\r\n\r\na=b";
    let answer = world.send(request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        answer.ends_with(
            "POST /.octroi/login?x on login.example.com from 192.0.2.7 token false body 3"
        ),
        "{answer}"
    );
    assert_eq!(
        fields(&answer.replace("\r\n", "\n"), "set-cookie"),
        ["a=b", "c=d"]
    );
    let head = "HEAD / HTTP/1.1\r\nHost: login.example.com\r\nConnection: close\r\n\r\n";
    let answer = world.send(head).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    let request =
        "GET /.octroi/session HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\n\r\n";
    assert!(world.send(request).await.starts_with("HTTP/1.1 200 "));
    let request =
        "GET /.octroi/account HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\n\r\n";
    assert!(world.send(request).await.starts_with("HTTP/1.1 404 "));
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn invariant_8_a_page_takes_so_much_body_and_not_a_byte_more() {
    let world = World::new().await;
    for (length, status) in [(65_535, "200"), (65_536, "200"), (65_537, "413")] {
        let body = "x".repeat(length);
        let head = format!(
            "POST /x HTTP/1.1\r\nHost: login.example.com\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let answer = world.send(head + &body).await;
        assert_eq!(told(&answer).0, status, "{length}");
    }
    let head = "POST /x HTTP/1.1\r\nHost: login.example.com\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n";
    let answer = world
        .send(format!("{head}{}\r\n0\r\n\r\n", "x".repeat(0x10001)))
        .await;
    assert_eq!(told(&answer), ("413", "body_too_large".to_owned()));
}
