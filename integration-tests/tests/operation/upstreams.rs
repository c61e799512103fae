//! Services as they are: HTTP/1.1, h2c, Unix sockets; slow, broken, gone; WebSocket, streams, large bodies.

use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::patience::{Stopwatch, pause, wait_for};
use octroi_integration_tests::recorder::{Recorder, Reply, ok};
use octroi_integration_tests::visitor::{VERSIONS, Version, navigation};
use octroi_integration_tests::world::{Route, World, free_ports};
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";

fn public<'a>(to: &'a Recorder, more: &'a str) -> World {
    World::with_routes(&[Route {
        host: HOST,
        path: "/",
        to,
        more,
    }])
}

#[test]
fn services_are_reached_over_http1_h2c_and_unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstreams = [
        (
            Recorder::start(),
            "sign_in = \"public\"",
            "the upstream answers\n",
        ),
        (
            Recorder::on_unix_socket(&folder.path().join("s")),
            "sign_in = \"public\"",
            "the upstream answers\n",
        ),
    ];
    for (upstream, more, text) in &upstreams {
        let world = public(upstream, more);
        for version in VERSIONS {
            let answer = world
                .visitor()
                .speaking(version)
                .ask("GET", &world.url(HOST, "/a?b"), &[], b"")
                .response();
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, *text),
                "{}: {}",
                upstream.url(),
                answer.everything()
            );
            assert_eq!(upstream.last().target, "/a?b");
        }
    }
}

/// gRPC: HTTP/2 to the end, with trailers in both directions.
#[test]
fn grpc_keeps_its_trailers() {
    let upstream = Recorder::speaking_h2c();
    let world = World::configured(
        &[Route {
            host: HOST,
            path: "/",
            to: &upstream,
            more: "sign_in = \"public\"\nprotocol = \"http2\"",
        }],
        |text| text.replace("h2c://", "http://"),
    );
    let authority = world.authority(HOST);
    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let fields = h2::fields(
        b"POST",
        authority.as_bytes(),
        b"/pkg.Service/Call",
        &[(b"content-type", b"application/grpc"), (b"te", b"trailers")],
    );
    let answer = client.exchange(&fields, b"\0\0\0\0\x02hi").response();
    assert_eq!(answer.status, 200, "{}", answer.everything());
    assert_eq!(
        answer.first("grpc-status"),
        Some("0"),
        "trailers arrive: {}",
        answer.everything()
    );
    assert_eq!(answer.body, b"over h2c\n");
    let seen = upstream.last();
    assert_eq!(seen.body, b"\0\0\0\0\x02hi");
    assert_eq!(seen.only("te"), Some("trailers"), "{}", seen.everything());
}

#[test]
fn a_service_that_is_gone_gives_a_page_or_a_problem_with_a_reference() {
    let upstream = Recorder::start();
    let world = World::configured(
        &[Route {
            host: HOST,
            path: "/",
            to: &upstream,
            more: "sign_in = \"public\"",
        }],
        |text| {
            // A port on which nobody listens.
            text.replace(&upstream.url(), "http://127.0.0.1:9")
        },
    );
    for version in VERSIONS {
        let mut visitor = world.visitor().speaking(version);
        let problem = visitor
            .ask("GET", &world.url(HOST, "/"), &[], b"")
            .response();
        assert_eq!(
            (problem.status, problem.first("content-type")),
            (502, Some("application/problem+json")),
            "{}",
            problem.everything()
        );
        let page = visitor
            .ask("GET", &world.url(HOST, "/"), &navigation("none"), b"")
            .response();
        assert_eq!(page.status, 502);
        assert!(
            page.first("content-type")
                .is_some_and(|kind| kind.starts_with("text/html")),
            "{}",
            page.everything()
        );
        let reference = page.first("x-request-id").expect("a reference");
        assert!(
            page.text().contains(reference) && page.text().contains(HOST),
            "{}",
            page.text()
        );
        assert!(
            !page.everything().contains("127.0.0.1:9"),
            "the service's address is nobody's business"
        );
    }
}

#[test]
fn a_service_that_speaks_no_http_gives_502_and_nothing_of_what_it_said() {
    for nonsense in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 999999 x\r\n\r\n",
    ] {
        let broken = Recorder::scripted(move |_, stream| {
            stream.write_all(nonsense.as_bytes()).ok();
            Reply::Taken
        });
        let world = public(&broken, "sign_in = \"public\"");
        for version in VERSIONS {
            let answer =
                world
                    .visitor()
                    .speaking(version)
                    .ask("GET", &world.url(HOST, "/"), &[], b"");
            assert_eq!(answer.status(), 502, "{nonsense:?}: {answer:?}");
        }
    }
}

/// A connect that fails is tried at the next address; a request that may have been done is not repeated.
#[test]
fn only_what_was_never_sent_is_tried_again() {
    let closing = Recorder::scripted(|_, _| Reply::Taken);
    let world = public(&closing, "sign_in = \"public\"");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        closing.forget();
        let answer = world
            .visitor()
            .ask(method, &world.url(HOST, "/"), &[], b"x");
        assert_eq!(answer.status(), 502, "{method}: {answer:?}");
        assert_eq!(closing.count(), 1, "{method} was repeated");
    }
}

/// A streamed answer arrives as it is made, not when it is complete.
#[test]
fn events_are_passed_on_as_they_come() {
    let world = World::demo();
    let mut marie = world.visitor();
    world.sign_in_by_pages(&mut marie, "acme/marie", &world.url(HOST, "/request"));
    let cookie = marie.cookie_field(HOST).expect("a session");
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    client.send(
        format!(
            "GET /events HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n",
            world.authority(HOST)
        )
        .as_bytes(),
    );
    assert_eq!(client.head().expect("a head").expect("a head").status, 200);
    let watch = Stopwatch::start();
    let mut text = String::new();
    let came = wait_for(Duration::from_secs(5), || {
        text.push_str(&String::from_utf8_lossy(&client.some().expect("events")));
        (text.matches("data: ").count() >= 3).then_some(())
    });
    assert!(
        came.is_some() && watch.elapsed() > Duration::from_millis(1500),
        "three events, one a second: {text}"
    );
}

/// An `Expect: 100-continue` is answered before the body is wanted.
#[test]
fn a_client_that_waits_for_leave_gets_it() {
    let upstream = Recorder::start();
    let world = public(&upstream, "sign_in = \"public\"");
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    client.send(
        format!(
            "POST /a HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
            world.authority(HOST)
        )
        .as_bytes(),
    );
    let interim = client.head().expect("an answer").expect("an answer");
    assert!(
        matches!(interim.status, 100 | 200),
        "{}",
        interim.everything()
    );
    if interim.status == 100 {
        client.send(b"ok");
        let answer = client.answer(false);
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(upstream.last().body, b"ok");
    }
}

#[test]
fn an_upstream_answers_head_and_204_without_content() {
    let upstream = Recorder::scripted(|seen, _| {
        let mut response = ok("content\n");
        if seen.target == "/none" {
            response.status = 204;
            response.body.clear();
        }
        Reply::Response(response)
    });
    let world = public(&upstream, "sign_in = \"public\"");
    for version in VERSIONS {
        let mut visitor = world.visitor().speaking(version);
        let head = visitor.ask("HEAD", &world.url(HOST, "/"), &[], b"");
        assert!(
            matches!(&head, Answer::Response(response) if response.status == 200 && response.body.is_empty()),
            "{head:?}"
        );
        let none = visitor.ask("GET", &world.url(HOST, "/none"), &[], b"");
        assert_eq!(none.status(), 204, "{none:?}");
    }
}

/// A service that pauses in an answer whose length it told keeps nobody waiting for what it has said already.
#[test]
fn the_beginning_of_an_answer_does_not_wait_for_its_end() {
    let pausing = Recorder::scripted(|seen, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
        // Head and content at once, or apart.
        let (first, second) = match seen.target.as_str() {
            "/together" => (format!("{head}hello"), ""),
            _ => (head.to_owned(), "hello"),
        };
        stream.write_all(first.as_bytes()).ok();
        pause(Duration::from_millis(300));
        stream.write_all(second.as_bytes()).ok();
        pause(Duration::from_secs(5));
        stream.write_all(b"world").ok();
        Reply::Taken
    });
    let world = &public(&pausing, "sign_in = \"public\"");
    std::thread::scope(|scope| {
        for version in VERSIONS {
            for path in ["/together", "/apart"] {
                scope.spawn(move || assert_begins_early(world, version, path));
            }
        }
    });
}

#[track_caller]
fn assert_begins_early(world: &World, version: Version, path: &str) {
    let authority = world.authority(HOST);
    let early = Duration::from_secs(3);
    let watch = Stopwatch::start();
    match version {
        Version::H1 => {
            let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
            let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
            client.send(request.as_bytes());
            let head = client.head().expect("a head").expect("a head");
            assert_eq!(head.status, 200, "{}", head.everything());
            let half = client.exactly(5).expect("content");
            assert_eq!(half.as_deref(), Some(&b"hello"[..]));
            assert!(watch.elapsed() < early, "{path}: {:?}", watch.elapsed());
            let rest = client.exactly(5).expect("content");
            assert_eq!(rest.as_deref(), Some(&b"world"[..]));
        }
        Version::H2 => {
            let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
            let fields = h2::fields(b"GET", authority.as_bytes(), path.as_bytes(), &[]);
            let stream = client.begin(&fields, true);
            let mut content = Vec::new();
            while content.len() < 5 {
                let frame = client.next_frame().expect("a frame").expect("a frame");
                if frame.stream == stream && frame.kind == h2::kind::DATA {
                    content.extend_from_slice(frame.content());
                }
            }
            assert_eq!(content, b"hello");
            assert!(watch.elapsed() < early, "{path}: {:?}", watch.elapsed());
            while content.len() < 10 {
                let frame = client.next_frame().expect("a frame").expect("a frame");
                assert_ne!(frame.kind, h2::kind::RST_STREAM, "{frame:?}");
                if frame.stream == stream && frame.kind == h2::kind::DATA {
                    content.extend_from_slice(frame.content());
                }
            }
            assert_eq!(content, b"helloworld");
        }
    }
}

#[test]
fn a_service_that_does_not_answer_in_time_gives_504() {
    let silent = Recorder::scripted(|_, _| {
        pause(Duration::from_secs(6));
        Reply::Taken
    });
    let world = public(
        &silent,
        "sign_in = \"public\"\ntimeouts = { response = \"1s\" }",
    );
    for version in VERSIONS {
        let watch = Stopwatch::start();
        let answer = world
            .visitor()
            .speaking(version)
            .ask("GET", &world.url(HOST, "/"), &[], b"");
        assert_eq!(answer.status(), 504, "{answer:?}");
        assert!(
            watch.elapsed() < Duration::from_secs(4),
            "after {:?}",
            watch.elapsed()
        );
    }
}

/// What the manual promises where a host gives 502: the log names the address and the reason, with the request's id.
#[test]
fn why_a_service_cannot_be_reached_is_in_the_log_once_with_the_id_of_a_request() {
    let [gone, ..] = free_ports();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], gone));
    let upstream = Recorder::start();
    let world = World::configured(
        &[Route {
            host: HOST,
            path: "/",
            to: &upstream,
            more: "sign_in = \"public\"",
        }],
        |text| text.replace(&upstream.url(), &format!("http://{address}")),
    );
    let ask = || world.visitor().get(&world.url(HOST, "/"));
    let first = ask();
    let others = [ask(), ask(), ask()];
    assert_eq!(first.status, 502, "{}", first.everything());
    assert!(others.iter().all(|answer| answer.status == 502));
    let reference = first.first("x-request-id").expect("a reference");
    world.access_line(reference);
    let log = world.log();
    let told = |line: &&str| line.contains("a service cannot be reached");
    let lines: Vec<&str> = log.lines().filter(told).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in [reference, &address.to_string(), "refused"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
}
