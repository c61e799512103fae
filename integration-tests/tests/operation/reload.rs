//! Reload: everything or nothing, under traffic; the old stays when the new is wrong.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use octroi_integration_tests::authority::{Authority, Certified};
use octroi_integration_tests::binary::said;
use octroi_integration_tests::patience::{pause, wait_for};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::{VERSIONS, Visitor};
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::{Route, Running, World};

const HOST: &str = "echo.localhost";
const TAKEN_OVER: Duration = Duration::from_secs(10);

fn public<'a>(path: &'a str, to: &'a Recorder) -> Route<'a> {
    Route {
        host: HOST,
        path,
        to,
        more: "sign_in = \"public\"",
    }
}

#[test]
fn a_changed_file_is_taken_over_without_a_signal() {
    let (old, new) = (Recorder::start(), Recorder::start());
    let world = World::with_routes(&[public("/", &old)]);
    // The file is watched once everything else is up.
    pause(Duration::from_secs(1));
    let config = fs::read_to_string(world.config()).expect("the configuration");
    fs::write(world.config(), config.replace(&old.url(), &new.url())).expect("the configuration");
    let came = wait_for(TAKEN_OVER, || {
        world.visitor().get(&world.url(HOST, "/"));
        (new.count() > 0).then_some(())
    });
    assert!(came.is_some(), "{}", world.log());
}

#[test]
fn a_wrong_file_changes_nothing_and_is_named_in_the_log() {
    let upstream = Recorder::start();
    let world = World::with_routes(&[public("/", &upstream)]);
    let good = fs::read_to_string(world.config()).expect("the configuration");
    let wrong = [
        "this is no TOML".to_owned(),
        good.replace("sign_in = \"public\"", "sign_in = \"pubic\""),
        good.replace("portal = ", "portall = "),
        good.replace("http://127.0.0.1", "http://93.184.216.34"),
        String::new(),
    ];
    for (number, text) in wrong.iter().enumerate() {
        fs::write(world.config(), text).expect("the configuration");
        world.gateway.signal("HUP");
        let said = wait_for(TAKEN_OVER, || {
            (world.log().matches("octroi.toml").count() > number).then_some(())
        });
        assert!(said.is_some(), "case {number}: {}", world.log());
        for version in VERSIONS {
            let mut visitor = world.visitor().speaking(version);
            assert_eq!(
                visitor.get(&world.url(HOST, "/")).status,
                200,
                "case {number}"
            );
        }
    }
}

#[test]
fn a_bad_new_certificate_leaves_the_old_one_in_place() {
    let upstream = Recorder::start();
    let world = World::with_routes(&[public("/", &upstream)]);
    let chain = world.directory.join("tls/chain.pem");
    fs::write(
        &chain,
        "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
    )
    .expect("the chain");
    world.gateway.signal("HUP");
    let said = wait_for(TAKEN_OVER, || {
        world.log().contains("chain.pem").then_some(())
    });
    assert!(said.is_some(), "the log names the file: {}", world.log());
    assert_eq!(world.visitor().get(&world.url(HOST, "/")).status, 200);
}

/// Every name of the demonstration's certificate.
const NAMES: [&str; 5] = [
    "localhost",
    "login.localhost",
    "paie.localhost",
    HOST,
    "visites.localhost",
];

fn put(world: &World, certified: &Certified) {
    certified.write(&world.directory.join("tls"), "new");
    for (from, to) in [("new.key", "key.pem"), ("new.pem", "chain.pem")] {
        let tls = world.directory.join("tls");
        fs::rename(tls.join(from), tls.join(to)).expect("a new file");
    }
}

/// What a client that believes this authority says of the certificate that is served.
fn verdict(world: &World, authority: &Authority) -> String {
    let file = authority.write(&world.directory.join("believed.pem"));
    let door = Door::new(world.facts.https, &file);
    let refused = door.tls(HOST, &["http/1.1"]).map(|_| ());
    refused.map_or_else(|error| error.to_string(), |()| "good".to_owned())
}

/// A certificate that lapses is one fault and not two: the gateway starts with it, and takes over whatever else changes.
/// A file that somebody puts there anew and that is over already is a mistake.
#[test]
fn a_certificate_that_is_over_stops_neither_a_start_nor_a_reload() {
    let upstream = Recorder::start();
    let mut world = World::with_routes(&[public("/", &upstream)]);
    let (first, second) = (Authority::new(), Authority::new());
    put(&world, &first.certify_names(&NAMES, (2001, 2002)));
    let output = world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("chain.pem: good from"),
        "{}",
        said(&output)
    );
    assert_eq!(world.visitor().get(&world.url(HOST, "/")).status, 200);

    let output = world.run(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("warning"), "{}", said(&output));
    assert!(world.gateway.stop().is_some_and(|status| status.success()));
    world.gateway = Running::serve(world.config(), world.facts.https);
    let log = world.log();
    assert!(log.contains("served all the same"), "{log}");
    let told = verdict(&world, &first);
    assert!(told.contains("expired"), "{told}");

    let config = fs::read_to_string(world.config()).expect("the configuration");
    let other = config.replace("sign_in = \"public\"", "allow = \"everyone\"");
    fs::write(world.config(), other).expect("the configuration");
    let output = world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    put(&world, &second.certify_names(&NAMES, (2001, 2002)));
    let output = world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = verdict(&world, &first);
    assert!(told.contains("expired"), "the old one is served: {told}");
    put(&world, &second.certify_names(&NAMES, (2001, 2100)));
    let output = world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(verdict(&world, &second), "good");
}

/// Under load, with ten reloads: each request is answered by the old rule or by the new one, and none is lost.
#[test]
fn no_request_is_lost_to_a_reload() {
    let (old, new) = (Recorder::start(), Recorder::start());
    let world = World::with_routes(&[public("/", &old)]);
    let config = fs::read_to_string(world.config()).expect("the configuration");
    let other = config.replace(&old.url(), &new.url());
    let done = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    let doors = [
        world.door.approached_from([6, 0, 1]),
        world.door.approached_from([6, 0, 2]),
    ];
    thread::scope(|scope| {
        for (door, version) in doors.iter().zip(VERSIONS) {
            let (done, answered, url) = (&done, &answered, world.url(HOST, "/"));
            scope.spawn(move || ask_until(done, answered, door, version, &url));
        }
        for turn in 0..10 {
            fs::write(world.config(), if turn % 2 == 0 { &other } else { &config })
                .expect("the configuration");
            world.gateway.signal("HUP");
            pause(Duration::from_millis(250));
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(
        new.count() > 0,
        "the new rule was never used: {}",
        world.log()
    );
    assert_eq!(old.count() + new.count(), answered.load(Ordering::SeqCst));
}

fn ask_until(
    done: &AtomicBool,
    answered: &AtomicUsize,
    door: &Door,
    version: octroi_integration_tests::visitor::Version,
    url: &str,
) {
    while !done.load(Ordering::SeqCst) {
        let answer = Visitor::at(door)
            .speaking(version)
            .ask("GET", url, &[], b"");
        assert_eq!(answer.status(), 200, "{answer:?}");
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// What a reload refuses `check` refuses, too, before anything is started or put in force.
#[test]
fn what_a_reload_refuses_check_refuses_too() {
    let upstream = Recorder::start();
    let world = World::with_routes(&[public("/", &upstream)]);
    let good = fs::read_to_string(world.config()).expect("the configuration");
    let file = |name: &str| world.directory.join(name);
    fs::write(file("empty.pem"), "no certificate\n").expect("a file");
    let (one, other) = (Authority::new(), Authority::new());
    one.certify("gateway").write(&world.directory, "one");
    other.certify("gateway").write(&world.directory, "other");
    one.write(&file("services.pem"));
    let tls = |lines: &str| {
        let lines = lines.replace("DIR", world.directory.to_str().expect("a path"));
        let text = good.replace("http://127.0.0.1", "https://127.0.0.1");
        format!("{text}upstream_tls = {{ name = \"a.internal\", {lines} }}\n")
    };
    let files = "ca = \"DIR/services.pem\", client_chain = \"DIR/one.pem\", client_key_file =";
    let cases = [
        (tls(&format!("{files} \"DIR/one.key\"")), None),
        (tls("ca = \"DIR/empty.pem\""), Some("empty.pem")),
        (
            tls(&format!("{files} \"DIR/other.key\"")),
            Some("other.key"),
        ),
        (
            good.replace("sign_in = \"public\"", ""),
            Some("octroi.toml"),
        ),
        (good.clone(), None),
    ];
    for (text, named) in cases {
        fs::write(world.config(), &text).expect("the configuration");
        for command in ["check", "reload"] {
            let output = world.run(&[command]);
            let code = Some(i32::from(named.is_some()));
            assert_eq!(output.status.code(), code, "{command}: {}", said(&output));
            let named = named.unwrap_or_default();
            assert!(
                said(&output).contains(named),
                "{command}: {}",
                said(&output)
            );
        }
    }
}

/// A file on a mount that hangs holds up the reload that reads it, and not the end of the gateway.
#[test]
fn the_gateway_ends_while_a_reload_waits_for_a_file() {
    let upstream = Recorder::start();
    let mut world = World::with_routes(&[public("/", &upstream)]);
    let chain = world.directory.join("tls/chain.pem");
    fs::remove_file(&chain).expect("the chain");
    // Whoever opens it waits for somebody who writes.
    let made = std::process::Command::new("mkfifo").arg(&chain).status();
    assert!(made.expect("mkfifo runs").success());
    world.gateway.signal("HUP");
    pause(Duration::from_secs(1));
    assert_eq!(world.visitor().get(&world.url(HOST, "/")).status, 200);
    let ended = world.gateway.stop();
    assert!(
        ended.is_some_and(|status| status.success()),
        "{}",
        world.log()
    );
    assert!(world.log().contains("stopped"), "{}", world.log());
    let log = world.log();
    assert!(!log.contains("not reloaded"), "the reload came back: {log}");
}
