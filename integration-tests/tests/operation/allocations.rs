//! What one request of a signed-in person asks of the heap. A count hardly depends on the machine or its load.

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::{Route, SESSION_COOKIE, World};
use octroi_integration_tests::{h1, h2, plain};

const HOST: &str = "echo.localhost";

/// Ceilings of the allocations of one authenticated request, access line, identity and assertion included. They may only
/// fall: whoever saves some writes the lower number here. What runs beside the request (flushes, upkeep) makes two runs
/// differ by one or two.
const HTTP1: u64 = 99;
const HTTP2: u64 = 92;

#[test]
fn an_authenticated_request_allocates_no_more_than_it_did() {
    let recorder = Recorder::start();
    let world = World::with_routes(&[Route {
        host: HOST,
        path: "/",
        to: &recorder,
        more: "sign_in = \"password\"\nallow = \"everyone\"",
    }]);
    let insider = world.arrived("rh", HOST);
    let cookie = insider.cookie(HOST, SESSION_COOKIE).expect("a session");
    let cookie = format!("{SESSION_COOKIE}={cookie}");
    let authority = world.authority(HOST);

    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    let fields: [(&[u8], &[u8]); 2] = [
        (b"host", authority.as_bytes()),
        (b"cookie", cookie.as_bytes()),
    ];
    let request = h1::request(b"GET", b"/item?id=7", &fields, b"");
    let over_http1 = per_request(&world, || client.exchange(&request));

    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let fields: [(&[u8], &[u8]); 5] = [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", authority.as_bytes()),
        (b":path", b"/item?id=7"),
        (b"cookie", cookie.as_bytes()),
    ];
    let over_http2 = per_request(&world, || client.exchange(&fields, b""));

    println!(
        "allocations of an authenticated request: {over_http1} over HTTP/1.1, {over_http2} over HTTP/2"
    );
    assert!(
        over_http1 > 0 && over_http2 > 0,
        "a counter that stands still counts nothing"
    );
    assert!(
        over_http1 <= HTTP1 && over_http2 <= HTTP2,
        "an authenticated request allocates {over_http1} times over HTTP/1.1 and {over_http2} times over HTTP/2, \
         beyond the ceilings of {HTTP1} and {HTTP2}: what for?"
    );
}

/// Counts over many, so that what happens now and then (a passport made anew, a table that grows) is left of the point.
fn per_request(world: &World, mut ask: impl FnMut() -> Answer) -> u64 {
    let mut ask_often = |times: u64| {
        for _ in 0..times {
            let response = ask().response();
            assert_eq!(response.status, 200, "{}", response.everything());
        }
    };
    ask_often(100);
    let before = counted(world);
    let looked = counted(world);
    ask_often(REQUESTS);
    let of_a_look = looked - before;
    (counted(world) - looked - of_a_look) / REQUESTS
}

fn counted(world: &World) -> u64 {
    let metrics = plain::get(world.management(), "/metrics");
    let mut lines = metrics.lines();
    let count = lines.find_map(|line| line.strip_prefix("heap_allocations_total "));
    count
        .and_then(|count| count.parse().ok())
        .expect("a binary that counts: cargo build -p octroi --features count-allocations")
}

const REQUESTS: u64 = 500;
