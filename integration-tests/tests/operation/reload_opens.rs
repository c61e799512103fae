//! A reload that lets more people in: never by half a file, and never without a word; and what no reload moves.

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use octroi_integration_tests::binary::said;
use octroi_integration_tests::patience::{Stopwatch, pause, wait_for};
use octroi_integration_tests::plain;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::VERSIONS;
use octroi_integration_tests::world::{Route, Running, World};

const HOST: &str = "echo.localhost";
const OPENED: &str = "a reload lets in whom the routes kept out before";
const TAKEN_OVER: Duration = Duration::from_secs(10);
/// Much longer than a file has to rest.
const HELD: Duration = Duration::from_secs(2);

/// What everybody may, and a part of it that one role may.
fn world(upstream: &Recorder) -> World {
    let route = |path, more| Route {
        host: HOST,
        path,
        to: upstream,
        more,
    };
    World::with_routes(&[
        route("/w", "sign_in = \"public\""),
        route("/w/admin", "allow = { roles = [\"it\"] }"),
    ])
}

/// The configuration, and where its last route, the one that closes, begins.
fn text_of(world: &World) -> (String, usize) {
    let text = fs::read_to_string(world.config()).expect("the configuration");
    let closed = text.rfind("\n[[route]]").expect("a route");
    (text, closed)
}

fn status(world: &World, path: &str) -> Vec<u16> {
    let url = world.url(HOST, path);
    let ask = |version| world.visitor().speaking(version).get(&url).status;
    VERSIONS.map(ask).to_vec()
}

fn reloads(world: &World) -> usize {
    world.log().matches("configuration reloaded").count()
}

/// The warnings of what a reload opened, each a line of the log.
fn warnings(world: &World) -> Vec<String> {
    let log = world.log();
    let lines = log.lines().filter(|line| line.contains(OPENED));
    lines.map(ToOwned::to_owned).collect()
}

/// A network copy that stalls between two tables, and then goes on.
#[test]
fn half_a_configuration_is_not_in_force_while_its_writer_holds_it() {
    let upstream = Recorder::start();
    let world = world(&upstream);
    // The file is watched once everything else is up.
    pause(Duration::from_secs(1));
    // A change far from the route that closes: what is open is wider.
    let (text, closed) = text_of(&world);
    let text = text.replacen("path = \"/w\"", "path = \"/\"", 1);
    let (first, rest) = text.split_at(closed - 1);
    let mut writer = File::create(world.config()).expect("the configuration");
    writer.write_all(first.as_bytes()).expect("the first half");
    writer.sync_all().expect("the first half");
    let output = world.run(&["check"]);
    assert!(output.status.success(), "half is whole: {}", said(&output));
    let held = Stopwatch::start();
    while held.elapsed() < HELD {
        let closed = status(&world, "/w/admin/x");
        assert!(!closed.contains(&200), "{closed:?}: {}", world.log());
        pause(Duration::from_millis(50));
    }
    assert_eq!((upstream.count(), reloads(&world)), (0, 0));

    writer.write_all(rest.as_bytes()).expect("the second half");
    drop(writer);
    let came = wait_for(TAKEN_OVER, || (reloads(&world) > 0).then_some(()));
    assert!(came.is_some(), "{}", world.log());
    assert_eq!(status(&world, "/other"), [200, 200], "{}", world.log());
    let closed = status(&world, "/w/admin/x");
    assert!(!closed.contains(&200), "{closed:?}: {}", world.log());
}

/// Whoever asks for the reload. While the file is held open nobody does but who is meant to here.
#[test]
fn a_reload_that_opens_what_was_closed_says_so() {
    let upstream = Recorder::start();
    let world = world(&upstream);
    let (closed, at) = text_of(&world);
    let opened = &closed[..at];
    for (number, asked_by) in ["command", "signal", "file"].into_iter().enumerate() {
        pause(Duration::from_secs(1));
        let before = reloads(&world);
        let mut writer = File::create(world.config()).expect("the configuration");
        writer.write_all(opened.as_bytes()).expect("the file");
        match asked_by {
            "command" => {
                let output = world.run(&["reload"]);
                let text = said(&output);
                assert!(output.status.success(), "{text}");
                let warned = format!("warning: more people are let in: {HOST}/w/admin, every");
                assert!(text.contains(&warned), "{text}");
            }
            "signal" => world.gateway.signal("HUP"),
            _ => drop(writer),
        }
        let came = wait_for(TAKEN_OVER, || (reloads(&world) > before).then_some(()));
        assert!(came.is_some(), "{asked_by}: {}", world.log());
        assert_eq!(status(&world, "/w/admin/x"), [200, 200], "{asked_by}");
        let warned = warnings(&world);
        assert_eq!(warned.len(), number + 1, "{asked_by}: {}", world.log());
        let last = &warned[number];
        for word in [
            " WARN ",
            "echo.localhost/w/admin, every method: ",
            "for whoever is signed in with the role it before",
            "for everybody, signed in or not now",
        ] {
            assert!(last.contains(word), "{asked_by}: {word} in {last}");
        }

        fs::write(world.config(), &closed).expect("the configuration");
        let output = world.run(&["reload"]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("warning"), "{}", said(&output));
        assert_eq!(warnings(&world).len(), number + 1, "closing is no warning");
        let closed = status(&world, "/w/admin/x");
        assert!(!closed.contains(&200), "{asked_by}: {closed:?}");
    }
}

/// `public_port` counts at the next start, for links, redirects and refusals alike: it goes with the doors.
#[test]
fn the_port_that_people_see_moves_at_a_start_and_not_before() {
    let upstream = Recorder::start();
    let mut world = world(&upstream);
    let own = world.facts.https.port();
    let assert_seen = |world: &World, seen: u16, other: u16| {
        for version in VERSIONS {
            let ask = |port: u16, path: &str| {
                let url = format!("https://{HOST}:{port}{path}");
                world.visitor().speaking(version).get(&url)
            };
            assert_eq!(ask(seen, "/w").status, 200, "{seen}");
            assert_eq!(ask(other, "/w").status, 421, "{other}");
            let away = ask(seen, "/w/admin");
            let to = away.first("location").unwrap_or_default();
            let portal = format!("https://login.localhost:{seen}/");
            assert!(to.starts_with(&portal), "{to}: {}", away.everything());
        }
        let request = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        let answer = plain::send(world.facts.http, request.as_bytes()).response();
        let to = format!("https://{HOST}:{seen}/a");
        assert_eq!(answer.first("location"), Some(to.as_str()));
    };
    assert_seen(&world, own, 8443);
    let (text, _) = text_of(&world);
    let text = text.replacen("[server]\n", "[server]\npublic_port = 8443\n", 1);
    fs::write(world.config(), text).expect("the configuration");
    let output = world.run(&["reload"]);
    let told = "server.public_port: (absent) -> 8443 (counts at the next start)";
    assert!(said(&output).contains(told), "{}", said(&output));
    assert_seen(&world, own, 8443);
    assert!(world.gateway.stop().is_some_and(|status| status.success()));
    let config = world.config().to_owned();
    world.gateway = Running::serve(&config, world.facts.https);
    assert_seen(&world, 8443, own);
}
