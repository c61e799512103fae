//! Invariant 8: every deadline of the door and of a route, seen to expire, with what both sides are then told.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::patience::{Stopwatch, pause};
use octroi_integration_tests::recorder::{Recorder, Reply, ok};
use octroi_integration_tests::visitor::{VERSIONS, Version};
use octroi_integration_tests::world::{Route, World};
use octroi_integration_tests::{h1, h2};
use serde_json::json;

const HOST: &str = "echo.localhost";
/// Every deadline of the door in these tests, but for the body's.
const DEADLINE: Duration = Duration::from_secs(1);
/// How much later than its deadline something may end on a busy machine.
const LATE: Duration = Duration::from_millis(2_500);

const SHORT: &str = "\n[connections]\nhandshake_deadline = \"1s\"\nheader_deadline = \"1s\"\nidle_deadline = \"1s\"\n\
                     body_deadline = \"2s\"\nbody_rate_min = 1\n";

fn world(upstream: &Recorder, route: &str, more: &str) -> World {
    let more_of_route = format!("sign_in = \"public\"\n{route}");
    let route = Route {
        host: HOST,
        path: "/",
        to: upstream,
        more: &more_of_route,
    };
    World::configured(&[route], |text| text + more)
}

#[track_caller]
fn assert_ended(what: &str, after: Duration, deadline: Duration) {
    let allowed = deadline.saturating_sub(Duration::from_millis(100))..deadline + LATE;
    assert!(allowed.contains(&after), "{what} ended after {after:?}");
}

#[test]
fn invariant_8_a_handshake_that_does_not_come_ends_at_its_deadline() {
    let upstream = Recorder::start();
    let world = world(&upstream, "", SHORT);
    for first in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = world.door.tcp().expect("tcp");
        std::io::Write::write_all(&mut stream, first).expect("a write");
        let watch = Stopwatch::start();
        let mut byte = [0; 64];
        while matches!(stream.read(&mut byte), Ok(1..)) {}
        assert_ended("a handshake", watch.elapsed(), DEADLINE);
    }
}

#[test]
fn invariant_8_a_head_that_does_not_end_is_told_408_and_closed() {
    let upstream = Recorder::start();
    let world = world(&upstream, "", SHORT);
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    client.send(b"GET /a HTTP/1.1\r\nHost: echo.localhost\r\n");
    let watch = Stopwatch::start();
    let answer = client.answer(false).response();
    assert_ended("a head", watch.elapsed(), DEADLINE);
    let all = answer.everything();
    assert_eq!(answer.status, 408, "{all}");
    assert_eq!(answer.json()["error"], "head_too_slow", "{all}");
    assert!(client.is_closed(), "the connection goes on");
    let id = answer.first("x-request-id").expect("a reference");
    assert_eq!(world.access_line(id)["refused"], "head_too_slow");

    // HTTP/2: a header block left unfinished closes the connection, and so does silence after the handshake.
    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let stream = client.open();
    let block = octroi_integration_tests::hpack::encode(&[(b":method", b"GET")]);
    client.frame(h2::kind::HEADERS, h2::flag::END_STREAM, stream, &block);
    let watch = Stopwatch::start();
    // Nothing may be sent meanwhile, not even an acknowledgement: RFC 9113 §6.2 allows no other frame in the block.
    while matches!(client.next_frame(), Ok(Some(_))) {}
    assert_ended("a header block", watch.elapsed(), DEADLINE);
    assert_eq!(upstream.count(), 0);
}

#[test]
fn invariant_8_a_connection_that_rests_is_closed() {
    let upstream = Recorder::start();
    let world = world(&upstream, "", SHORT);
    let authority = world.authority(HOST);
    // Before the first request and between two.
    for asks in [false, true] {
        let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
        if asks {
            let request = format!("GET /a HTTP/1.1\r\nHost: {authority}\r\n\r\n");
            assert_eq!(client.exchange(request.as_bytes()).status(), 200);
        }
        let watch = Stopwatch::start();
        assert!(client.is_closed(), "something came");
        assert_ended("h1 at rest", watch.elapsed(), DEADLINE);

        let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
        if asks {
            let fields = h2::fields(b"GET", authority.as_bytes(), b"/a", &[]);
            assert_eq!(client.exchange(&fields, b"").status(), 200);
        }
        let watch = Stopwatch::start();
        let mut went_away = false;
        while let Ok(Some(frame)) = client.next_frame() {
            went_away |= frame.kind == h2::kind::GOAWAY;
        }
        assert_ended("h2 at rest", watch.elapsed(), DEADLINE);
        assert!(went_away || !asks, "HTTP/2 says goodbye");
    }
}

/// A body has a time in all, however steadily it comes; and a least rate, however long it may take.
#[test]
fn invariant_8_a_body_that_takes_too_long_is_told_408() {
    let upstream = Recorder::start();
    let world = world(&upstream, "", SHORT);
    for version in VERSIONS {
        let (answer, after) = drip(&world, version);
        assert_ended("a body", after, Duration::from_secs(2));
        if version == Version::H2 {
            // Nothing can be written on the stream any more (ADR 0102).
            assert!(matches!(answer, Answer::Reset(_)), "{answer:?}");
            continue;
        }
        let answer = answer.response();
        let all = answer.everything();
        assert_eq!(answer.status, 408, "{all}");
        assert_eq!(answer.json()["error"], "body_too_slow", "{all}");
        assert_eq!(answer.first("cache-control"), Some("no-store"), "{all}");
        let id = answer.first("x-request-id").expect("a reference");
        assert_eq!(answer.json()["request_id"], id, "{all}");
        let line = world.access_line(id);
        assert_eq!(
            (&line["refused"], &line["status"], &line["path"]),
            (&json!("body_too_slow"), &json!(408), &json!("/a")),
            "{line}"
        );
    }
    assert!(
        upstream.seen().iter().all(|seen| !seen.is_complete),
        "a cut body passed for a whole one"
    );
}

/// A body of a kilobyte, ten bytes each tenth of a second; the answer, and when it came.
fn drip(world: &World, version: Version) -> (Answer, Duration) {
    let authority = world.authority(HOST);
    match version {
        Version::H1 => {
            let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
            let head =
                format!("POST /a HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 1000\r\n\r\n");
            client.send(head.as_bytes());
            client.wire().be_patient_for(Duration::from_millis(100));
            until_answered(|| {
                client.send(b"0123456789");
                client.answer(false)
            })
        }
        Version::H2 => {
            let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
            let fields = h2::fields(b"POST", authority.as_bytes(), b"/a", &[]);
            let stream = client.begin(&fields, false);
            client.wire().be_patient_for(Duration::from_millis(100));
            until_answered(|| {
                client.data(stream, b"0123456789", false);
                client.answer(stream)
            })
        }
    }
}

/// Sends and looks for an answer, in turn, until there is one; the answer, and when it came.
fn until_answered(mut send_and_look: impl FnMut() -> Answer) -> (Answer, Duration) {
    let watch = Stopwatch::start();
    loop {
        let answer = send_and_look();
        if answer != Answer::Silence || watch.elapsed() >= Duration::from_secs(8) {
            return (answer, watch.elapsed());
        }
    }
}

/// A service whose queue of connections is full takes no further one: 502 after the route's `connect`.
#[test]
fn invariant_8_a_service_that_takes_no_connection_is_given_up_in_time() {
    let full = Full::start();
    let upstream = Recorder::start();
    let more = "sign_in = \"public\"\ntimeouts = { connect = \"1s\" }";
    let route = Route {
        host: HOST,
        path: "/",
        to: &upstream,
        more,
    };
    let world = World::configured(&[route], |text| {
        text.replace(&upstream.url(), &format!("http://{}", full.address))
    });
    for version in VERSIONS {
        let mut visitor = world.visitor().speaking(version);
        let watch = Stopwatch::start();
        let answer = visitor.ask("GET", &world.url(HOST, "/a"), &[], b"");
        let answer = answer.response();
        assert_ended("a connection", watch.elapsed(), DEADLINE);
        let all = answer.everything();
        assert_eq!(answer.status, 502, "{all}");
        assert_eq!(answer.json()["error"], "upstream_unreachable", "{all}");
        assert!(!all.contains(&full.address.port().to_string()), "{all}");
    }
}

/// An address that takes no connection costs one request its time and not each; a WebSocket is tried elsewhere, too.
#[test]
fn an_address_that_takes_no_connection_waits_while_another_is_good() {
    let full = Full::start();
    let upstream = Recorder::scripted(|seen, stream| {
        if seen.only("upgrade").is_none() {
            return Reply::Response(ok("here\n"));
        }
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(head.as_bytes()).ok();
        Reply::Taken
    });
    let start = || {
        let route = Route {
            host: HOST,
            path: "/",
            to: &upstream,
            more: "sign_in = \"public\"\ntimeouts = { connect = \"1s\" }",
        };
        let both = format!("to = [\"http://{}\", \"{}\"]", full.address, upstream.url());
        let one = format!("to = [\"{}\"]", upstream.url());
        World::configured(&[route], |text| text.replace(&one, &both))
    };
    let world = start();
    let authority = world.authority(HOST);
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Origin: https://{authority}\r\n\r\n"
    );
    for _ in 0..2 {
        let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
        let answer = client.exchange(request.as_bytes());
        assert_eq!(answer.status(), 101, "{answer:?}");
    }
    for version in VERSIONS {
        let world = start();
        let watch = Stopwatch::start();
        for number in 0..12 {
            let mut visitor = world.visitor().speaking(version);
            let answer = visitor.ask("POST", &world.url(HOST, "/a"), &[], b"x");
            assert_eq!(answer.status(), 200, "{version:?}, {number}: {answer:?}");
        }
        // Every second one would have waited a second.
        let waited = watch.elapsed();
        assert!(waited < Duration::from_secs(4), "{version:?}: {waited:?}");
        assert!(
            waited > Duration::from_millis(900),
            "nobody met the dead address"
        );
    }
}

/// A listener that accepts nothing, with as many connections waiting as the system keeps for it.
struct Full {
    address: SocketAddr,
    _listener: socket2::Socket,
    _waiting: Vec<TcpStream>,
}

impl Full {
    fn start() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let listener = listener.expect("a socket");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(&any.into()).expect("a port");
        listener.listen(0).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let address = address.as_socket().expect("an address");
        let patience = Duration::from_millis(200);
        let connect = |_| TcpStream::connect_timeout(&address, patience).ok();
        let waiting: Vec<TcpStream> = (0..10).map_while(connect).collect();
        assert!(waiting.len() < 10, "the queue never fills");
        Self {
            address,
            _listener: listener,
            _waiting: waiting,
        }
    }
}

/// A service that stops in the middle of its answer: `response` bounds the silence of an ordinary answer, `idle` that of
/// a stream that the client asked for.
#[test]
fn invariant_8_an_answer_that_falls_silent_is_cut_in_time() {
    let stalling = Recorder::scripted(|seen, stream| {
        let kind = seen.only("accept").unwrap_or("text/plain");
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 10\r\n\r\nhello");
        stream.write_all(head.as_bytes()).ok();
        pause(Duration::from_secs(6));
        Reply::Taken
    });
    let route = "timeouts = { response = \"1s\", idle = \"3s\" }";
    let world = world(&stalling, route, "");
    let cases = [
        ("an ordinary answer", "text/plain", DEADLINE),
        ("a stream", "text/event-stream", Duration::from_secs(3)),
    ];
    let world = &world;
    thread::scope(|scope| {
        for version in VERSIONS {
            for (what, accept, deadline) in cases {
                scope.spawn(move || assert_cut(world, version, what, accept, deadline));
            }
        }
    });
}

#[track_caller]
fn assert_cut(world: &World, version: Version, what: &str, accept: &str, deadline: Duration) {
    let fields = [("Accept".to_owned(), accept.to_owned())];
    let mut visitor = world.visitor().speaking(version);
    let watch = Stopwatch::start();
    let answer = visitor.ask("GET", &world.url(HOST, "/a"), &fields, b"");
    assert_ended(what, watch.elapsed(), deadline);
    assert!(
        matches!(answer, Answer::Closed | Answer::Reset(_)),
        "half an answer passed for a whole one: {answer:?}"
    );
}

/// A socket on which both sides are silent ends after the route's `idle`; a ping counts as a sign of life.
#[test]
fn invariant_8_a_silent_websocket_is_closed_and_a_ping_keeps_it_open() {
    let accepting = Recorder::scripted(|seen, stream| {
        let key = seen.only("sec-websocket-key").unwrap_or_default();
        assert_eq!(key, "dGhlIHNhbXBsZSBub25jZQ==");
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(head.as_bytes()).ok();
        let mut sink = [0; 256];
        while matches!(stream.read(&mut sink), Ok(1..)) {}
        Reply::Taken
    });
    let world = world(&accepting, "timeouts = { idle = \"2s\" }", "");
    let open = || {
        let authority = world.authority(HOST);
        let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Origin: https://{authority}\r\n\r\n"
        );
        assert_eq!(client.exchange(request.as_bytes()).status(), 101);
        client
    };
    let mut pinged = open();
    for _ in 0..4 {
        pause(Duration::from_secs(1));
        pinged.send(&[0x89, 0x80, 0, 0, 0, 0]);
    }
    let watch = Stopwatch::start();
    pinged.exactly(1).expect("an end");
    assert_ended(
        "after the last ping",
        watch.elapsed(),
        Duration::from_secs(2),
    );
    let mut silent = open();
    let watch = Stopwatch::start();
    silent.exactly(1).expect("an end");
    assert_ended("a silent socket", watch.elapsed(), Duration::from_secs(2));
}

/// What is still being answered when the gateway is told to stop has `drain_deadline`, and not more.
#[test]
fn invariant_8_a_stop_waits_for_answers_until_its_deadline() {
    let silent = Recorder::scripted(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        stream.write_all(head.as_bytes()).ok();
        pause(Duration::from_secs(20));
        Reply::Taken
    });
    let mut world = world(&silent, "", "\n[connections]\ndrain_deadline = \"2s\"\n");
    let authority = world.authority(HOST);
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    client.send(format!("GET /a HTTP/1.1\r\nHost: {authority}\r\n\r\n").as_bytes());
    assert_eq!(client.head().expect("a head").expect("a head").status, 200);
    let watch = Stopwatch::start();
    let status = world.gateway.stop().expect("it stops");
    assert!(status.success(), "{}", world.log());
    assert_ended("a stop", watch.elapsed(), Duration::from_secs(2));
    assert!(
        TcpListener::bind(world.facts.https).is_ok(),
        "the port is free"
    );
}
