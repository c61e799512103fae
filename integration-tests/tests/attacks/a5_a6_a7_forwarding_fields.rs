//! A5, A6, A7: what a client says about itself changes nothing; what the upstream reads about it is ours, once.

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::recorder::{Recorder, Seen};
use octroi_integration_tests::visitor::{VERSIONS, Version};
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::{Route, World};
use octroi_integration_tests::{h1, h2};

use crate::stage::{HOST, ROLE, Stage, assert_challenged, assert_passed, assert_refused};

/// Fields by which other gateways were talked into something.
const FORGED: [(&[u8], &[u8]); 20] = [
    (b"x-forwarded-for", b"127.0.0.1"),
    (b"x-forwarded-host", b"login.localhost"),
    (b"x-forwarded-proto", b"http"),
    (b"x-forwarded-port", b"1"),
    (b"x-forwarded-uri", b"/public/"),
    (b"x-forwarded-method", b"OPTIONS"),
    (b"x-forwarded-user", b"admin"),
    (b"x-forwarded-groups", b"rh"),
    (
        b"forwarded",
        b"for=127.0.0.1;host=login.localhost;proto=http",
    ),
    (b"x-real-ip", b"127.0.0.1"),
    (b"x-original-url", b"/public/"),
    (b"x-rewrite-url", b"/public/"),
    (b"x-original-uri", b"/public/"),
    (b"x-http-method-override", b"GET"),
    (b"true-client-ip", b"127.0.0.1"),
    (b"remote-user", b"admin"),
    (b"remote-groups", b"rh"),
    (b"remote-tenant", b"evil"),
    (b"octroi-assertion", b"e30.e30.e30"),
    (b"via", b"1.1 made-up"),
];

#[test]
fn a5_no_forwarding_field_opens_a_closed_path() {
    let stage = Stage::set();
    for version in VERSIONS {
        assert_challenged(
            &format!("{version:?}"),
            &stage.send(version, b"GET", b"/admin", &FORGED),
        );
        for field in FORGED {
            let what = format!("{version:?} {}", field.0.escape_ascii());
            assert_challenged(&what, &stage.send(version, b"GET", b"/admin", &[field]));
        }
    }
    stage.assert_nothing_passed("a forged field");
}

#[test]
fn a5_the_upstream_is_told_our_facts_and_not_the_clients() {
    let stage = Stage::set();
    for version in VERSIONS {
        let door = stage.door();
        let answer = stage_send_from(&stage, &door, version, b"/public/a", &FORGED);
        assert_passed(&format!("{version:?}"), &answer);
        let seen = stage.open.last();
        assert_eq!(
            seen.only("x-forwarded-for"),
            Some(door.from.to_string().as_str()),
            "{}",
            seen.everything()
        );
        assert_eq!(
            seen.only("x-forwarded-proto"),
            Some("https"),
            "{}",
            seen.everything()
        );
        assert_eq!(
            seen.only("x-forwarded-host"),
            Some(stage.world.authority(HOST).as_str()),
            "{}",
            seen.everything()
        );
        assert_eq!(seen.all("via").len(), 1, "{}", seen.everything());
        assert!(
            !seen.everything().contains("made-up"),
            "{}",
            seen.everything()
        );
        for gone in [
            "forwarded",
            "x-real-ip",
            "x-original-url",
            "x-rewrite-url",
            "x-forwarded-user",
            "x-forwarded-groups",
        ] {
            assert_eq!(seen.all(gone), [""; 0], "{gone}: {}", seen.everything());
        }
        assert_no_identity(&seen);
        assert!(
            !stage.world.log().contains("for=127.0.0.1;host"),
            "the log repeats a forged field"
        );
    }
}

#[test]
fn a6_aliases_of_identity_fields_never_reach_the_upstream() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    let aliases: [&[u8]; 6] = [
        b"remote_user",
        b"remote.user",
        b"octroi_assertion",
        b"x_forwarded_for",
        b"x.forwarded.for",
        b"x_any",
    ];
    for version in VERSIONS {
        for alias in aliases {
            let fields: [(&[u8], &[u8]); 2] = [(b"cookie", cookie.as_bytes()), (alias, b"admin")];
            let answer = stage.send(version, b"GET", b"/a", &fields);
            assert_refused(
                &format!("{version:?} {}", alias.escape_ascii()),
                &answer,
                400,
                "request_field_name",
            );
        }
    }
    stage.assert_nothing_passed("an alias");
}

#[test]
fn a6_the_upstream_sees_one_identity_and_it_is_ours() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    let copies: [(&[u8], &[u8]); 8] = [
        (b"cookie", cookie.as_bytes()),
        (b"remote-user", b"admin"),
        (b"remote-user", b"root"),
        (b"Remote-User", b"\tadmin\t"),
        (b"REMOTE-GROUPS", b"admins"),
        (b"octroi-assertion", b"forged"),
        (b"remote-tenant", b"evil"),
        (b"remote-email", b"evil@example.com"),
    ];
    for version in VERSIONS {
        let lower: Vec<(Vec<u8>, &[u8])> = copies
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), *value))
            .collect();
        let lower: Vec<(&[u8], &[u8])> = lower
            .iter()
            .map(|(name, value)| (name.as_slice(), *value))
            .collect();
        let fields = if version == Version::H2 {
            lower.as_slice()
        } else {
            &copies
        };
        assert_passed(
            &format!("{version:?}"),
            &stage.send(version, b"GET", b"/a", fields),
        );
        let seen = stage.closed.last();
        let text = seen.everything();
        for (name, forbidden) in [
            ("remote-user", "admin"),
            ("remote-groups", "admins"),
            ("remote-tenant", "evil"),
        ] {
            let value = seen
                .only(name)
                .unwrap_or_else(|| panic!("{name} once: {text}"));
            assert!(!value.contains(forbidden), "{name}: {value}");
        }
        assert_eq!(
            seen.only("octroi-assertion")
                .map(|token| token.split('.').count()),
            Some(3),
            "{text}"
        );
        assert!(!text.contains("evil@example.com"), "{text}");
    }
}

/// Trailers of an identity's names, over both versions, to a service of HTTP/1.1.
#[test]
fn a6_trailers_carry_no_identity() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    let authority = stage.world.authority(HOST);
    let request = format!(
        "POST /a HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\nTE: trailers\r\n\
         Trailer: Remote-User\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\
         Remote-User: admin\r\nX-Forwarded-For: 9.9.9.9\r\nOctroi-Assertion: x\r\n\r\n",
    );
    let over_h1 = stage.send_h1(HOST, request.as_bytes());
    assert_no_trailed_identity(&stage.closed, &over_h1);

    stage.closed.forget();
    let door = stage.door();
    let over_h2 = send_with_trailers(&door, &authority, &cookie);
    assert_no_trailed_identity(&stage.closed, &over_h2);
}

/// The same to a service of HTTP/2, which could be told trailers.
#[test]
fn a6_trailers_carry_no_identity_to_a_service_of_http2() {
    let upstream = Recorder::speaking_h2c();
    let route = Route {
        host: HOST,
        path: "/",
        to: &upstream,
        more: "allow = \"everyone\"\nprotocol = \"http2\"",
    };
    let world = World::configured(&[route], |text| text.replace("h2c://", "http://"));
    let insider = world.arrived(ROLE, HOST);
    upstream.forget();
    let cookie = Stage::cookie_of(&insider);
    let answer = send_with_trailers(&world.door, &world.authority(HOST), &cookie);
    assert_no_trailed_identity(&upstream, &answer);
}

fn send_with_trailers(door: &Door, authority: &str, cookie: &str) -> Answer {
    let mut client = h2::Client::connect(door, HOST).expect("a connection");
    let more: [(&[u8], &[u8]); 3] = [
        (b"cookie", cookie.as_bytes()),
        (b"te", b"trailers"),
        (b"trailer", b"remote-user"),
    ];
    let fields = h2::fields(b"POST", authority.as_bytes(), b"/a", &more);
    let stream = client.begin(&fields, false);
    client.data(stream, b"hi", false);
    let trailers: [(&[u8], &[u8]); 3] = [
        (b"remote-user", b"admin"),
        (b"x-forwarded-for", b"9.9.9.9"),
        (b"octroi-assertion", b"x"),
    ];
    client.block(stream, &trailers, true);
    client.answer(stream)
}

/// The request arrived, whole and as ours.
#[track_caller]
fn assert_no_trailed_identity(upstream: &Recorder, answer: &Answer) {
    assert_eq!(answer.status(), 200, "{answer:?}");
    let seen = upstream.last();
    let all = seen.everything();
    assert!(seen.is_complete, "{all}");
    assert_eq!(seen.body, b"hi", "{all}");
    assert_eq!(seen.trailers, [], "{all}");
    assert!(!all.contains("9.9.9.9"), "{all}");
    let user = seen.only("remote-user").expect("the person");
    assert!(!user.contains("admin"), "{all}");
    let assertion = seen.only("octroi-assertion").expect("an assertion");
    assert_eq!(assertion.split('.').count(), 3, "{all}");
}

#[test]
fn a7_no_field_of_ours_can_be_nominated_away() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    let nominations: [&str; 5] = [
        "close, Remote-User, Octroi-Assertion",
        "keep-alive, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto",
        "Remote-Groups, Remote-Tenant",
        "Cookie, Host",
        "X-Request-Id, Via, Content-Length",
    ];
    for nomination in nominations {
        let fields: [(&[u8], &[u8]); 4] = [
            (b"Cookie", cookie.as_bytes()),
            (b"Connection", nomination.as_bytes()),
            (b"Keep-Alive", b"timeout=1"),
            (b"Proxy-Authorization", b"Basic eDp5"),
        ];
        let answer = stage.send(Version::H1, b"GET", b"/a", &fields);
        assert_passed(nomination, &answer);
        let seen = stage.closed.last();
        let text = seen.everything();
        for ours in [
            "remote-user",
            "remote-tenant",
            "octroi-assertion",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-request-id",
            "via",
            "host",
        ] {
            assert!(
                seen.only(ours).is_some(),
                "{nomination}: {ours} once: {text}"
            );
        }
        for value in seen.all("connection") {
            assert!(
                matches!(value.to_ascii_lowercase().as_str(), "keep-alive" | "close"),
                "{nomination}: {text}"
            );
        }
        assert_eq!(seen.all("keep-alive"), [""; 0], "{text}");
        assert_eq!(seen.all("proxy-authorization"), [""; 0], "{text}");
    }
}

/// HTTP/2 has no connection fields at all (RFC 9113 §8.2.2): such a request is malformed.
#[test]
fn a7_connection_fields_over_http2_are_malformed() {
    let stage = Stage::set();
    let fields: [(&[u8], &[u8]); 6] = [
        (b"connection", b"remote-user"),
        (b"keep-alive", b"1"),
        (b"proxy-connection", b"x"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
        (b"te", b"gzip"),
    ];
    for field in fields {
        let answer = stage.send(Version::H2, b"GET", b"/public/", &[field]);
        assert!(
            answer.is_refusal(),
            "{}: {answer:?}",
            field.0.escape_ascii()
        );
    }
    stage.assert_nothing_passed("a connection field");
}

/// A public route carries no identity.
#[track_caller]
fn assert_no_identity(seen: &Seen) {
    for ours in [
        "remote-user",
        "remote-groups",
        "remote-tenant",
        "octroi-assertion",
    ] {
        assert_eq!(seen.all(ours), [""; 0], "{ours}: {}", seen.everything());
    }
}

fn stage_send_from(
    stage: &Stage,
    door: &Door,
    version: Version,
    target: &[u8],
    fields: &[(&[u8], &[u8])],
) -> Answer {
    let authority = stage.world.authority(HOST);
    match version {
        Version::H1 => {
            let mut all: Vec<(&[u8], &[u8])> = vec![(b"Host", authority.as_bytes())];
            all.extend_from_slice(fields);
            let mut client = h1::Client::connect(door, HOST).expect("a connection");
            client.exchange(&h1::request(b"GET", target, &all, b""))
        }
        Version::H2 => {
            let mut client = h2::Client::connect(door, HOST).expect("a connection");
            client.exchange(
                &h2::fields(b"GET", authority.as_bytes(), target, fields),
                b"",
            )
        }
    }
}
