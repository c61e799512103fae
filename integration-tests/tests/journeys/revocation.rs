//! B14 and promise C1: what is open ends within a second of its session: sockets with 1008, streams. Transfers are in
//! [`super::transfers`], what ends a session in [`super::causes`].

use std::time::Duration;

use octroi_integration_tests::patience::Stopwatch;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::world::{SESSION_COOKIE, World};
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";
/// An end is seen within this time.
pub(super) const REVOCATION: Duration = Duration::from_secs(1);

pub(super) fn arrived(world: &World, login: &str) -> Visitor {
    let mut visitor = world.visitor();
    let page = world.sign_in_by_pages(&mut visitor, login, &world.url(HOST, "/request"));
    assert_eq!(
        page.response.status,
        200,
        "{login}: {}",
        page.response.everything()
    );
    visitor
}

pub(super) fn cookie(visitor: &Visitor) -> String {
    format!(
        "{SESSION_COOKIE}={}",
        visitor.cookie(HOST, SESSION_COOKIE).expect("a session")
    )
}

pub(super) fn revoke(world: &World, login: &str) -> Stopwatch {
    let watch = Stopwatch::start();
    let output = world.run(&["session", "revoke", "--account", login]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    watch
}

pub(super) fn websocket(world: &World, visitor: &Visitor) -> h1::Client {
    open_websocket(world, visitor).0
}

/// An open WebSocket, and the reference of the request that opened it.
fn open_websocket(world: &World, visitor: &Visitor) -> (h1::Client, String) {
    let authority = world.authority(HOST);
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://{authority}\r\nCookie: {}\r\n\r\n",
        cookie(visitor),
    );
    let answer = client.exchange(request.as_bytes()).response();
    assert_eq!(answer.status, 101, "{}", answer.everything());
    assert_eq!(
        answer.first("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    let request = answer.first("x-request-id").expect("a reference");
    (client, request.to_owned())
}

/// A text frame from a client; the mask of zeros leaves the text as it is.
pub(super) fn text_frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[0x81, 0x80 | length, 0, 0, 0, 0][..], text.as_bytes()].concat()
}

#[test]
fn b14_an_idle_websocket_is_closed_with_1008_when_its_session_ends() {
    let world = World::demo();
    let marie = arrived(&world, "acme/marie");
    let (mut socket, request) = open_websocket(&world, &marie);
    socket.send(&text_frame("bonjour"));
    let echoed = socket.exactly(9).expect("an echo").expect("an echo");
    assert_eq!(&echoed[2..], b"bonjour");
    let watch = revoke(&world, "acme/marie");
    let close = socket
        .exactly(4)
        .expect("a close")
        .expect("a close frame, not a cut");
    assert!(
        watch.elapsed() < REVOCATION + Duration::from_millis(500),
        "closed after {:?}",
        watch.elapsed()
    );
    assert_eq!(close[0], 0x88, "a close frame: {close:?}");
    assert_eq!(u16::from_be_bytes([close[2], close[3]]), 1008);
    drop(socket);
    let line = world.access_line(&request);
    let facts = [&line["status"], &line["ended"], &line["bytes_in"]];
    // Head and mask of a frame are six bytes.
    assert_eq!(
        facts.map(ToString::to_string),
        ["101", "\"session_ended\"", "13"],
        "{line}"
    );
    assert!(line["bytes_out"].as_u64() >= Some(9), "{line}");
}

#[test]
fn b14_a_websocket_of_another_origin_is_refused() {
    let world = World::demo();
    let marie = arrived(&world, "acme/marie");
    let authority = world.authority(HOST);
    let echo = world.facts.service("echo").count();
    for origin in [
        "https://evil.example",
        "null",
        "https://paie.localhost",
        &format!("http://{authority}"),
    ] {
        let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {origin}\r\nCookie: {}\r\n\r\n",
            cookie(&marie),
        );
        let answer = client.exchange(request.as_bytes());
        assert_eq!(answer.status(), 403, "{origin}: {answer:?}");
    }
    assert_eq!(world.facts.service("echo").count(), echo);
}

#[test]
fn a_silent_stream_ends_when_its_session_does() {
    let world = World::demo();
    let marie = arrived(&world, "acme/marie");
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    let request = format!(
        "GET /events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
        world.authority(HOST),
        cookie(&marie)
    );
    client.send(request.as_bytes());
    assert_eq!(client.head().expect("a head").expect("a head").status, 200);
    client.some().expect("an event");
    let watch = revoke(&world, "acme/marie");
    while !client.some().expect("events, then the end").is_empty() {
        assert!(
            watch.elapsed() < Duration::from_secs(5),
            "the stream goes on"
        );
    }
    assert!(
        watch.elapsed() < REVOCATION + Duration::from_millis(500),
        "ended after {:?}",
        watch.elapsed()
    );
}

#[test]
fn of_two_sessions_on_one_connection_only_the_ended_one_ends() {
    let world = World::demo();
    let marie = arrived(&world, "acme/marie");
    let paul = arrived(&world, "acme/paul");
    let authority = world.authority(HOST);
    let (first, second) = (cookie(&marie), cookie(&paul));
    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let of_marie = client.begin(
        &h2::fields(
            b"GET",
            authority.as_bytes(),
            b"/events",
            &[(b"cookie", first.as_bytes())],
        ),
        true,
    );
    let of_paul = client.begin(
        &h2::fields(
            b"GET",
            authority.as_bytes(),
            b"/events",
            &[(b"cookie", second.as_bytes())],
        ),
        true,
    );
    octroi_integration_tests::patience::pause(Duration::from_millis(1500));
    let watch = revoke(&world, "acme/marie");
    let mut after_end = 0;
    let mut ended = false;
    while watch.elapsed() < Duration::from_secs(5) && after_end < 2 {
        let Ok(Some(frame)) = client.next_frame() else {
            break;
        };
        if frame.stream == of_marie && frame.kind == h2::kind::RST_STREAM {
            ended = true;
        } else if frame.stream == of_paul && frame.kind == h2::kind::DATA && ended {
            after_end += 1;
        }
    }
    assert!(ended, "the ended session's stream goes on");
    assert_eq!(after_end, 2, "the other session's stream goes on");
    let mut fresh = h2::Client::connect(&world.door, HOST).expect("a connection");
    let fields = h2::fields(
        b"GET",
        authority.as_bytes(),
        b"/request",
        &[(b"cookie", first.as_bytes())],
    );
    let again = fresh.exchange(&fields, b"");
    assert_eq!(again.status(), 401, "{again:?}");
}
