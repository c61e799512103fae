//! Plain HTTP: a redirect to our own hosts, and nothing else.

use octroi_integration_tests::plain;
use octroi_integration_tests::world::World;

#[test]
fn plain_http_redirects_to_configured_hosts_only() {
    let world = World::demo();
    let http = world.facts.http;
    for host in ["login.localhost", "paie.localhost", "PAIE.localhost"] {
        for target in ["/", "/a?b=c"] {
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: {host}:{}\r\n\r\n",
                http.port()
            );
            let answer = plain::send(http, request.as_bytes()).response();
            assert_eq!(answer.status, 308, "{}", answer.everything());
            let to = world.url(&host.to_lowercase(), target);
            assert_eq!(answer.first("location"), Some(to.as_str()));
            assert_eq!(answer.first("set-cookie"), None);
            assert_eq!(
                answer.first("strict-transport-security"),
                None,
                "not over plain HTTP, and never in the demo"
            );
        }
    }
    for host in [
        "evil.example",
        "nobody.localhost",
        "127.0.0.1",
        "paie.localhost@evil.example",
        "",
        "paie.localhost.evil.example",
    ] {
        let answer = plain::send(
            http,
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(),
        );
        assert_eq!(answer.status(), 400, "{host}: {answer:?}");
    }
    let absolute = plain::send(
        http,
        b"GET http://evil.example/ HTTP/1.1\r\nHost: paie.localhost\r\n\r\n",
    );
    assert!(absolute.status() == 400, "{absolute:?}");
    let split = plain::send(
        http,
        b"GET /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: paie.localhost\r\n\r\n",
    );
    if let octroi_integration_tests::answer::Answer::Response(response) = &split {
        assert_eq!(
            response.first("set-cookie"),
            None,
            "{}",
            response.everything()
        );
    }
    for challenge in [
        "/.well-known/acme-challenge/token",
        "/.well-known/acme-challenge/../../etc/passwd",
    ] {
        let answer = plain::send(
            http,
            format!("GET {challenge} HTTP/1.1\r\nHost: paie.localhost\r\n\r\n").as_bytes(),
        );
        assert_ne!(answer.status(), 200, "no folder is configured: {answer:?}");
    }
}
