//! A2: one host, however it is written; where two are named, none is believed.

use std::time::Duration;

use octroi_integration_tests::h2;
use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::visitor::{VERSIONS, Version};

use crate::stage::{HOST, PAYROLL, Stage, assert_challenged, assert_passed, assert_refused};

#[test]
fn a2_every_spelling_of_a_host_meets_the_same_rule() {
    let stage = Stage::set();
    let port = stage.world.facts.https.port();
    let spellings = [
        format!("{PAYROLL}:{port}"),
        "PAIE.LocalHost".to_owned(),
        format!("{PAYROLL}."),
        format!("{PAYROLL}:443"),
        format!("{PAYROLL}.:{port}"),
        format!("PAIE.localhost:{port}"),
    ];
    for spelling in &spellings {
        let request = format!("GET / HTTP/1.1\r\nHost: {spelling}\r\n\r\n");
        assert_challenged(
            &format!("H1 {spelling}"),
            &stage.send_h1(PAYROLL, request.as_bytes()),
        );
        let fields = h2::fields(b"GET", spelling.as_bytes(), b"/", &[]);
        assert_challenged(&format!("H2 {spelling}"), &stage.send_h2(PAYROLL, &fields));
        stage.assert_nothing_passed(spelling);
    }
}

#[test]
fn a2_an_absolute_target_meets_the_same_rule_and_is_forwarded_in_origin_form() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    let closed = format!("GET https://{authority}/admin HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    assert_challenged("absolute form", &stage.send_h1(HOST, closed.as_bytes()));
    stage.assert_nothing_passed("absolute form");
    let open = format!("GET https://{authority}/public/a HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    assert_passed("absolute form", &stage.send_h1(HOST, open.as_bytes()));
    assert_eq!(stage.open.last().target, "/public/a");
}

#[test]
fn a2_two_hosts_in_one_request_are_refused() {
    let stage = Stage::set();
    let cases = [
        (
            "no host",
            "GET /public/ HTTP/1.1\r\n\r\n".to_owned(),
            "request_host_missing",
        ),
        (
            "two hosts",
            format!("GET /public/ HTTP/1.1\r\nHost: {HOST}\r\nHost: {PAYROLL}\r\n\r\n"),
            "request_host_repeated",
        ),
        (
            "the same twice",
            format!("GET /public/ HTTP/1.1\r\nHost: {HOST}\r\nhost: {HOST}\r\n\r\n"),
            "request_host_repeated",
        ),
        (
            "empty",
            "GET /public/ HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
            "request_host",
        ),
        (
            "not a name",
            format!("GET /public/ HTTP/1.1\r\nHost: {HOST}/x\r\n\r\n"),
            "request_host",
        ),
        (
            "user information",
            format!("GET /public/ HTTP/1.1\r\nHost: evil@{HOST}\r\n\r\n"),
            "request_host",
        ),
        (
            "a space",
            format!("GET /public/ HTTP/1.1\r\nHost: {HOST} x\r\n\r\n"),
            "request_host",
        ),
        (
            "no port",
            format!("GET /public/ HTTP/1.1\r\nHost: {HOST}:x\r\n\r\n"),
            "request_host",
        ),
        (
            "another in the target",
            format!("GET https://{PAYROLL}/public/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            "request_host_disagrees",
        ),
    ];
    for (what, request, reason) in &cases {
        let answer = stage.send_h1(HOST, request.as_bytes());
        assert_refused(what, &answer, 400, reason);
        stage.assert_nothing_passed(what);
    }
}

#[test]
fn a2_a_host_unlike_the_authority_over_http2_is_refused() {
    let stage = Stage::set();
    let fields = h2::fields(
        b"GET",
        HOST.as_bytes(),
        b"/public/",
        &[(b"host", PAYROLL.as_bytes())],
    );
    // Pingora answers this one before anything of ours is asked: the status alone. The log has it all the same.
    let answer = stage.send_h2(HOST, &fields).response();
    let all = answer.everything();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (400, &b""[..]),
        "{all}"
    );
    assert_eq!(
        (answer.first("set-cookie"), answer.first("location")),
        (None, None)
    );
    stage.assert_nothing_passed("another in :authority");
    let line = wait_for(Duration::from_secs(5), || {
        let log = stage.world.log();
        let mut lines = log.lines();
        let line = lines.find(|line| line.contains("request_http2_head"))?;
        serde_json::from_str::<serde_json::Value>(line).ok()
    });
    let (line, _) = line.unwrap_or_else(|| panic!("no access line: {}", stage.world.log()));
    assert_eq!(
        (
            line["kind"].as_str(),
            line["status"].as_u64(),
            line["method"].as_str()
        ),
        (Some("access"), Some(400), Some("-")),
        "{line}"
    );
}

#[test]
fn a2_a_host_unlike_the_one_of_the_handshake_is_misdirected() {
    let stage = Stage::set();
    let request = format!("GET /public/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    assert_refused(
        "H1",
        &stage.send_h1(PAYROLL, request.as_bytes()),
        421,
        "request_misdirected",
    );
    let fields = h2::fields(b"GET", HOST.as_bytes(), b"/public/", &[]);
    assert_refused(
        "H2",
        &stage.send_h2(PAYROLL, &fields),
        421,
        "request_misdirected",
    );
    stage.assert_nothing_passed("a misdirected request");
}

#[test]
fn a2_a_host_that_no_route_names_is_nobody() {
    let stage = Stage::set();
    for version in VERSIONS {
        let answer = stage.send_to(version, "visites.localhost", b"GET", b"/", &[]);
        assert_refused(&format!("{version:?}"), &answer, 404, "no_route");
    }
    stage.assert_nothing_passed("a host without a route");
    assert_eq!(VERSIONS, [Version::H1, Version::H2]);
}

#[test]
fn a2_a_host_that_no_route_names_has_the_files_of_its_page_alone() {
    let stage = Stage::set();
    let get = |target: &str| {
        let fields: [(&[u8], &[u8]); 1] = [(b"accept", b"text/html")];
        stage.send_to(
            Version::H2,
            "visites.localhost",
            b"GET",
            target.as_bytes(),
            &fields,
        )
    };
    let page = get("/").response().text();
    let sheet = page
        .split('"')
        .find(|text| text.starts_with("/.octroi/assets/portal.") && text.contains(".css"))
        .unwrap_or_else(|| panic!("no style sheet in {page}"));
    let sheet = get(sheet).response();
    assert_eq!(sheet.status, 200);
    assert_eq!(sheet.first("content-type"), Some("text/css; charset=utf-8"));
    for target in [
        "/.octroi/assets/",
        "/.octroi/assets/other.css",
        "/.octroi/assetsx",
        "/.octroi/login",
        "/.octroi/enter",
        "/.octroi/session",
    ] {
        assert_eq!(get(target).status(), 404, "{target}");
    }
    stage.assert_nothing_passed("a host without a route");
}
