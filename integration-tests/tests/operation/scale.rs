//! Ten thousand routes: the gateway starts, reloads and decides with them as with ten.
//!
//! The one second that a file of ten thousand routes may take to load is held by a test of the loader, which is built
//! with the same optimisation everywhere; the binary here is a debug build, so that its bounds are wide.

use std::fmt::Write;
use std::time::Duration;

use octroi_integration_tests::patience::{Stopwatch, wait_for};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::VERSIONS;
use octroi_integration_tests::world::{Route, World};
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";
const MANY: usize = 10_000;
/// A debug build, on a machine that does other things too.
const START: Duration = Duration::from_secs(20);
/// Requests of which the median is taken.
const TRIES: usize = 101;

/// So many routes, the one that the tests ask for among the last.
fn with_routes(upstream: &Recorder, count: usize) -> World {
    let last = format!("/area-{}/", count - 1);
    let route = Route {
        host: HOST,
        path: &last,
        to: upstream,
        more: "sign_in = \"public\"",
    };
    World::configured(&[route], |mut text| {
        for number in 0..count - 1 {
            write!(
                text,
                "\n[[route]]\nhost = \"echo.localhost\"\npath = \"/area-{number}/\"\nto = \"{}\"\nallow = {{ roles = [\"role-{number}\"] }}\n",
                upstream.url()
            )
            .expect("a text");
        }
        text
    })
}

#[test]
fn ten_thousand_routes_load_and_decide_as_fast_as_ten() {
    let upstream = Recorder::start();
    let few = with_routes(&upstream, 10);
    let watch = Stopwatch::start();
    let many = with_routes(&upstream, MANY);
    assert!(
        watch.elapsed() < START,
        "started after {:?}",
        watch.elapsed()
    );

    let target = |count: usize| format!("/area-{}/a", count - 1);
    let with_few = median_of_requests(&few, &target(10));
    let with_many = median_of_requests(&many, &target(MANY));
    assert!(
        with_many < with_few * 2 + Duration::from_millis(1),
        "{with_many:?} with {MANY} routes, {with_few:?} with 10"
    );

    // A closed one among them is closed, and what none names is nowhere.
    upstream.forget();
    for version in VERSIONS {
        let mut stranger = many.visitor().speaking(version);
        let mut status = |target: &str| {
            let url = many.url(HOST, target);
            stranger.ask("GET", &url, &[], b"").status()
        };
        assert_eq!(status("/area-5000/a"), 401);
        assert_eq!(status("/area-10000/a"), 404);
    }
    assert_eq!(upstream.count(), 0);

    // A reload takes them over, with what changed.
    let text = std::fs::read_to_string(many.config()).expect("the configuration");
    let open = "sign_in = \"public\"";
    let closed = text.replacen(open, "allow = { roles = [\"nobody\"] }", 1);
    std::fs::write(many.config(), closed).expect("the configuration");
    let watch = Stopwatch::start();
    let output = many.run(&["reload"]);
    assert!(output.status.success(), "{}", many.log());
    assert!(
        watch.elapsed() < START,
        "reloaded after {:?}",
        watch.elapsed()
    );
    let url = many.url(HOST, &target(MANY));
    let refused = wait_for(Duration::from_secs(5), || {
        let answer = many.visitor().ask("GET", &url, &[], b"");
        answer.is_challenge().then_some(())
    });
    assert!(refused.is_some(), "{}", many.log());
}

/// Over one connection of each version, so that no handshake is measured.
fn median_of_requests(world: &World, target: &str) -> Duration {
    let authority = world.authority(HOST);
    let mut one = h1::Client::connect(&world.door, HOST).expect("a connection");
    let mut two = h2::Client::connect(&world.door, HOST).expect("a connection");
    let request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    let fields = h2::fields(b"GET", authority.as_bytes(), target.as_bytes(), &[]);
    let mut times = Vec::new();
    for turn in 0..TRIES {
        let watch = Stopwatch::start();
        let answer = match turn % 2 {
            0 => one.exchange(request.as_bytes()),
            _ => two.exchange(&fields, b""),
        };
        times.push(watch.elapsed());
        assert_eq!(answer.status(), 200, "{answer:?}");
    }
    times.sort_unstable();
    times[TRIES / 2]
}
