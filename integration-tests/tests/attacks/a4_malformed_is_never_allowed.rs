//! A4: what cannot be read is refused; an error on the way to a decision never becomes a permit.

use octroi_integration_tests::visitor::VERSIONS;
use octroi_integration_tests::world::SESSION_COOKIE;

use crate::stage::{HOST, Stage};

/// Values that have no meaning as our cookie.
fn odd_cookies() -> Vec<Vec<u8>> {
    let name = SESSION_COOKIE;
    let mut odd: Vec<Vec<u8>> = [
        String::new(),
        "=".to_owned(),
        ";;;;".to_owned(),
        name.to_owned(),
        format!("{name}="),
        format!("{name}=;"),
        format!("{name}=\"\""),
        format!("{name}=null"),
        format!("{name}=%00"),
        format!("{name}=../../etc/passwd"),
        format!("{name}={}", "A".repeat(43)),
        format!("{name}={}", "A".repeat(4000)),
        format!("{name}={}=", "A".repeat(42)),
        format!("{name}=a.b.c"),
        format!("{name}={{\"alg\":\"none\"}}"),
    ]
    .map(String::into_bytes)
    .to_vec();
    for byte in [0x80_u8, 0xff, 0xc3, b'\t', b' ', b',', b'"', b'\\'] {
        odd.push([name.as_bytes(), b"=", &[byte; 43]].concat());
    }
    odd
}

#[test]
fn a4_no_cookie_that_cannot_be_read_opens_anything() {
    let stage = Stage::set();
    for version in VERSIONS {
        for cookie in odd_cookies() {
            let what = format!("{version:?} {}", cookie.escape_ascii());
            let answer = stage.send(version, b"GET", b"/admin", &[(b"cookie", &cookie)]);
            assert!(answer.is_refusal(), "{what}: {answer:?}");
            stage.assert_nothing_passed(&what);
        }
    }
}

#[test]
fn a4_two_session_cookies_are_refused_even_if_one_is_right() {
    let stage = Stage::set();
    let insider = stage.insider();
    let right = Stage::cookie_of(&insider);
    let doubles = [
        format!("{right}; {right}"),
        format!("{SESSION_COOKIE}=x; {right}"),
        format!("{right}; {SESSION_COOKIE}=x"),
        format!("{right}; __HOST-OCTROI=x"),
        format!("__host-octroi=x; {right}"),
    ];
    for version in VERSIONS {
        for cookie in &doubles {
            let answer = stage.send(
                version,
                b"GET",
                b"/admin",
                &[(b"cookie", cookie.as_bytes())],
            );
            crate::stage::assert_refused(cookie, &answer, 400, "cookie_repeated");
        }
        // In two fields: HTTP/2 splits cookies lawfully (RFC 9113 §8.2.3), so that they are counted after the merge.
        let answer = stage.send(
            version,
            b"GET",
            b"/admin",
            &[(b"cookie", right.as_bytes()), (b"cookie", right.as_bytes())],
        );
        crate::stage::assert_refused("two fields", &answer, 400, "cookie_repeated");
    }
    stage.assert_nothing_passed("a doubled cookie");
}

#[test]
fn a4_bytes_that_are_no_http_end_without_a_permit() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let heads: [&str; 12] = [
        "GET",
        "GET /admin",
        "GET  /admin HTTP/1.1",
        "GET /admin HTTP/1.1 ",
        "GET /admin HTTP/9.9",
        "GET /admin http/1.1",
        "\u{0}GET /admin HTTP/1.1",
        "G\u{7f}T /admin HTTP/1.1",
        " GET /admin HTTP/1.1",
        "GET /ad min HTTP/1.1",
        "GET\t/admin\tHTTP/1.1",
        "GET /admin\u{b}HTTP/1.1",
    ];
    for head in heads {
        let request = format!("{head}\r\nHost: {authority}\r\n\r\n");
        let answer = stage.send_h1(HOST, request.as_bytes());
        assert!(answer.is_refusal(), "{head:?}: {answer:?}");
        stage.assert_nothing_passed(head);
    }
}

#[test]
fn a4_field_names_and_values_with_odd_bytes_are_refused() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let lines: [&[u8]; 9] = [
        b"X Y: 1",
        b"X\x00Y: 1",
        b"X-Y: a\x00b",
        b"X-Y: a\rb",
        b": 1",
        b"X-Y : 1",
        b"X\xffY: 1",
        b"no colon at all",
        b"X(Y): 1",
    ];
    for line in lines {
        let request = [
            b"GET /public/ HTTP/1.1\r\nHost: ",
            authority.as_bytes(),
            b"\r\n",
            line,
            b"\r\n\r\n",
        ]
        .concat();
        let answer = stage.send_h1(HOST, &request);
        assert!(answer.is_refusal(), "{}: {answer:?}", line.escape_ascii());
        stage.assert_nothing_passed(&line.escape_ascii().to_string());
    }
    let fields: [(&[u8], &[u8]); 7] = [
        (b"X-Upper", b"1"),
        (b"x y", b"1"),
        (b"x-y", b"a\x00b"),
        (b"x-y", b"a\r\nb: c"),
        (b"", b"1"),
        (b":made-up", b"1"),
        (b"x:y", b"1"),
    ];
    for (name, value) in fields {
        let answer = stage.send(
            octroi_integration_tests::visitor::Version::H2,
            b"GET",
            b"/public/",
            &[(name, value)],
        );
        let what = format!("H2 {}: {}", name.escape_ascii(), value.escape_ascii());
        assert!(answer.is_refusal(), "{what}: {answer:?}");
        stage.assert_nothing_passed(&what);
    }
}

#[test]
fn a4_methods_that_are_never_served_are_refused() {
    let stage = Stage::set();
    for version in VERSIONS {
        for method in [&b"TRACE"[..], b"TRACK", b"CONNECT"] {
            let what = format!("{version:?} {}", method.escape_ascii());
            let answer = stage.send(version, method, b"/public/", &[]);
            assert!(
                matches!(answer.status(), 0 | 400 | 405) && answer.is_refusal(),
                "{what}: {answer:?}"
            );
            stage.assert_nothing_passed(&what);
        }
    }
}
