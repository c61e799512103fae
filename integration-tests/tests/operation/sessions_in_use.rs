//! What counts as use of a session, and who may open a socket with it: `background` and `websocket_origins`.

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::h1;
use octroi_integration_tests::patience::pause;
use octroi_integration_tests::recorder::{Recorder, Reply};
use octroi_integration_tests::visitor::{VERSIONS, Visitor, navigation};
use octroi_integration_tests::world::{Route, SESSION_COOKIE, World};
use std::time::Duration;

const HOST: &str = "echo.localhost";

/// When the gateway says that the only session of marie was last used.
#[track_caller]
fn last_used(world: &World) -> String {
    let listed = world.run_json(&["session", "list", "--account", "acme/marie"]);
    let sessions = listed.as_array().expect("a list");
    assert_eq!(sessions.len(), 1, "{listed}");
    sessions[0]["last_used_at"]
        .as_str()
        .expect("a time")
        .to_owned()
}

/// Long enough for a time in whole seconds to be another.
fn a_second_later() {
    pause(Duration::from_millis(1_100));
}

/// A person who navigates or sends uses the session; what a page asks for by itself does not where the route says so,
/// nor does a request for a stream.
#[test]
fn requests_that_come_by_themselves_leave_the_idle_time_alone() {
    let upstream = Recorder::start();
    let route = |path, more| Route {
        host: HOST,
        path,
        to: &upstream,
        more,
    };
    let world = World::with_routes(&[
        route("/poll/", "allow = \"everyone\"\nbackground = true"),
        route("/", "allow = \"everyone\""),
    ]);
    let mut marie = world.visitor();
    world.sign_in_by_pages(&mut marie, "acme/marie", &world.url(HOST, "/a"));
    for version in VERSIONS {
        marie.version = version;
        let before = last_used(&world);
        a_second_later();
        let stream = [("Accept".to_owned(), "text/event-stream".to_owned())];
        let kinds = [
            ("GET", "/poll/a", navigation("none")),
            ("POST", "/poll/a", Vec::new()),
            ("GET", "/a", stream.to_vec()),
        ];
        for (method, path, fields) in kinds {
            let answer = marie.ask(method, &world.url(HOST, path), &fields, b"");
            assert_eq!(answer.status(), 200, "{method} {path}: {answer:?}");
            assert_eq!(last_used(&world), before, "{version:?} {method} {path}");
        }
        let seconds = world.url(HOST, "/.octroi/session");
        let told = marie.ask("GET", &seconds, &[], b"").response();
        assert_eq!(told.json()["status"], "signed_in");
        assert_eq!(last_used(&world), before, "asking for the seconds left");
        for (method, fields) in [("GET", navigation("none")), ("POST", Vec::new())] {
            let before = last_used(&world);
            a_second_later();
            let answer = marie.ask(method, &world.url(HOST, "/a"), &fields, b"");
            assert_eq!(answer.status(), 200, "{answer:?}");
            assert_ne!(last_used(&world), before, "{version:?} {method}: use");
        }
    }
}

/// The route's own host and the origins that it lists may open sockets in a person's name, and no others.
#[test]
fn b14_only_listed_origins_open_a_websocket_in_a_persons_name() {
    let accepting = Recorder::scripted(|_, stream| {
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(head.as_bytes()).ok();
        Reply::Taken
    });
    let world = World::with_routes(&[Route {
        host: HOST,
        path: "/",
        to: &accepting,
        more: "allow = \"everyone\"\nwebsocket_origins = [\"https://app.example.com\"]",
    }]);
    let mut marie = world.visitor();
    world.sign_in_by_pages(
        &mut marie,
        "acme/marie",
        &format!("https://{}/.octroi/account", world.portal()),
    );
    marie.ask("GET", &world.url(HOST, "/.octroi/login"), &[], b"");
    let marie = arrived(&world, marie);
    let own = format!("https://{}", world.authority(HOST));
    for (origin, status) in [
        ("https://app.example.com", 101),
        (own.as_str(), 101),
        ("https://app.example.com.evil.example", 403),
        ("https://evil.example", 403),
        ("http://app.example.com", 403),
        ("https://app.example.com:8443", 403),
        ("null", 403),
    ] {
        accepting.forget();
        let answer = upgrade(&world, &marie, origin);
        assert_eq!(answer.status(), status, "{origin}: {answer:?}");
        let upgrades = accepting.count();
        assert_eq!(upgrades, usize::from(status == 101), "{origin}");
        if let (403, Answer::Response(refused)) = (status, &answer) {
            assert_eq!(refused.json()["error"], "foreign_origin");
        }
    }
    let without = upgrade(&world, &marie, "");
    assert_eq!(without.status(), 403, "no origin at all: {without:?}");
}

/// The same person, with a session on the service's host.
fn arrived(world: &World, mut visitor: Visitor) -> Visitor {
    // The service answers with nothing but upgrades: the last hop has no answer.
    let mut url = world.url(HOST, "/");
    while visitor.cookie(HOST, SESSION_COOKIE).is_none() {
        let answer = visitor.ask("GET", &url, &navigation("none"), b"");
        let next = octroi_integration_tests::visitor::redirect(&url, &answer.response());
        url = next.expect("a way to the host");
    }
    visitor
}

fn upgrade(world: &World, visitor: &Visitor, origin: &str) -> Answer {
    let authority = world.authority(HOST);
    let origin = match origin {
        "" => String::new(),
        origin => format!("Origin: {origin}\r\n"),
    };
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{origin}Cookie: {}\r\n\r\n",
        visitor.cookie_field(HOST).expect("a session")
    );
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    client.exchange(request.as_bytes())
}
