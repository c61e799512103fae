//! A1, A3: whatever a target looks like, policy and upstream read the same path, or nobody reads it.

use octroi_integration_tests::visitor::{VERSIONS, Version};

use crate::stage::{Stage, assert_challenged, assert_passed, assert_refused};

/// Ways from an open folder into a closed one, and the reason for which each is refused.
const WAYS_AROUND: [(&[u8], &str); 34] = [
    (b"/public/../admin", "request_dot_segment"),
    (b"/public/%2e%2e/admin", "request_dot_segment"),
    (b"/public/%2E%2E/admin", "request_dot_segment"),
    (b"/public/.%2e/admin", "request_dot_segment"),
    (b"/public/%2e./admin", "request_dot_segment"),
    (b"/public/..", "request_dot_segment"),
    (b"/public/.", "request_dot_segment"),
    (b"/./admin", "request_dot_segment"),
    (b"/%2e/admin", "request_dot_segment"),
    (b"/public/./../admin", "request_dot_segment"),
    (b"/public/..%2fadmin", "request_encoded_slash"),
    (b"/public/..%2Fadmin", "request_encoded_slash"),
    (b"/public%2fadmin", "request_encoded_slash"),
    (b"/public/%252e%252e/admin", "request_double_encoding"),
    (
        b"/public/%25%32%65%25%32%65/admin",
        "request_double_encoding",
    ),
    (b"/public/%252fadmin", "request_double_encoding"),
    (b"//admin", "request_empty_segment"),
    (b"/public//admin", "request_empty_segment"),
    (b"/public///../admin", "request_empty_segment"),
    (b"/public/..;/admin", "request_path_parameter"),
    (b"/public/;/../admin", "request_path_parameter"),
    (b"/public;x=1/admin", "request_path_parameter"),
    (b"/public/%3b/admin", "request_path_parameter"),
    (b"/public\\..\\admin", "request_backslash"),
    (b"/public/..\\admin", "request_backslash"),
    (b"/public/%5c..%5cadmin", "request_backslash"),
    (b"/public/%5C../admin", "request_backslash"),
    (b"/public/%00/admin", "request_control_byte"),
    (b"/public/admin%00.png", "request_control_byte"),
    (b"/public/%0d%0aX-Injected:%201", "request_control_byte"),
    (b"/public/%7f", "request_control_byte"),
    (b"/public/%zz", "request_encoding"),
    (b"/public/%e", "request_encoding"),
    (b"/public/%ff%fe", "request_encoding"),
];

#[test]
fn a1_no_way_around_leads_from_an_open_path_to_a_closed_one() {
    let stage = Stage::set();
    for version in VERSIONS {
        for (target, reason) in WAYS_AROUND {
            let what = format!("{version:?} {}", target.escape_ascii());
            let answer = stage.send(version, b"GET", target, &[]);
            assert_refused_by_one_of(&what, &answer, reason);
            stage.assert_nothing_passed(&what);
        }
    }
}

/// A signed-in person gets no other reading of the path than a stranger.
#[test]
fn a1_a_session_does_not_make_an_ambiguous_path_acceptable() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    for version in VERSIONS {
        for (target, reason) in WAYS_AROUND {
            let what = format!("{version:?} {} with a session", target.escape_ascii());
            let answer = stage.send(version, b"GET", target, &[(b"cookie", cookie.as_bytes())]);
            assert_refused_by_one_of(&what, &answer, reason);
            stage.assert_nothing_passed(&what);
        }
    }
}

#[test]
fn a1_what_policy_judged_is_what_is_forwarded() {
    let stage = Stage::set();
    let plain: [(&[u8], &str); 6] = [
        (b"/public/a", "/public/a"),
        (b"/public/caf%C3%A9", "/public/caf%C3%A9"),
        (b"/public/a?b=/../c&d=%2F", "/public/a?b=/../c&d=%2F"),
        (b"/public/a%20b", "/public/a%20b"),
        (b"/public/a?", "/public/a?"),
        (b"/public/~x", "/public/~x"),
    ];
    for version in VERSIONS {
        for (target, forwarded) in plain {
            let what = format!("{version:?} {}", target.escape_ascii());
            assert_passed(&what, &stage.send(version, b"GET", target, &[]));
            assert_eq!(stage.open.last().target, forwarded, "{what}");
        }
    }
    assert_eq!(stage.closed.count(), 0);
}

/// `/publicity` is not below `/public/`, nor is `/PUBLIC/`.
#[test]
fn a1_prefixes_are_whole_segments_in_their_own_case() {
    let stage = Stage::set();
    let outside: [&[u8]; 5] = [
        b"/publicity",
        b"/PUBLIC/",
        b"/Public/a",
        b"/public%20/",
        b"/xpublic/",
    ];
    for version in VERSIONS {
        for target in outside {
            let what = format!("{version:?} {}", target.escape_ascii());
            assert_challenged(&what, &stage.send(version, b"GET", target, &[]));
            stage.assert_nothing_passed(&what);
        }
    }
}

#[test]
fn a3_neither_query_nor_fragment_opens_a_closed_path() {
    let stage = Stage::set();
    let queries: [&[u8]; 5] = [
        b"/bar?x=/public/",
        b"/bar?/public/",
        b"/bar%3F/public/",
        b"/admin?../public/",
        b"/admin?%2e%2e/public/",
    ];
    for version in VERSIONS {
        for target in queries {
            let what = format!("{version:?} {}", target.escape_ascii());
            assert_challenged(&what, &stage.send(version, b"GET", target, &[]));
            stage.assert_nothing_passed(&what);
        }
    }
}

/// Over HTTP/1.1 a raw `#` is refused. The HTTP/2 stack drops a fragment before anybody reads the path: the rest is judged,
/// and the rest is what is forwarded.
#[test]
fn a3_a_fragment_is_no_part_of_any_path() {
    let stage = Stage::set();
    let fragments: [&[u8]; 3] = [b"/bar#/public/", b"/public/#/../admin", b"/public/a#b"];
    for target in fragments {
        let what = target.escape_ascii().to_string();
        let answer = stage.send(Version::H1, b"GET", target, &[]);
        assert_refused(&what, &answer, 400, "request_fragment");
        stage.assert_nothing_passed(&what);
        let answer = stage.send(Version::H2, b"GET", target, &[]);
        assert!(
            answer.is_refusal() || target.starts_with(b"/public/"),
            "{what}: {answer:?}"
        );
        let seen = stage.open.seen();
        assert!(
            seen.iter()
                .all(|one| matches!(one.target.as_str(), "/public/" | "/public/a")),
            "{what}: {seen:?}"
        );
        assert_eq!(stage.closed.count(), 0, "{what}");
        stage.open.forget();
    }
}

/// An HTTP/2 stack may reset a stream whose `:path` it cannot even parse, which is a refusal as good as a response.
#[track_caller]
fn assert_refused_by_one_of(
    what: &str,
    answer: &octroi_integration_tests::answer::Answer,
    reason: &str,
) {
    match answer.status() {
        0 => assert!(answer.is_refusal(), "{what}: {answer:?}"),
        _ => assert_refused(what, answer, 400, reason),
    }
}
