//! Tests of reading requests: attack classes A2, A5, A6 and A8 line by line.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;

struct Sent {
    method: Method,
    target: &'static str,
    authority: Option<&'static str>,
    headers: HeaderMap,
    server_name: Option<&'static str>,
}

fn sent(target: &'static str, hosts: &[&str]) -> Sent {
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append("host", HeaderValue::from_str(host).unwrap());
    }
    Sent {
        method: Method::GET,
        target,
        authority: None,
        headers,
        server_name: None,
    }
}

impl Sent {
    fn read(&self) -> Result<CanonicalRequest, Malformed> {
        CanonicalRequest::from_parts(&RequestParts {
            scheme: Scheme::Https,
            method: &self.method,
            target: self.target.as_bytes(),
            parsed_target: None,
            authority: self.authority,
            headers: &self.headers,
            server_name: self.server_name,
            client: IpAddr::from([192, 0, 2, 1]),
        })
    }

    fn url(&self) -> Result<String, Malformed> {
        self.read().map(|request| {
            format!(
                "{}://{}{}{}",
                request.scheme().as_str(),
                request.host(),
                request
                    .port()
                    .map_or_else(String::new, |port| format!(":{port}")),
                request.target()
            )
        })
    }
}

#[test]
fn a2_one_host_has_one_form_however_it_is_written() {
    let canonical = Ok("https://a.b.example.com/x".to_owned());
    for host in [
        "a.b.example.com",
        "A.B.Example.com",
        "a.b.example.com.",
        "a.b.example.com:443",
        "A.B.example.com.:443",
    ] {
        assert_eq!(sent("/x", &[host]).url(), canonical, "{host:?}");
    }
    for target in [
        "https://a.b.example.com/x",
        "HTTPS://A.b.example.com.:443/x",
    ] {
        assert_eq!(
            sent(target, &["a.b.example.com"]).url(),
            canonical,
            "{target:?}"
        );
        assert_eq!(sent(target, &[]).url(), canonical, "{target:?}");
    }
    let mut over_h2 = sent("/x", &[]);
    over_h2.authority = Some("A.b.example.com");
    assert_eq!(over_h2.url(), canonical);
}

#[test]
fn a2_hosts_that_disagree_are_refused() {
    let mut over_h2 = sent("/", &["b.example.com"]);
    over_h2.authority = Some("a.example.com");
    for (request, reason) in [
        (over_h2, Malformed::HostDisagrees),
        (
            sent("https://b.example.com/", &["a.example.com"]),
            Malformed::HostDisagrees,
        ),
        (
            sent("/", &["a.example.com:8443", "a.example.com"]),
            Malformed::HostRepeated,
        ),
        (
            sent("/", &["a.example.com", "a.example.com"]),
            Malformed::HostRepeated,
        ),
        (
            sent("https://a.example.com:8443/", &["a.example.com"]),
            Malformed::HostDisagrees,
        ),
        (sent("/", &[]), Malformed::HostMissing),
        (sent("/", &[""]), Malformed::Host),
        (sent("/", &["a.example.com:"]), Malformed::Host),
        (sent("/", &["a.example.com:0443"]), Malformed::Host),
        (sent("/", &["a.example.com:99999"]), Malformed::Host),
        (sent("/", &["user@a.example.com"]), Malformed::Host),
        (
            sent("/", &["a.example.com, b.example.com"]),
            Malformed::Host,
        ),
        (sent("/", &["[::1]"]), Malformed::Host),
        (
            sent("http://a.example.com/", &["a.example.com"]),
            Malformed::TargetForm,
        ),
        (
            sent("ftp://a.example.com/", &["a.example.com"]),
            Malformed::TargetForm,
        ),
        (
            sent("https://a.example.com?x", &["a.example.com"]),
            Malformed::TargetForm,
        ),
        (sent("*", &["a.example.com"]), Malformed::TargetForm),
    ] {
        assert_eq!(
            request.url(),
            Err(reason),
            "{:?} {:?}",
            request.target,
            request.headers
        );
    }
}

#[test]
fn a2_a_host_unlike_the_one_of_the_handshake_is_misdirected() {
    let mut request = sent("/", &["a.example.com"]);
    for (name, outcome) in [
        ("a.example.com", Ok(())),
        ("A.example.com.", Ok(())),
        ("b.example.com", Err(Malformed::Misdirected)),
        ("example.com", Err(Malformed::Misdirected)),
    ] {
        request.server_name = Some(name);
        assert_eq!(request.read().map(|_| ()), outcome, "{name:?}");
    }
}

#[test]
fn methods_that_echo_or_tunnel_are_refused() {
    for (method, outcome) in [
        ("TRACE", Err(Malformed::Method)),
        ("TRACK", Err(Malformed::Method)),
        ("CONNECT", Err(Malformed::Method)),
        ("GET", Ok(())),
        ("PROPFIND", Ok(())),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", Ok(())),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", Err(Malformed::Method)),
    ] {
        let mut request = sent("/", &["a.example.com"]);
        request.method = method.parse().unwrap();
        assert_eq!(request.read().map(|_| ()), outcome, "{method}");
    }
}

#[test]
fn only_what_everybody_keeps_may_be_expected() {
    for (value, outcome) in [
        ("100-continue", Ok(())),
        ("100-Continue", Ok(())),
        ("200-ok", Err(Malformed::Expectation)),
        ("100-continue, x", Err(Malformed::Expectation)),
        ("", Err(Malformed::Expectation)),
    ] {
        let mut request = sent("/", &["a.example.com"]);
        request.headers.insert("expect", value.parse().unwrap());
        assert_eq!(request.read().map(|_| ()), outcome, "{value:?}");
    }
}

#[test]
fn a6_names_that_become_another_name_behind_us_are_refused() {
    for name in ["x_auth_user", "x.auth.user", "_", "content_length"] {
        let mut request = sent("/", &["a.example.com"]);
        let name: HeaderName = name.parse().unwrap();
        request.headers.insert(name, HeaderValue::from_static("x"));
        assert_eq!(request.url(), Err(Malformed::FieldName));
    }
}

#[test]
fn an_origin_is_the_requests_own_only_in_scheme_host_and_port() {
    let request = sent("/", &["a.example.com:8443"]).read().unwrap();
    for (origin, own) in [
        ("https://a.example.com:8443", true),
        ("https://a.example.com", false),
        ("https://a.example.com:443", false),
        ("http://a.example.com:8443", false),
        ("https://b.example.com:8443", false),
        ("https://a.example.com:8443/", false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(request.is_same_origin(origin), own, "{origin:?}");
    }
}

#[test]
fn a5_nobody_is_believed_unless_listed_and_what_a_client_wrote_never() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let read = |peer: &str, fields: &[&str], trusted: &[ipnet::IpNet]| {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append("x-forwarded-for", HeaderValue::from_str(field).unwrap());
        }
        client_address(address(peer), trusted, &headers)
    };
    for (peer, fields, client) in [
        ("192.0.2.1", &["203.0.113.9"][..], Ok("192.0.2.1")),
        ("192.0.2.1", &["garbage"], Ok("192.0.2.1")),
        ("10.0.0.1", &[], Ok("10.0.0.1")),
        ("10.0.0.1", &["203.0.113.9"], Ok("203.0.113.9")),
        (
            "10.0.0.1",
            &["198.51.100.1, 203.0.113.9"],
            Ok("203.0.113.9"),
        ),
        (
            "10.0.0.1",
            &["198.51.100.1, 203.0.113.9,10.0.0.2"],
            Ok("203.0.113.9"),
        ),
        ("10.0.0.1", &["garbage, 203.0.113.9"], Ok("203.0.113.9")),
        (
            "10.0.0.1",
            &["198.51.100.1", "203.0.113.9"],
            Ok("203.0.113.9"),
        ),
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], Ok("10.0.0.3")),
        (
            "::ffff:10.0.0.1",
            &["::ffff:203.0.113.9"],
            Ok("203.0.113.9"),
        ),
        ("fd00::1", &["2001:db8::1"], Ok("2001:db8::1")),
        (
            "10.0.0.1",
            &["203.0.113.9, garbage"],
            Err(Malformed::ForwardedFor),
        ),
        (
            "10.0.0.1",
            &["203.0.113.9:1234"],
            Err(Malformed::ForwardedFor),
        ),
        ("10.0.0.1", &[""], Err(Malformed::ForwardedFor)),
        ("10.0.0.1", &["203.0.113.9,"], Err(Malformed::ForwardedFor)),
    ] {
        assert_eq!(
            read(peer, fields, &trusted),
            client.map(address),
            "{peer} {fields:?}"
        );
    }
    assert_eq!(
        read("10.0.0.1", &["203.0.113.9"], &[]),
        Ok(address("10.0.0.1"))
    );
}

#[test]
fn a8_a_head_that_a_forgiving_parser_would_take_is_refused() {
    for (head, reason) in FORGIVEN {
        assert_eq!(read_http1_head(head.as_bytes()), Err(*reason), "{head:?}");
    }
}

#[test]
fn a_head_with_one_reading_passes() {
    for (head, body, fields) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", DeclaredBody::Absent, 1),
        ("GET / HTTP/1.0\r\n\r\n", DeclaredBody::Absent, 0),
        (
            "POST /a?b HTTP/1.1\r\nHost: a\r\nX:\ty \r\ncontent-LENGTH:  10 \r\n\r\n",
            DeclaredBody::Sized(10),
            3,
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 999999999999999999\r\n\r\n",
            DeclaredBody::Sized(999_999_999_999_999_999),
            1,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            DeclaredBody::Absent,
            2,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
            DeclaredBody::Chunked,
            2,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX-Name: é\r\n\r\n",
            DeclaredBody::Absent,
            2,
        ),
    ] {
        let expected = Ok(Http1Head { body, fields });
        assert_eq!(read_http1_head(head.as_bytes()), expected, "{head:?}");
    }
}

#[test]
fn every_reason_has_an_id_of_its_own() {
    let ids: std::collections::HashSet<_> = Malformed::ALL.map(Malformed::as_str).into();
    assert_eq!(ids.len(), Malformed::ALL.len());
}

const FORGIVEN: &[(&str, Malformed)] = &[
    ("GET / HTTP/1.1\nHost: a\r\n\r\n", Malformed::BareLineEnd),
    ("GET / HTTP/1.1\r\nHost: a\n\r\n", Malformed::BareLineEnd),
    ("GET / HTTP/1.1\r\nHost: a\r\n\n", Malformed::BareLineEnd),
    (
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        Malformed::BareLineEnd,
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        Malformed::BareLineEnd,
    ),
    ("GET / HTTP/1.1\r\nHost: a\r\n", Malformed::BareLineEnd),
    ("", Malformed::BareLineEnd),
    (
        "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
        Malformed::ControlByte,
    ),
    (
        "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n",
        Malformed::ControlByte,
    ),
    (
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        Malformed::RequestLine,
    ),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Malformed::RequestLine),
    ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Malformed::RequestLine),
    ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Malformed::RequestLine),
    ("GET /\r\nHost: a\r\n\r\n", Malformed::RequestLine),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Malformed::RequestLine),
    ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Malformed::RequestLine),
    (
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        Malformed::RequestLine,
    ),
    ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Malformed::Fragment),
    (
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        Malformed::FoldedLine,
    ),
    ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Malformed::FoldedLine),
    ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Malformed::FieldName),
    ("GET / HTTP/1.1\r\nHost\r\n\r\n", Malformed::FieldName),
    ("GET / HTTP/1.1\r\n: a\r\n\r\n", Malformed::FieldName),
    (
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, x\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
        Malformed::Framing,
    ),
    (
        "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
        Malformed::FieldName,
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        Malformed::BareLineEnd,
    ),
    (
        "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        Malformed::Framing,
    ),
];
