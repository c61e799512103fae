//! A11, A12: our credentials never leave the gateway, in either direction; those of the upstream pass untouched.

use octroi_integration_tests::recorder::{Recorder, Reply, ok};
use octroi_integration_tests::visitor::VERSIONS;
use octroi_integration_tests::world::SESSION_COOKIE;

use crate::stage::{Stage, assert_passed, assert_refused};

#[test]
fn a12_the_upstream_sees_its_own_cookies_and_none_of_ours() {
    let stage = Stage::set();
    let insider = stage.insider();
    let ours = Stage::cookie_of(&insider);
    let token = ours.split('=').nth(1).expect("a token").to_owned();
    let mixed = [
        format!("a=1; {ours}; b=2"),
        format!("{ours};a=1;b=2"),
        format!("a=1;{ours} ; b=2"),
        format!("a=1; b=2; {ours}"),
        format!("a=1;   {ours};\tb=2"),
        format!("a=1; {ours}; b=2; __Host-octroi-lang=fr; __Host-octroi-enter-x=y"),
    ];
    for version in VERSIONS {
        for cookie in &mixed {
            assert_passed(
                cookie,
                &stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())]),
            );
            let seen = stage.closed.last();
            let text = seen.everything();
            assert!(
                !text.to_ascii_lowercase().contains("octroi="),
                "{cookie}: {text}"
            );
            assert!(!text.contains("__Host-octroi"), "{cookie}: {text}");
            assert!(!text.contains(&token), "{cookie}: {text}");
            let kept: Vec<&str> = seen
                .only("cookie")
                .expect("the upstream's cookies")
                .split(';')
                .map(str::trim)
                .collect();
            assert_eq!(kept, ["a=1", "b=2"], "{cookie}");
        }
        assert_passed(
            "ours alone",
            &stage.send(version, b"GET", b"/a", &[(b"cookie", ours.as_bytes())]),
        );
        assert_eq!(
            stage.closed.last().all("cookie"),
            [""; 0],
            "no empty field is left"
        );
    }
}

/// A public route gets none of them either, even where the visitor is signed in.
#[test]
fn a12_a_public_route_sees_no_cookie_of_ours() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = format!("a=1; {}", Stage::cookie_of(&insider));
    for version in VERSIONS {
        assert_passed(
            "public",
            &stage.send(
                version,
                b"GET",
                b"/public/a",
                &[(b"cookie", cookie.as_bytes())],
            ),
        );
        let seen = stage.open.last();
        assert_eq!(seen.only("cookie"), Some("a=1"), "{}", seen.everything());
        assert!(
            !seen.everything().contains("octroi-assertion"),
            "{}",
            seen.everything()
        );
    }
}

#[test]
fn a11_foreign_credentials_pass_untouched_and_grant_nothing() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    for version in VERSIONS {
        for credential in [
            &b"Basic YWRtaW46YWRtaW4="[..],
            b"Bearer eyJhbGciOiJub25lIn0.e30.",
            b"Negotiate x",
        ] {
            let stranger = stage.send(version, b"GET", b"/a", &[(b"authorization", credential)]);
            crate::stage::assert_challenged("a stranger's", &stranger);
            stage.assert_nothing_passed("a stranger's credential");
            let fields: [(&[u8], &[u8]); 2] = [
                (b"cookie", cookie.as_bytes()),
                (b"authorization", credential),
            ];
            assert_passed(
                "with a session",
                &stage.send(version, b"GET", b"/a", &fields),
            );
            assert_eq!(
                stage.closed.last().only("authorization").map(str::as_bytes),
                Some(credential)
            );
            stage.closed.forget();
        }
    }
}

#[test]
fn a11_an_api_token_beside_a_cookie_is_refused_and_never_forwarded() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    for version in VERSIONS {
        let both: [(&[u8], &[u8]); 2] = [
            (b"cookie", cookie.as_bytes()),
            (b"authorization", b"Bearer oct_abcdefgh"),
        ];
        assert_refused(
            "both",
            &stage.send(version, b"GET", b"/a", &both),
            400,
            "two_credentials",
        );
        let alone = stage.send(
            version,
            b"GET",
            b"/a",
            &[(b"authorization", b"Bearer oct_abcdefgh")],
        );
        assert_eq!(alone.status(), 401, "{alone:?}");
        let public = stage.send(
            version,
            b"GET",
            b"/public/a",
            &[(b"authorization", b"Bearer oct_abcdefgh")],
        );
        let forwarded = stage
            .open
            .seen()
            .iter()
            .any(|seen| seen.everything().contains("oct_abcdefgh"));
        assert!(!forwarded, "{public:?}");
        stage.open.forget();
    }
    assert_eq!(stage.closed.count(), 0);
}

/// An upstream that is down gets an error page of ours: it holds nothing of what the client sent.
#[test]
fn a11_an_error_page_repeats_no_credential() {
    let broken = Recorder::scripted(|_, _| Reply::Taken);
    let stage = Stage::with(Recorder::start(), broken);
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    for version in VERSIONS {
        let fields: [(&[u8], &[u8]); 2] = [
            (b"cookie", cookie.as_bytes()),
            (b"authorization", b"Basic c2VjcmV0OnNlY3JldA=="),
        ];
        let answer = stage.send(version, b"GET", b"/a?key=secret-of-a-query", &fields);
        assert_eq!(answer.status(), 502, "{version:?}: {answer:?}");
        let text = answer.response().everything();
        for secret in [cookie.as_str(), "c2VjcmV0OnNlY3JldA", "secret-of-a-query"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(
            text.contains("request_id") || text.contains("instance"),
            "a reference to quote: {text}"
        );
    }
}

/// An upstream that changes the protocol unasked gets nothing past us, whatever it sends with it.
#[test]
fn a12_a_protocol_switched_unasked_is_a_broken_answer() {
    let switching = Recorder::scripted(|_, stream| {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Set-Cookie: {SESSION_COOKIE}=planted; Path=/; Secure\r\n\r\nraw bytes"
        );
        let _ = stream.write_all(answer.as_bytes());
        Reply::Taken
    });
    let stage = Stage::with(switching, Recorder::start());
    for version in VERSIONS {
        let answer = stage.send(version, b"GET", b"/public/a", &[]);
        assert_eq!(answer.status(), 502, "{version:?}: {answer:?}");
        let text = answer.response().everything();
        assert!(text.contains("upstream_broken"), "{version:?}: {text}");
        assert!(
            !text.contains("planted") && !text.contains("raw bytes"),
            "{text}"
        );
    }
}

/// A cookie without a name is nobody's: it opens nothing, shuts nobody out, and goes nowhere.
#[test]
fn a12_a_nameless_cookie_is_neither_proof_nor_passed_on() {
    let stage = Stage::set();
    let insider = stage.insider();
    let ours = Stage::cookie_of(&insider);
    for version in VERSIONS {
        let nameless = format!("={ours}; a=1");
        let answer = stage.send(version, b"GET", b"/a", &[(b"cookie", nameless.as_bytes())]);
        assert!(answer.is_challenge(), "{version:?}: {answer:?}");
        let beside = format!("=={SESSION_COOKIE}=planted; {ours}; a=1");
        let answer = stage.send(version, b"GET", b"/a", &[(b"cookie", beside.as_bytes())]);
        assert_passed("beside ours", &answer);
        assert_eq!(stage.closed.last().all("cookie"), ["a=1"], "{version:?}");
    }
}

/// An upstream cannot plant a session of ours in the browser, nor take one away.
#[test]
fn a12_an_upstream_cannot_set_our_cookies() {
    let planting = Recorder::scripted(|_, _| {
        let mut response = ok("the upstream answers\n");
        for line in [
            format!("{SESSION_COOKIE}=planted; Path=/; Secure"),
            "__HOST-octroi=planted; Path=/; Secure".to_owned(),
            "__Host-octroi-enter-1=planted; Path=/; Secure".to_owned(),
            format!(" {SESSION_COOKIE}=planted; Path=/; Secure"),
            format!("={SESSION_COOKIE}=planted; Path=/; Secure"),
            format!("=\t= {SESSION_COOKIE}=planted; Path=/; Secure"),
            "theirs=kept; Path=/".to_owned(),
        ] {
            response.fields.push(("set-cookie".to_owned(), line));
        }
        Reply::Response(response)
    });
    let stage = Stage::with(planting, Recorder::start());
    for version in VERSIONS {
        let response = assert_passed("planting", &stage.send(version, b"GET", b"/public/a", &[]));
        let cookies: Vec<&str> = response.all("set-cookie").collect();
        assert_eq!(cookies, ["theirs=kept; Path=/"], "{version:?}");
    }
}
