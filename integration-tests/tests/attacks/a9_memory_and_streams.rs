//! A9: what one connection may cost is bounded, over HTTP/1.1 and HTTP/2; others do not notice.

use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::h2::{self, flag, kind};
use octroi_integration_tests::visitor::Version;
use octroi_integration_tests::{h1, hpack};

use crate::stage::{HOST, Stage, assert_passed, assert_refused};

/// What one abusive connection may add to the gateway's memory.
const GROWTH_KIB_MAX: u64 = 32 * 1024;

#[test]
fn a9_ten_thousand_continuation_frames_end_the_connection_not_the_memory() {
    let stage = Stage::set();
    let before = stage.world.gateway.resident_kib();
    let mut client = h2::Client::connect(&stage.door(), HOST).expect("a connection");
    let stream = client.open();
    let block = hpack::encode(&h2::fields(b"GET", HOST.as_bytes(), b"/public/", &[]));
    client.frame(kind::HEADERS, flag::END_STREAM, stream, &block);
    let piece = hpack::encode(&[(b"x-filler", &[b'a'; 1000])]);
    for _ in 0..10_000 {
        client.frame(kind::CONTINUATION, 0, stream, &piece);
    }
    let answer = client.answer(stream);
    assert!(answer.is_refusal(), "{answer:?}");
    assert_modest(&stage, before);
    assert_still_serving(&stage);
}

#[test]
fn a9_empty_continuation_frames_end_too() {
    let stage = Stage::set();
    let mut client = h2::Client::connect(&stage.door(), HOST).expect("a connection");
    let stream = client.open();
    client.frame(kind::HEADERS, flag::END_STREAM, stream, &[]);
    for _ in 0..10_000 {
        client.frame(kind::CONTINUATION, 0, stream, &[]);
    }
    let answer = client.answer(stream);
    assert!(answer.is_refusal(), "{answer:?}");
    assert_still_serving(&stage);
}

#[test]
fn a9_rapid_resets_end_the_connection() {
    let stage = Stage::set();
    let before = stage.world.gateway.resident_kib();
    let authority = stage.world.authority(HOST);
    let mut client = h2::Client::connect(&stage.door(), HOST).expect("a connection");
    let fields = h2::fields(b"GET", authority.as_bytes(), b"/public/", &[]);
    for _ in 0..5_000 {
        let stream = client.begin(&fields, true);
        client.frame(kind::RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    }
    let stream = client.begin(&fields, true);
    let answer = client.answer(stream);
    assert!(
        matches!(answer, Answer::GoAway(_) | Answer::Closed),
        "{answer:?}"
    );
    assert!(
        stage.open.count() < 5_000,
        "each reset request was forwarded"
    );
    assert_modest(&stage, before);
    assert_still_serving(&stage);
}

#[test]
fn a9_floods_of_small_frames_end_the_connection() {
    let stage = Stage::set();
    let floods: [(&str, u8, u8, u32, &[u8]); 3] = [
        ("PING", kind::PING, 0, 0, &[0; 8]),
        ("SETTINGS", kind::SETTINGS, 0, 0, &[]),
        ("WINDOW_UPDATE", kind::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
    ];
    for (what, kind, flags, stream, payload) in floods {
        let mut client = h2::Client::connect(&stage.door(), HOST).expect("a connection");
        for _ in 0..20_000 {
            client.frame(kind, flags, stream, payload);
        }
        let authority = stage.world.authority(HOST);
        let answer = client.exchange(
            &h2::fields(b"GET", authority.as_bytes(), b"/public/", &[]),
            b"",
        );
        assert!(
            matches!(answer, Answer::GoAway(_) | Answer::Closed),
            "{what}: {answer:?}"
        );
        assert_still_serving(&stage);
    }
}

#[test]
fn a9_a_mebibyte_of_fields_is_refused() {
    let stage = Stage::set();
    let before = stage.world.gateway.resident_kib();
    let value = vec![b'a'; 1024];
    let fields: Vec<(&[u8], &[u8])> = (0..1024)
        .map(|_| (&b"x-filler"[..], value.as_slice()))
        .collect();
    let answer = stage.send(Version::H1, b"GET", b"/public/", &fields);
    assert!(
        matches!(answer.status(), 0 | 431) && answer.is_refusal(),
        "H1: {answer:?}"
    );
    let answer = stage.send(Version::H2, b"GET", b"/public/", &fields);
    assert!(answer.is_refusal(), "H2: {answer:?}");
    stage.assert_nothing_passed("a mebibyte of fields");
    assert_modest(&stage, before);
}

/// Invariant 8: 100 fields pass, 101 do not. `Host` is one of them.
#[test]
fn invariant_8_a_request_has_at_most_a_hundred_fields() {
    let stage = Stage::set();
    let fields = |count: usize| -> Vec<(&[u8], &[u8])> { vec![(&b"x-one"[..], &b"1"[..]); count] };
    assert_passed(
        "99",
        &stage.send(Version::H1, b"GET", b"/public/", &fields(98)),
    );
    assert_passed(
        "100",
        &stage.send(Version::H1, b"GET", b"/public/", &fields(99)),
    );
    stage.open.forget();
    let over = stage.send(Version::H1, b"GET", b"/public/", &fields(100));
    assert_eq!(over.status(), 431, "101: {over:?}");
    stage.assert_nothing_passed("101 fields");
}

/// Invariant 8: a head of 32 KiB passes, one byte more does not.
#[test]
fn invariant_8_a_head_has_at_most_32_kib() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let limit = 32 * 1024;
    for (length, passes) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
        let start = format!("GET /public/ HTTP/1.1\r\nHost: {authority}\r\nX-Filler: ");
        let filler = "a".repeat(length - start.len() - 4);
        stage.open.forget();
        let answer = stage.send_h1(HOST, format!("{start}{filler}\r\n\r\n").as_bytes());
        if passes {
            assert_passed(&length.to_string(), &answer);
        } else {
            assert_eq!(answer.status(), 431, "{length}: {answer:?}");
            stage.assert_nothing_passed(&length.to_string());
        }
    }
}

/// Invariant 8: a target of 8,192 bytes passes (RFC 9112 §3 asks for 8,000), one more does not.
#[test]
fn invariant_8_a_target_has_at_most_8192_bytes() {
    let stage = Stage::set();
    for version in [Version::H1, Version::H2] {
        for length in [8191, 8192] {
            let target = format!("/public/{}", "a".repeat(length - 8));
            assert_passed(
                &length.to_string(),
                &stage.send(version, b"GET", target.as_bytes(), &[]),
            );
        }
        let target = format!("/public/{}", "a".repeat(8193 - 8));
        stage.open.forget();
        let answer = stage.send(version, b"GET", target.as_bytes(), &[]);
        assert_refused(
            &format!("{version:?} 8193"),
            &answer,
            414,
            "request_target_too_long",
        );
        stage.assert_nothing_passed("8193");
    }
}

/// A head that trickles ends after its deadline, however busy the client looks.
#[test]
fn a9_a_head_that_trickles_is_given_up() {
    let stage = Stage::set();
    let mut client = h1::Client::connect(&stage.door(), HOST).expect("a connection");
    client.wire().be_patient_for(Duration::from_millis(900));
    client.send(b"GET /public/ HTTP/1.1\r\n");
    let mut ended = None;
    for second in 1..=14_u32 {
        client.send(format!("X-{second}: slow\r\n").as_bytes());
        match client.answer(false) {
            Answer::Silence => {}
            other @ (Answer::Response(_)
            | Answer::Closed
            | Answer::Reset(_)
            | Answer::GoAway(_)) => {
                ended = Some((second, other));
                break;
            }
        }
    }
    let (second, answer) = ended.expect("the gateway gave up within 14 seconds");
    assert!((8..=13).contains(&second), "given up after {second} s");
    assert!(matches!(answer.status(), 0 | 408), "{answer:?}");
    stage.assert_nothing_passed("a trickling head");
}

#[track_caller]
fn assert_modest(stage: &Stage, before: u64) {
    let after = stage.world.gateway.resident_kib();
    assert!(
        after < before + GROWTH_KIB_MAX,
        "memory grew from {before} to {after} KiB"
    );
}

#[track_caller]
fn assert_still_serving(stage: &Stage) {
    assert_passed(
        "another client, meanwhile",
        &stage.send(Version::H2, b"GET", b"/public/", &[]),
    );
}
