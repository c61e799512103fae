//! A8: one request in, one request out. The upstream counts; what is framed in two ways is refused and the connection ends.

use std::thread;
use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::recorder::{Recorder, Reply, ok};
use octroi_integration_tests::visitor::Version;
use octroi_integration_tests::{h1, h2};

use crate::stage::{HOST, Stage};

/// A request that must never be seen, as the rest of another one's bytes.
const SMUGGLED: &str = "GET /admin HTTP/1.1\r\nHost: echo.localhost\r\n\r\n";

/// Heads of a POST (after the request line and Host) and contents that two servers may frame differently.
const AMBIGUOUS: [(&str, &str); 30] = [
    (
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "0\r\n\r\nX",
    ),
    (
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
        "0\r\n\r\nX",
    ),
    ("Transfer-Encoding: chunked, x", "0\r\n\r\n"),
    ("Transfer-Encoding: x, chunked", "0\r\n\r\n"),
    ("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
    ("Transfer-Encoding: identity", ""),
    ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    ("Transfer-Encoding: \x0bchunked", "0\r\n\r\n"),
    ("Transfer-Encoding : chunked", "0\r\n\r\n"),
    (
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "0\r\n\r\n",
    ),
    ("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"),
    ("Transfer-Encoding:", ""),
    ("Transfer-Encoding: gzip", ""),
    ("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"),
    ("Transfer\rEncoding: chunked", "0\r\n\r\n"),
    ("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n"),
    ("X: y\r\n\tfolded", ""),
    ("X: y\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    ("Content-Length: 1\r\nContent-Length: 2", "xx"),
    ("Content-Length: 1, 2", "xx"),
    ("Content-Length: +1", "x"),
    ("Content-Length: -1", ""),
    ("Content-Length: 0x1", "x"),
    ("Content-Length: 1 1", "x"),
    ("Content-Length: ", ""),
    ("Content-Length: 1\x0b", "x"),
    ("Content-Length: 18446744073709551616", ""),
    ("Content-Length: 99999999999999999999999", ""),
    ("Content-Length: 1e1", "x"),
    ("Content_Length: 5\r\nContent-Length: 0", ""),
];

#[test]
fn a8_a_body_framed_in_two_ways_is_refused_and_the_connection_closed() {
    let stage = Stage::set();
    for (head, content) in AMBIGUOUS {
        let request = format!(
            "POST /public/a HTTP/1.1\r\nHost: {}\r\n{head}\r\n\r\n{content}",
            stage.world.authority(HOST)
        );
        let mut client = h1::Client::connect(&stage.door(), HOST).expect("a connection");
        client.send(request.as_bytes());
        client.send(SMUGGLED.as_bytes());
        let answer = client.answer(false);
        assert!(
            matches!(answer.status(), 0 | 400 | 413 | 501) && answer.is_refusal_or(501),
            "{head:?}: {answer:?}"
        );
        assert_eq!(
            client.answer(false),
            Answer::Closed,
            "{head:?}: the connection goes on"
        );
        stage.assert_nothing_passed(head);
    }
}

/// Bodies that are chunked wrongly: the head is good, so that the upstream may have seen it; never as a whole request.
#[test]
fn a8_a_broken_chunk_never_completes_a_request() {
    let stage = Stage::set();
    let broken: [&str; 12] = [
        "1\nx\n0\n\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "0x1\r\nx\r\n0\r\n\r\n",
        "+1\r\nx\r\n0\r\n\r\n",
        "-1\r\nx\r\n0\r\n\r\n",
        "1 \r\nx\r\n0 1\r\n\r\n",
        "ffffffffffffffff1\r\nx\r\n",
        "1;\nx\r\n0\r\n\r\n",
        "g\r\nx\r\n0\r\n\r\n",
        "\r\n1\r\nx\r\n0\r\n\r\n",
        "1\r\nx0\r\n\r\n",
        "1\r\nx\r\n0\r\nBad Name: x\r\n\r\n",
    ];
    for (number, content) in broken.iter().enumerate() {
        let authority = stage.world.authority(HOST);
        let target = format!("/public/{number}");
        let head = format!("POST {target} HTTP/1.1\r\nHost: {authority}\r\n");
        let mut client = h1::Client::connect(&stage.door(), HOST).expect("a connection");
        client.wire().be_patient_for(Duration::from_secs(3));
        let request = format!("{head}Transfer-Encoding: chunked\r\n\r\n{content}{SMUGGLED}");
        let answer = client.exchange(request.as_bytes());
        let seen = stage.open.seen();
        let whole = seen
            .iter()
            .any(|one| one.target == target && one.is_complete);
        assert!(
            !whole || answer.status() != 200 || content.contains("\r\n0"),
            "{content:?}: {answer:?}"
        );
    }
    let mut targets: Vec<String> = stage
        .open
        .seen()
        .into_iter()
        .map(|one| one.target)
        .collect();
    targets.sort();
    targets.dedup();
    assert_eq!(targets.len(), stage.open.count(), "one request became two");
    assert!(
        targets.iter().all(|target| target.starts_with("/public/")),
        "{targets:?}"
    );
    assert_eq!(stage.closed.count(), 0);
}

#[test]
fn a8_http_1_0_cannot_be_chunked() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let request = format!(
        "POST /public/a HTTP/1.0\r\nHost: {authority}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"
    );
    let answer = stage.send_h1(HOST, request.as_bytes());
    assert!(answer.is_refusal(), "{answer:?}");
    stage.assert_nothing_passed("chunked in HTTP/1.0");
}

#[test]
fn a8_line_ends_are_two_bytes() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let bare = [
        format!("GET /public/a HTTP/1.1\nHost: {authority}\n\n"),
        format!("GET /public/a HTTP/1.1\r\nHost: {authority}\n\r\n"),
        format!("GET /public/a HTTP/1.1\r\nHost: {authority}\r\nX: y\n\r\n"),
        format!("GET /public/a HTTP/1.1\rHost: {authority}\r\r"),
        format!("GET /public/a HTTP/1.1\r\nHost: {authority}\r\nX: a\rb\r\n\r\n"),
        format!("GET /public/a HTTP/1.1\r\n Host: {authority}\r\n\r\n"),
        format!("GET /public/a HTTP/1.1\r\n\r\nHost: {authority}\r\n\r\n"),
    ];
    // Some are heads that never end, for which the gateway waits until its deadline: all wait beside each other.
    thread::scope(|scope| {
        for request in &bare {
            let door = stage.door();
            scope.spawn(move || {
                let mut client = h1::Client::connect(&door, HOST).expect("a connection");
                client.wire().be_patient_for(Duration::from_secs(12));
                let answer = client.exchange(request.as_bytes());
                assert!(answer.is_refusal(), "{request:?}: {answer:?}");
            });
        }
    });
    stage.assert_nothing_passed("a line that ends with one byte");
}

/// A pipelined request is judged for itself: the first one's session is not the second one's.
#[test]
fn a8_a_pipelined_request_is_never_served_on_the_first_ones_session() {
    let stage = Stage::set();
    let insider = stage.insider();
    let authority = stage.world.authority(HOST);
    let cookie = Stage::cookie_of(&insider);
    let pair = format!(
        "GET /mine HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\n\r\nGET /stolen HTTP/1.1\r\nHost: {authority}\r\n\r\n"
    );
    let mut client = h1::Client::connect(&stage.door(), HOST).expect("a connection");
    client.send(pair.as_bytes());
    assert_eq!(client.answer(false).status(), 200);
    let second = client.answer(false);
    assert!(
        second.is_challenge() || second == Answer::Closed,
        "{second:?}"
    );
    let targets: Vec<String> = stage
        .closed
        .seen()
        .into_iter()
        .map(|seen| seen.target)
        .collect();
    assert_eq!(targets, ["/mine"]);
}

/// Bytes after an upgrade that the upstream refuses are the client's next request, never the upstream's.
#[test]
fn a8_bytes_after_a_refused_upgrade_are_no_request_of_anyone() {
    let refusing = Recorder::scripted(|_, _| Reply::Response(ok("no upgrade here\n")));
    let stage = Stage::with(refusing, Recorder::start());
    let authority = stage.world.authority(HOST);
    for upgrade in ["websocket", "h2c", "TLS/1.0", "websocket, h2c"] {
        let request = format!(
            "GET /public/socket HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://{authority}\r\n\r\n{SMUGGLED}"
        );
        stage.open.forget();
        let mut client = h1::Client::connect(&stage.door(), HOST).expect("a connection");
        let first = client.exchange(request.as_bytes());
        assert!(
            first.status() == 200 || first.is_refusal(),
            "{upgrade}: {first:?}"
        );
        let second = client.answer(false);
        assert!(second.status() != 200, "{upgrade}: {second:?}");
        assert!(
            stage
                .open
                .seen()
                .iter()
                .all(|seen| seen.target == "/public/socket"),
            "{upgrade}"
        );
        assert_eq!(stage.closed.count(), 0, "{upgrade}");
    }
}

/// HTTP/2 frames its bodies itself; what it says about their length must agree, and nothing of it becomes a request line.
#[test]
fn a8_http2_cannot_smuggle_into_http1() {
    let stage = Stage::set();
    let injections: [(&[u8], &[u8]); 6] = [
        (
            b"x",
            b"a\r\n\r\nGET /admin HTTP/1.1\r\nHost: echo.localhost\r\n\r\n",
        ),
        (b"x: y\r\nz", b"1"),
        (b"content-length", b"5"),
        (b"content-length", b"0, 0"),
        (b"transfer-encoding", b"chunked"),
        (b"transfer-encoding ", b"chunked"),
    ];
    for field in injections {
        let answer = stage.send(Version::H2, b"POST", b"/public/a", &[field]);
        assert!(
            answer.is_refusal(),
            "{}: {answer:?}",
            field.1.escape_ascii()
        );
        assert!(
            stage
                .open
                .seen()
                .iter()
                .all(|seen| !seen.is_complete || seen.target == "/public/a")
        );
        assert_eq!(stage.closed.count(), 0, "{}", field.1.escape_ascii());
    }
    let paths: [&[u8]; 4] = [
        b"/public/ HTTP/1.1\r\nX: y",
        b"/public/\r\n",
        b"*",
        b"public/",
    ];
    for path in paths {
        let answer = stage.send(Version::H2, b"GET", path, &[]);
        assert!(answer.is_refusal(), "{}: {answer:?}", path.escape_ascii());
    }
    let methods: [&[u8]; 3] = [b"GET /admin HTTP/1.1\r\nX:", b"GET ", b""];
    for method in methods {
        let answer = stage.send(Version::H2, method, b"/public/", &[]);
        assert!(answer.is_refusal(), "{}: {answer:?}", method.escape_ascii());
    }
    assert_eq!(stage.closed.count(), 0);
}

#[test]
fn a8_http2_pseudo_fields_are_complete_single_and_first() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let good = h2::fields(b"GET", authority.as_bytes(), b"/public/", &[]);
    let without = |name: &[u8]| {
        good.iter()
            .copied()
            .filter(|(have, _)| *have != name)
            .collect::<Vec<_>>()
    };
    let mut cases = vec![
        ("no method", without(b":method")),
        ("no scheme", without(b":scheme")),
        ("no path", without(b":path")),
    ];
    for (what, extra) in [
        ("two methods", (&b":method"[..], &b"POST"[..])),
        ("two paths", (b":path", b"/admin")),
        ("two authorities", (b":authority", b"paie.localhost")),
        ("a status", (b":status", b"200")),
    ] {
        let mut fields = good.clone();
        fields.push(extra);
        cases.push((what, fields));
    }
    let mut late = without(b":path");
    late.push((b"x-first", b"1"));
    late.push((b":path", b"/public/"));
    cases.push(("a late path", late));
    for (what, fields) in cases {
        let answer = stage.send_h2(HOST, &fields);
        assert!(answer.is_refusal(), "{what}: {answer:?}");
        stage.assert_nothing_passed(what);
    }
}

trait RefusalOr {
    fn is_refusal_or(&self, status: u16) -> bool;
}

impl RefusalOr for Answer {
    fn is_refusal_or(&self, status: u16) -> bool {
        self.is_refusal() || self.status() == status
    }
}

/// RFC 9113 §8.1.1: a body that is not as long as it said is malformed, and never passes as a whole request.
#[test]
fn a8_http2_bodies_are_as_long_as_they_said() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    // The one of which the head may pass comes last: a service may see it after its answer was read.
    for (length, content) in [("1", &b"xx"[..]), ("3", b"xx"), ("5", b""), ("0", b"x")] {
        stage.open.forget();
        let fields = h2::fields(
            b"POST",
            authority.as_bytes(),
            b"/public/a",
            &[(b"content-length", length.as_bytes())],
        );
        let mut client = h2::Client::connect(&stage.door(), HOST).expect("a connection");
        let stream = client.begin(&fields, content.is_empty());
        if !content.is_empty() {
            client.data(stream, content, true);
        }
        let answer = client.answer(stream);
        assert!(
            answer.status() != 200,
            "{length} for {} bytes: {answer:?}",
            content.len()
        );
        // Of a request that says 0, nothing but its head was ever to come.
        let whole = stage.open.seen().iter().any(|seen| seen.is_complete);
        assert!(
            !whole || length == "0",
            "{length} for {} bytes",
            content.len()
        );
        let bodies: Vec<Vec<u8>> = stage
            .open
            .seen()
            .into_iter()
            .map(|seen| seen.body)
            .collect();
        let promised = length.parse().expect("a length");
        assert!(
            bodies.iter().all(|body| body.len() <= promised),
            "{length}: {bodies:?}"
        );
    }
}
