//! What a service sees of a request, and a client of its answer.

use octroi_policy::session::Computer;

use super::{World, world::fields};

#[tokio::test]
async fn the_service_gets_the_canonical_target_and_host_and_our_word_on_where_it_came_from() {
    let world = World::new().await;
    let request = "GET https://OPEN.example.com.:443/public/%61?q=%2e HTTP/1.1\r\n\
        Connection: close\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=1.1.1.1\r\n\
        X-Forwarded-Host: evil\r\nX-Real-IP: 1.1.1.1\r\nVia: 1.0 evil\r\n\r\n";
    let answer = world.send(request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("ok"), "{answer}");
    let seen = world.seen.one();
    assert!(seen.starts_with("GET /public/a?q=%2e HTTP/1.1\n"), "{seen}");
    assert_eq!(fields(&seen, "host"), ["open.example.com"]);
    assert_eq!(fields(&seen, "x-forwarded-for"), ["192.0.2.7"]);
    assert_eq!(fields(&seen, "x-forwarded-host"), ["open.example.com"]);
    assert_eq!(fields(&seen, "x-forwarded-proto"), ["https"]);
    assert_eq!(fields(&seen, "via"), ["1.1 octroi"]);
    for gone in [
        "forwarded",
        "x-real-ip",
        "connection",
        "remote-user",
        "octroi-assertion",
    ] {
        assert_eq!(fields(&seen, gone), Vec::<&str>::new(), "{gone}\n{seen}");
    }
    let head = answer.replace("\r\n", "\n");
    assert_eq!(fields(&head, "x-request-id"), fields(&seen, "x-request-id"));
    let id = fields(&seen, "x-request-id")[0].replace('-', "");
    assert!(
        fields(&seen, "traceparent")[0].starts_with(&format!("00-{id}-")),
        "{seen}"
    );
}

#[tokio::test]
async fn a6_the_service_sees_one_value_of_each_identity_field_and_it_is_ours() {
    let world = World::new().await;
    let (cookie, known) = world
        .sessions
        .open("paie.example.com", &["rh", "it"], Computer::Private);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close, X-Forwarded-For, Remote-User, octroi-assertion\r\n\
        Remote-User: admin\r\nremote-user:\tadmin\r\nREMOTE-GROUPS: root\r\nRemote-Tenant: other\r\n\
        Octroi-Assertion: forged\r\nX-Auth-User: admin\r\nX-Own: nominated\r\nConnection: X-Own\r\n\
        X-Other: kept\r\nAuthorization: Basic YTpi\r\nCookie: {cookie}; a=b\r\n\r\n"
    );
    let answer = world.send(request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = world.seen.one();
    let account = known.session.record.account.to_string();
    assert_eq!(fields(&seen, "remote-user"), [account.as_str()]);
    assert_eq!(fields(&seen, "remote-groups"), ["rh,it"]);
    assert_eq!(fields(&seen, "remote-tenant"), ["acme"]);
    assert_eq!(fields(&seen, "octroi-assertion").len(), 1);
    assert_ne!(fields(&seen, "octroi-assertion"), ["forged"]);
    assert_eq!(fields(&seen, "x-forwarded-for"), ["192.0.2.7"]);
    for gone in ["x-auth-user", "x-own", "connection"] {
        assert_eq!(fields(&seen, gone), Vec::<&str>::new(), "{gone}\n{seen}");
    }
    assert_eq!(fields(&seen, "x-other"), ["kept"]);
    assert_eq!(fields(&seen, "authorization"), ["Basic YTpi"]);
    // a12: of the cookies only the service's own.
    assert_eq!(fields(&seen, "cookie"), ["a=b"]);
}

#[tokio::test]
async fn a_public_route_tells_the_service_nothing_of_who_is_signed_in() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let request = format!(
        "POST /webhooks/x HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\
        Content-Length: 3\r\n\r\nabc"
    );
    assert!(world.send(request).await.starts_with("HTTP/1.1 200 "));
    let seen = world.seen.one();
    for gone in [
        "cookie",
        "remote-user",
        "remote-groups",
        "remote-tenant",
        "octroi-assertion",
    ] {
        assert_eq!(fields(&seen, gone), Vec::<&str>::new(), "{gone}\n{seen}");
    }
    assert!(seen.ends_with("\n\nabc"), "{seen}");
}

#[tokio::test]
async fn a_chunked_body_arrives_whole() {
    let world = World::new().await;
    let request = "POST /public/x HTTP/1.1\r\nHost: open.example.com\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = world.send(request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = world.seen.one();
    assert_eq!(fields(&seen, "transfer-encoding"), ["chunked"]);
    let body: String = seen.split_once("\n\n").unwrap().1.lines().collect();
    assert!(body.contains("abc") && body.contains("de"), "{seen}");
    let line = world.access_lines().pop().unwrap();
    assert_eq!(
        (line["bytes_in"].clone(), line["status"].clone()),
        (5.into(), 200.into())
    );
}

#[tokio::test]
async fn an_answer_sets_no_cookie_of_ours_and_gets_the_routes_security_fields() {
    let world = World::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: __Host-octroi=evil; Path=/\r\n\
        Set-Cookie: own=1\r\nSet-Cookie: __HOST-octroi-enter-1=x\r\nAlt-Svc: h3=\":443\"\r\n\
        Octroi-Assertion: echo\r\nKeep-Alive: timeout=5\r\n\r\nok",
    )
    .await;
    let request = "GET /public HTTP/1.1\r\nHost: open.example.com\r\nConnection: close\r\n\r\n";
    let answer = world.send(request).await;
    let head = answer.replace("\r\n", "\n");
    assert_eq!(fields(&head, "set-cookie"), ["own=1"]);
    for gone in ["alt-svc", "octroi-assertion", "keep-alive"] {
        assert_eq!(fields(&head, gone), Vec::<&str>::new(), "{gone}\n{head}");
    }
    assert_eq!(fields(&head, "x-content-type-options"), ["nosniff"]);
    assert_eq!(fields(&head, "x-frame-options"), ["SAMEORIGIN"]);
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[tokio::test]
async fn c2_a_shared_computer_keeps_no_signed_in_answer() {
    let world = World::new().await;
    for (computer, stored) in [
        (Computer::Public, &["no-store"][..]),
        (Computer::Private, &[]),
    ] {
        let (cookie, _) = world.sessions.open("paie.example.com", &["rh"], computer);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
        );
        let answer = world.send(request).await.replace("\r\n", "\n");
        assert_eq!(fields(&answer, "cache-control"), stored, "{answer}");
    }
}

#[tokio::test]
async fn invariant_5_an_access_line_has_no_query_and_no_token() {
    let world = World::new().await;
    let (cookie, known) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let request = format!(
        "GET /a?password=hunter2 HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    world.send(request).await;
    let line = world.access_lines().pop().unwrap();
    assert_eq!(line["path"], "/a");
    assert_eq!(line["route"], "paie");
    assert_eq!(line["account"], known.session.record.account.to_string());
    assert_eq!(line["session"], known.session.record.id.to_string());
    let text = line.to_string();
    let token = cookie.split_once('=').unwrap().1;
    assert!(!text.contains("hunter2") && !text.contains(token), "{text}");
    assert!(
        world
            .metrics
            .text()
            .contains("octroi_requests_total{route=\"paie\",status=\"2xx\"} 1")
    );
}
