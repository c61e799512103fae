//! How often an address is answered, and what no limit hides.

use std::{sync::Arc, time::Duration};

use octroi_policy::session::Computer;
use pingora::proxy::{ProxyHttp, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    super::{context::Context, rate_limit::AddressLimit, refusal::Refusal},
    World,
    world::facts,
};
use crate::listener::open_requests::OpenRequest;

const PUBLIC: &str = "GET /public HTTP/1.1\r\nHost: open.example.com\r\nConnection: close\r\n\r\n";
const CLOSED: &str = "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\n\r\n";

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// A gate that answers strangers so often at once, by pages and by public routes.
async fn world(pages: u32, public: u32) -> World {
    let world = World::new().await;
    let limit = |burst: u32| {
        let count = 1.try_into().unwrap();
        let burst = burst.try_into().unwrap();
        Arc::new(AddressLimit::new(count, Duration::from_hours(1), burst).unwrap())
    };
    world.gate.0.limit.store(limit(pages));
    world.gate.0.public_limit.store(limit(public));
    world
}

#[tokio::test]
async fn every_answer_to_a_stranger_is_counted_public_routes_on_a_budget_of_their_own() {
    let world = world(2, 3).await;
    let mut statuses = Vec::new();
    for request in [PUBLIC, PUBLIC, PUBLIC, PUBLIC, CLOSED, CLOSED, CLOSED] {
        statuses.push(status(&world.send(request).await).to_owned());
    }
    assert_eq!(statuses, ["200", "200", "200", "429", "401", "401", "429"]);
    assert_eq!(world.seen.all().len(), 3);
}

#[tokio::test]
async fn who_is_signed_in_draws_on_neither_budget() {
    let world = world(1, 1).await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    for path in ["/", "/webhooks/a", "/", "/webhooks/a"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: paie.example.com\r\nCookie: {cookie}\r\n\
             Connection: close\r\n\r\n"
        );
        assert_eq!(status(&world.send(request).await), "200", "{path}");
    }
    assert_eq!(status(&world.send(PUBLIC).await), "200");
    assert_eq!(status(&world.send(PUBLIC).await), "429");
}

#[tokio::test]
async fn a_clock_set_back_shuts_nobody_out() {
    let world = World::new().await;
    assert_eq!(status(&world.send(PUBLIC).await), "200");
    world.clock.set(octroi_policy::time::Timestamp::EPOCH);
    assert_eq!(status(&world.send(PUBLIC).await), "200");
}

#[tokio::test]
async fn invariant_1_without_a_permit_nothing_is_sent_and_no_limit_hides_it() {
    let world = world(1, 1).await;
    // The address has nothing left.
    assert_eq!(status(&world.send(CLOSED).await), "401");
    assert_eq!(status(&world.send(CLOSED).await), "429");
    let (mut client, ours) = tokio::io::duplex(1 << 16);
    client.write_all(PUBLIC.as_bytes()).await.unwrap();
    let mut session = Session::new_h1(Box::new(ours));
    assert!(session.as_downstream_mut().read_request().await.unwrap());
    let open = OpenRequest::new(facts(None));
    let mut context = Context::new(&world.gate.0, Some(&open));
    let fault = world.gate.upstream_peer(&mut session, &mut context).await;
    let fault = fault.expect_err("there is no way to a service without a permit");
    assert_eq!(context.failed, Some(Refusal::Invariant));
    world
        .gate
        .fail_to_proxy(&mut session, &fault, &mut context)
        .await;
    drop((session, context));
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "500", "{answer}");
    assert!(answer.contains(r#""error":"invariant""#), "{answer}");
    assert_eq!(world.metrics.invariant_violations.get(), 1);
    assert_eq!(world.access_lines().last().unwrap()["refused"], "invariant");
    assert_eq!(world.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn invariant_1_a_head_is_made_of_a_permit_alone() {
    let world = World::new().await;
    let (mut client, ours) = tokio::io::duplex(1 << 16);
    client.write_all(PUBLIC.as_bytes()).await.unwrap();
    let mut session = Session::new_h1(Box::new(ours));
    assert!(session.as_downstream_mut().read_request().await.unwrap());
    let mut context = Context::new(&world.gate.0, None);
    let mut head = pingora::http::RequestHeader::build("GET", b"/", None).unwrap();
    let filtered = world
        .gate
        .upstream_request_filter(&mut session, &mut head, &mut context)
        .await;
    assert!(filtered.is_err());
    assert_eq!(context.failed, Some(Refusal::Invariant));
}
