//! What of a service's answer a client gets: interim answers, framing, cookies of ours.

use super::{World, world::fields};

const REQUEST: &str = "GET /public HTTP/1.1\r\nHost: open.example.com\r\nConnection: close\r\n\r\n";

/// What a client gets, byte for byte, where a service gives this answer; and the access line's refusal.
async fn relayed(answer: &'static str) -> (String, Option<String>) {
    let world = World::answering(answer).await;
    let got = world.send(REQUEST).await;
    let lines = world.access_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let refused = lines[0]["refused"].as_str().map(str::to_owned);
    (got, refused)
}

/// The first head of an answer, as the tests of fields read it.
fn head(answer: &str) -> String {
    answer.replace("\r\n", "\n")
}

#[tokio::test]
async fn a12_an_interim_answer_bears_nothing_but_links() {
    let (got, refused) = relayed(
        "HTTP/1.1 103 Early Hints\r\nSet-Cookie: __Host-octroi=evil; Path=/; Secure\r\n\
         Octroi-Assertion: x\r\nAlt-Svc: h3=\":443\"\r\nLink: </a.css>; rel=preload\r\n\r\n\
         HTTP/1.1 102 Processing\r\nSet-Cookie: a=b\r\nLink: </b>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n\
                   HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n";
    assert!(got.starts_with(interim), "{got}");
    assert!(got.ends_with("\r\n\r\nok"), "{got}");
    assert!(!got.to_lowercase().contains("set-cookie"), "{got}");
    assert_eq!(refused, None);
}

#[tokio::test]
async fn a8_a_protocol_switched_unasked_is_a_broken_answer() {
    let (got, refused) = relayed(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Set-Cookie: __Host-octroi=evil\r\n\r\nraw bytes",
    )
    .await;
    assert!(got.starts_with("HTTP/1.1 502 "), "{got}");
    assert!(!got.contains("evil") && !got.contains("raw bytes"), "{got}");
    assert_eq!(refused.as_deref(), Some("upstream_broken"));
}

#[tokio::test]
async fn invariant_8_sixteen_interim_answers_pass_and_one_more_does_not() {
    const END: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const ONE: &str = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let sixteen = format!("{}{END}", ONE.repeat(16)).leak();
    let (got, refused) = relayed(sixteen).await;
    assert_eq!((got.matches("HTTP/1.1 103").count(), refused), (16, None));
    assert!(got.ends_with("ok"), "{got}");
    let seventeen = format!("{}{END}", ONE.repeat(17)).leak();
    let (got, refused) = relayed(seventeen).await;
    assert_eq!(got.matches("HTTP/1.1 103").count(), 16, "{got}");
    assert!(
        got.contains("HTTP/1.1 502 ") && !got.contains("HTTP/1.1 200"),
        "{got}"
    );
    assert_eq!(refused.as_deref(), Some("upstream_broken"));
}

#[tokio::test]
async fn a8_an_answer_whose_end_has_two_readings_is_broken() {
    for answer in [
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    ] {
        let (got, refused) = relayed(answer).await;
        assert!(got.starts_with("HTTP/1.1 502 "), "{answer}\n{got}");
        assert_eq!(refused.as_deref(), Some("upstream_broken"), "{answer}");
    }
}

#[tokio::test]
async fn a8_an_answer_without_a_body_tells_no_length() {
    for status in ["204 No Content", "304 Not Modified"] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 57\r\nETag: \"a\"\r\n\r\n");
        let (got, refused) = relayed(answer.leak()).await;
        let head = head(&got);
        assert!(got.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{got}");
        assert_eq!(fields(&head, "content-length"), Vec::<&str>::new());
        assert_eq!(fields(&head, "transfer-encoding"), Vec::<&str>::new());
        assert_eq!(fields(&head, "etag"), ["\"a\""]);
        assert_eq!(refused, None);
    }
}

#[tokio::test]
async fn a7_what_a_service_says_of_its_own_connection_stays_there() {
    let (got, refused) = relayed(
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop, keep-alive, Content-Length\r\n\
         X-Hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nTrailer: X-Sum\r\nX-Kept: 1\r\n\r\nok",
    )
    .await;
    let head = head(&got);
    assert!(
        got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("ok"),
        "{got}"
    );
    for name in ["x-hop", "keep-alive", "upgrade", "trailer"] {
        assert_eq!(fields(&head, name), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(fields(&head, "connection"), ["close"]);
    assert_eq!(fields(&head, "content-length"), ["2"]);
    assert_eq!(fields(&head, "x-kept"), ["1"]);
    assert_eq!(refused, None);
}

#[tokio::test]
async fn a12_no_spelling_of_our_cookie_passes_an_answer() {
    let (got, _) = relayed(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: =__Host-octroi=evil\r\n\
         Set-Cookie: ==__Host-octroi=evil\r\nSet-Cookie: \t= =__HOST-octroi-lang=evil\r\n\
         Set-Cookie: a=b\r\nSet-Cookie: =c\r\n\r\nok",
    )
    .await;
    assert_eq!(fields(&head(&got), "set-cookie"), ["a=b", "=c"]);
}

/// A service speaks for its own origin: not for the cookies of its neighbours, nor for whether browsers
/// come to them by TLS.
#[tokio::test]
async fn a12_a_service_clears_and_binds_no_host_but_its_own() {
    let (got, _) = relayed(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nClear-Site-Data: \"cookies\", \"storage\"\r\n\
         Clear-Site-Data: \"*\",\"cache\",\"COOKIES\"\r\n\
         Strict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n\
         Service-Worker-Allowed: /\r\n\r\nok",
    )
    .await;
    let head = head(&got);
    let cleared = fields(&head, "clear-site-data");
    assert_eq!(cleared, ["\"storage\", \"cache\""]);
    let hsts = fields(&head, "strict-transport-security");
    assert_eq!(hsts, ["max-age=31536000"], "ours, not the service's");
    let scope = fields(&head, "service-worker-allowed");
    assert_eq!(scope, Vec::<&str>::new(), "the route is for one path");
    let (got, _) =
        relayed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nClear-Site-Data: \"cookies\"\r\n\r\nok")
            .await;
    assert!(!got.to_lowercase().contains("clear-site-data"), "{got}");
}
