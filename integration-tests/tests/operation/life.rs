//! Start and stop: what is printed, what is written, what is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use octroi_integration_tests::binary;
use octroi_integration_tests::patience::{Stopwatch, pause};
use octroi_integration_tests::plain;
use octroi_integration_tests::recorder::{Recorder, Reply};
use octroi_integration_tests::world::{Route, SESSION_COOKIE, World};
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";

#[test]
fn the_demonstration_tells_scripts_everything() {
    let world = World::demo();
    assert_eq!(world.facts.portal, "login.localhost");
    assert!(
        world
            .facts
            .accounts
            .iter()
            .any(|account| account.is_provisional)
    );
    let maries: Vec<&str> = world
        .facts
        .accounts
        .iter()
        .filter(|account| account.login == "marie")
        .map(|account| account.tenant.as_str())
        .collect();
    assert_eq!(maries, ["acme", "globex"]);
    let hosts: Vec<&str> = world
        .facts
        .services
        .iter()
        .map(|service| service.host.as_str())
        .collect();
    assert_eq!(
        hosts,
        ["paie.localhost", "visites.localhost", "echo.localhost"]
    );
    for account in &world.facts.accounts {
        assert!(
            account.password.chars().count() >= 15,
            "{}: a password that the base rule accepts",
            account.login
        );
    }
    let log = world.log();
    let portal = format!("https://{}/", world.portal());
    assert!(log.contains(&portal), "addresses are printed: {log}");
    // How to trust what it serves: the file is there, and a browser and curl are told to take it.
    let authority = world.facts.authority.display().to_string();
    let certificate = fs::read_to_string(&authority).expect("the authority's certificate");
    assert!(
        certificate.starts_with("-----BEGIN CERTIFICATE-----"),
        "{certificate}"
    );
    for told in [
        format!("import {authority} as an authority for websites"),
        format!("curl --cacert {authority} {portal}"),
        format!(
            "For scripts: {}",
            world.directory.join("demo.json").display()
        ),
    ] {
        assert!(log.contains(&told), "{told}: {log}");
    }
}

#[test]
fn what_is_secret_is_the_owners_alone() {
    let world = World::demo();
    let mut checked = 0;
    for name in [
        "keyring",
        "demo.json",
        "people.json",
        "authority.key",
        "tls/key.pem",
        "data",
        "run",
    ] {
        let mode = fs::metadata(world.directory.join(name))
            .map(|facts| facts.permissions().mode() & 0o077);
        assert_eq!(mode.ok(), Some(0), "{name} is open to others, or missing");
        checked += 1;
    }
    assert_eq!(checked, 7);
}

#[test]
fn a_stop_lets_requests_under_way_finish() {
    let mut world = World::demo();
    let mut marie = world.visitor();
    world.sign_in_by_pages(
        &mut marie,
        "acme/marie",
        &world.url("echo.localhost", "/request"),
    );
    let url = world.url("echo.localhost", "/download?bytes=40000000");
    let download = std::thread::spawn(move || marie.ask("GET", &url, &[], b"").response());
    pause(Duration::from_millis(200));
    let status = world.gateway.stop().expect("it stops when asked");
    assert!(status.success(), "{}", world.log());
    let response = download.join().expect("the download");
    assert_eq!((response.status, response.body.len()), (200, 40_000_000));
}

/// A reload is no order to stop; a second order to stop cuts what is left, and all of it is written down before the
/// journal's last line.
#[test]
fn a_second_stop_cuts_what_is_left_and_a_hangup_does_not() {
    for second in ["TERM", "INT"] {
        let dripping = Recorder::scripted(|_, stream| {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
            stream.write_all(head.as_bytes()).ok();
            while stream.write_all(b"drop").is_ok() {
                pause(Duration::from_millis(50));
            }
            Reply::Taken
        });
        let mut world = World::with_routes(&[Route {
            host: HOST,
            path: "/",
            to: &dripping,
            more: "sign_in = \"public\"",
        }]);
        let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
        let authority = world.authority(HOST);
        client.send(format!("GET /slow HTTP/1.1\r\nHost: {authority}\r\n\r\n").as_bytes());
        assert_eq!(client.head().expect("a head").expect("a head").status, 200);
        let mut streams = h2::Client::connect(&world.door, HOST).expect("a connection");
        let fields = h2::fields(b"GET", authority.as_bytes(), b"/slow-too", &[]);
        let stream = streams.begin(&fields, true);
        dropped(&mut streams, stream);

        world.gateway.signal("TERM");
        world
            .gateway
            .wait_until("begin to stop", |log| log.contains("no new work is taken"));
        world.gateway.signal("HUP");
        world.gateway.wait_until("tell that it stops", |log| {
            log.contains("nothing is read again")
        });
        for _ in 0..10 {
            let piece = client.some().expect("content");
            assert!(!piece.is_empty(), "{second}: {}", world.log());
        }
        dropped(&mut streams, stream);
        let log = world.log();
        assert!(!log.contains("told twice"), "{log}");

        world.gateway.signal(second);
        let status = world.gateway.end(Duration::from_secs(5));
        let log = world.log();
        assert!(
            status.is_some_and(|status| status.success()),
            "{second}: {log}"
        );
        assert!(log.contains("told twice to stop"), "{log}");
        while !client.some().expect("an end").is_empty() {}
        let last = log.rfind("stopped").expect("the last line");
        for path in ["/slow", "/slow-too"] {
            let line = log.find(&format!("\"path\":\"{path}\""));
            assert!(line.is_some_and(|line| line < last), "{path}: {log}");
        }
        let events = world.run_json(&["journal", "search"]);
        let kinds: Vec<_> = events
            .as_array()
            .expect("a list")
            .iter()
            .map(|event| event["kind"].as_str().unwrap_or_default())
            .collect();
        // Newest first, the search's own line among them.
        let after = kinds.iter().take_while(|kind| **kind != "stopped");
        assert!(
            after.into_iter().all(|kind| *kind == "journal_read"),
            "{kinds:?}"
        );
    }
}

/// Reads over HTTP/2 until some content of the stream has come.
#[track_caller]
fn dropped(streams: &mut h2::Client, stream: u32) {
    loop {
        let frame = streams.next_frame().expect("a frame").expect("a frame");
        assert_ne!(frame.kind, h2::kind::RST_STREAM, "{frame:?}");
        if frame.stream == stream && frame.kind == h2::kind::DATA {
            return;
        }
    }
}

/// Sessions and accounts are durable: a restart asks nobody to sign in again.
#[test]
fn a_restart_keeps_sessions() {
    let stage = Recorder::start();
    let mut world = World::with_routes(&[Route {
        host: "echo.localhost",
        path: "/",
        to: &stage,
        more: "allow = \"everyone\"",
    }]);
    let mut visitor = world.arrived("rh", "echo.localhost");
    let cookie = visitor
        .cookie("echo.localhost", SESSION_COOKIE)
        .map(str::to_owned);
    assert!(
        world.gateway.stop().is_some_and(|status| status.success()),
        "{}",
        world.log()
    );
    world.gateway =
        octroi_integration_tests::world::Running::serve(world.config(), world.facts.https);
    assert_eq!(visitor.get(&world.url("echo.localhost", "/a")).status, 200);
    assert_eq!(
        visitor.cookie("echo.localhost", SESSION_COOKIE),
        cookie.as_deref()
    );
}

#[test]
fn a_second_gateway_on_the_same_data_is_refused() {
    let world = World::demo();
    let watch = Stopwatch::start();
    let output = binary::octroi()
        .args(["serve", "-c"])
        .arg(world.config())
        .output()
        .expect("it runs");
    assert!(watch.elapsed() < Duration::from_secs(30));
    assert!(!output.status.success());
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        said.lines().any(|line| line.len() > 20),
        "it says why: {said}"
    );
}

#[test]
fn health_and_metrics_answer_on_their_own_listener() {
    let world = World::demo();
    let management = world.management();
    for path in ["/healthz", "/readyz"] {
        let answer = plain::send(
            management,
            format!("GET {path} HTTP/1.1\r\nHost: {management}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        );
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
    }
    let metrics = plain::get(management, "/metrics");
    assert!(
        metrics
            .lines()
            .any(|line| line.starts_with("# TYPE octroi_")),
        "{metrics}"
    );
}

/// Each subcommand explains itself, and nonsense is a usage error.
#[test]
fn the_command_line_has_the_promised_exit_codes() {
    let code = |arguments: &[&str]| {
        let output = binary::octroi().args(arguments).output().expect("it runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        )
    };
    for command in [
        "demo", "init", "serve", "check", "explain", "user", "session", "journal",
    ] {
        let (status, text) = code(&[command, "--help"]);
        assert_eq!(status, Some(0), "{command}: {text}");
        assert!(text.contains("Usage:"), "{command}: {text}");
    }
    assert_eq!(code(&["no-such-command"]).0, Some(2));
    assert_eq!(code(&["serve", "--no-such-option"]).0, Some(2));
    let (status, text) = code(&["check", "-c", "/nonexistent/octroi.toml"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("/nonexistent/octroi.toml"), "{text}");
    let (status, text) = code(&["user", "list", "-c", "/nonexistent/octroi.toml"]);
    assert!(matches!(status, Some(1 | 3)), "{status:?} {text}");
}
