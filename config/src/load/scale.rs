//! Ten thousand routes load in under a second and match as fast as ten.
#![expect(
    clippy::disallowed_methods,
    reason = "the time that something takes is what is tested"
)]

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Method};
use octroi_policy::{
    decision::{Decision, authorize},
    request::{CanonicalRequest, RequestParts, Scheme},
    time::Timestamp,
};

use super::parse;
use crate::Settings;

/// A file with so many routes: a host each, of which every tenth has a deep path too.
fn file(routes: usize) -> String {
    let mut text = "[server]\nhttps = \"0.0.0.0:443\"\nportal = \"login.example.com\"\ndata = \"/d\"\nkeyring = \"/k\"\n[[certificate]]\nnames = [\"*.example.com\"]\nchain = \"/c\"\nkey_file = \"/e\"\n".to_owned();
    for number in 0..routes {
        let (host, path) = if number % 10 == 9 {
            (number - 1, "/a/b/c/d")
        } else {
            (number, "/")
        };
        write!(
            text,
            "\n[[route]]\nhost = \"app{host}.example.com\"\npath = \"{path}\"\nto = [\"http://10.0.0.12:8080\", \"http://10.0.0.13:8080\"]\nallow = {{ roles = [\"rh\"], tenants = [\"acme\"] }}\n"
        )
        .unwrap();
    }
    text
}

/// The shortest of several tries: what else the machine does only ever adds.
fn shortest(tries: usize, mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    };
    (0..tries).map(time).min().unwrap()
}

fn settings(routes: usize) -> Settings {
    parse(&file(routes), Path::new("/f.toml")).unwrap().settings
}

fn request(host: &str, path: &str) -> CanonicalRequest {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_str(host).unwrap());
    CanonicalRequest::from_parts(&RequestParts {
        scheme: Scheme::Https,
        method: &Method::GET,
        target: path.as_bytes(),
        parsed_target: None,
        authority: None,
        headers: &headers,
        server_name: None,
        client: std::net::Ipv4Addr::LOCALHOST.into(),
    })
    .unwrap()
}

#[test]
fn ten_thousand_routes_load_in_under_a_second() {
    let text = file(10_000);
    let time = shortest(3, || {
        let loaded = parse(&text, Path::new("/f.toml")).unwrap();
        assert_eq!(loaded.settings.routes.iter().count(), 10_000);
    });
    // Without optimisation the same work takes several times as long.
    let limit = if cfg!(debug_assertions) { 4 } else { 1 };
    assert!(time < Duration::from_secs(limit), "{time:?}");
}

#[test]
fn ten_thousand_routes_match_as_fast_as_ten() {
    let time = |settings: &Settings, host: &str| {
        let asked = [
            request(host, "/a/b/c/d/e?f"),
            request("nowhere.example.com", "/"),
        ];
        shortest(30, || {
            for request in asked.iter().cycle().take(400) {
                let table = settings.routes.table();
                let decision = authorize(table, request, None, Timestamp::EPOCH);
                assert!(!matches!(decision, Decision::Permit(_)));
            }
        })
    };
    let few = time(&settings(10), "app8.example.com");
    let many = time(&settings(10_000), "app9998.example.com");
    // Caches are colder with more; a search through all would take a thousand times as long.
    assert!(many < few * 4, "ten: {few:?}, ten thousand: {many:?}");
}
