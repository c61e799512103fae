//! Settings of the doors and of what stands beside them, from the file to what a client meets: caps, heads, threads, the
//! socket of the command line, facts that a service is told.

use std::fs;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::binary::{self, said};
use octroi_integration_tests::page::Form;
use octroi_integration_tests::patience::{pause, wait_for};
use octroi_integration_tests::recorder::{Recorder, Reply, ok};
use octroi_integration_tests::wire::{Door, Wire};
use octroi_integration_tests::world::{Route, Running, World};
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";
const SOON: Duration = Duration::from_secs(5);

/// A gateway with one public route and these lines at the end of its configuration.
fn world(upstream: &Recorder, more: &str) -> World {
    let route = Route {
        host: HOST,
        path: "/",
        to: upstream,
        more: "sign_in = \"public\"",
    };
    World::configured(&[route], |text| text + more)
}

/// A gateway with this line in its section `[server]`.
fn served(upstream: &Recorder, line: &str) -> World {
    let route = Route {
        host: HOST,
        path: "/",
        to: upstream,
        more: "sign_in = \"public\"",
    };
    World::configured(&[route], |text| {
        text.replacen("[server]\n", &format!("[server]\n{line}\n"), 1)
    })
}

/// `count` connections that stay open, each with its handshake done.
#[track_caller]
fn held(door: &Door, count: usize) -> Vec<Wire> {
    let open = (0..count).map(|number| {
        let wire = door.tls(HOST, &["http/1.1"]);
        wire.unwrap_or_else(|error| panic!("connection {number}: {error}"))
    });
    open.collect()
}

fn is_let_in(door: &Door) -> bool {
    door.tls(HOST, &["http/1.1"]).is_ok()
}

/// At the cap of one address, and at the cap of all, connections are served; one more is not, until one is gone.
#[test]
fn as_many_connections_are_open_as_the_two_settings_say() {
    let upstream = Recorder::start();
    let world = world(
        &upstream,
        "\n[connections]\nper_address_max = 4\ntotal_max = 10\n",
    );
    let [one, two, three, four] =
        [1, 2, 3, 4].map(|number| world.door.approached_from([41, 0, number]));
    let mut open = held(&one, 4);
    assert!(!is_let_in(&one), "a fifth from one address");
    open.extend(held(&two, 4));
    open.extend(held(&three, 2));
    assert!(!is_let_in(&three), "an eleventh, the third of its address");
    assert!(!is_let_in(&four), "an eleventh, the first of its address");
    open.pop();
    let free = wait_for(SOON, || is_let_in(&four).then_some(()));
    assert!(free.is_some(), "a place is free again: {}", world.log());
}

/// At the limit a head is served, and one byte or one field more is refused with 431.
#[test]
fn a_head_is_as_long_as_the_two_settings_say() {
    let upstream = Recorder::start();
    let world = world(
        &upstream,
        "\n[connections]\nheader_bytes_max = 4096\nheader_fields_max = 16\n",
    );
    let authority = world.authority(HOST);
    let host = [(&b"host"[..], authority.as_bytes())];
    let ask = |others: &[(&[u8], &[u8])]| {
        let request = h1::request(b"GET", b"/", &[&host[..], others].concat(), b"");
        let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
        (request.len(), client.exchange(&request).status())
    };
    let (bare, _) = ask(&[(b"x-filler", b"")]);
    for (more, expected) in [(0, 200), (1, 431)] {
        let filler = vec![b'a'; 4096 - bare + more];
        let (bytes, status) = ask(&[(b"x-filler", &filler)]);
        assert_eq!((bytes, status), (4096 + more, expected));
    }
    for (count, expected) in [(15, 200), (16, 431)] {
        let (_, status) = ask(&vec![(&b"x-field"[..], &b"a"[..]); count]);
        assert_eq!(status, expected, "host and {count} fields");
    }
    let over_h2 = |others: &[(&[u8], &[u8])]| {
        let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
        let fields = h2::fields(b"GET", authority.as_bytes(), b"/", others);
        client.exchange(&fields, b"").status()
    };
    let long = vec![b'a'; 5000];
    assert_eq!(over_h2(&[(b"x-filler", &long[..3000])]), 200);
    assert_eq!(over_h2(&[(b"x-filler", &long)]), 431);
    assert_eq!(over_h2(&vec![(&b"x-field"[..], &b"a"[..]); 10]), 200);
    assert_eq!(over_h2(&vec![(&b"x-field"[..], &b"a"[..]); 17]), 431);
}

/// Over all connections of one address; another address has its own.
#[test]
fn one_address_has_as_many_streams_as_the_setting_says() {
    let upstream = Recorder::scripted(|_, _| {
        pause(Duration::from_millis(1500));
        Reply::Response(ok("late\n"))
    });
    let world = world(
        &upstream,
        "\n[connections]\nh2_streams_per_address_max = 3\n",
    );
    let authority = world.authority(HOST);
    let fields = h2::fields(b"GET", authority.as_bytes(), b"/", &[]);
    let [near, far] = [1, 2].map(|number| world.door.approached_from([42, 0, number]));
    let connect = |door: &Door| h2::Client::connect(door, HOST).expect("a connection");
    let (mut first, mut second, mut other) = (connect(&near), connect(&near), connect(&far));
    let of_first = [first.begin(&fields, true), first.begin(&fields, true)];
    // The first two are known before the others come.
    let known = wait_for(SOON, || (upstream.count() == 2).then_some(()));
    assert!(known.is_some(), "{} came", upstream.count());
    let of_second = [second.begin(&fields, true), second.begin(&fields, true)];
    let of_other = other.begin(&fields, true);
    assert_eq!(second.answer(of_second[1]), Answer::Reset(7), "the fourth");
    assert_eq!(second.answer(of_second[0]).status(), 200);
    assert_eq!(other.answer(of_other).status(), 200, "another address");
    for stream in of_first {
        let answer = first.answer(stream);
        assert_eq!(answer.status(), 200, "{answer:?}: {}", world.log());
    }
}

#[test]
fn as_many_threads_serve_as_the_setting_says() {
    let upstream = Recorder::start();
    for count in [1, 3] {
        let world = served(&upstream, &format!("workers = {count}"));
        assert_eq!(world.visitor().get(&world.url(HOST, "/")).status, 200);
        let threads = format!("/proc/{}/task", world.gateway.id());
        let workers = || {
            let tasks = fs::read_dir(&threads).expect("threads");
            let names = tasks.filter_map(|task| {
                let name = task.ok()?.path().join("comm");
                fs::read_to_string(name).ok()
            });
            names.filter(|name| name.starts_with("worker-")).count()
        };
        // They start one after the other.
        wait_for(SOON, || (workers() >= count).then_some(()));
        pause(Duration::from_millis(300));
        assert_eq!(workers(), count);
    }
}

/// The command line finds the gateway where the setting says, and the usual place stays empty.
#[test]
fn the_socket_of_the_command_line_is_where_the_setting_says() {
    let upstream = Recorder::start();
    let mut world = world(&upstream, "");
    assert!(world.gateway.stop().is_some_and(|status| status.success()));
    let text = fs::read_to_string(world.config()).expect("the configuration");
    let usual = "admin_socket = \"run/admin.sock\"";
    assert!(text.contains(usual), "{text}");
    let other = text.replace(usual, "admin_socket = \"run/other.sock\"");
    fs::write(world.config(), other).expect("the configuration");
    let output = world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let mut command = binary::octroi();
    command.arg("serve").arg("-c").arg(world.config());
    let socket = world.directory.join("run/other.sock");
    world.gateway = Running::spawn(command, &world.directory);
    let open = |_: &str| UnixStream::connect(&socket).is_ok();
    world.gateway.wait_until("open its socket", open);
    let output = world.run(&["reload"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(UnixStream::connect(world.directory.join("run/admin.sock")).is_err());
}

/// Only a demonstration may keep the keyring with the data that it opens.
#[test]
fn a_keyring_within_the_data_is_for_demonstrations_alone() {
    let upstream = Recorder::start();
    let world = world(&upstream, "");
    let text = fs::read_to_string(world.config()).expect("the configuration");
    let within = text.replace("keyring = \"keyring\"", "keyring = \"data/keyring\"");
    assert_ne!(within, text);
    for (line, code) in [("demo = true", 0), ("demo = false", 1)] {
        let text = within.replace("demo = true", line);
        assert!(text.contains(line), "{text}");
        fs::write(world.config(), text).expect("the configuration");
        let output = world.run(&["check"]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert_eq!(said(&output).contains("keyring"), code == 1, "{line}");
    }
}

/// The field that the setting names carries the address, on the route that asks for it and on no other.
#[test]
fn a_service_is_told_the_address_of_whoever_enters_where_its_route_says_so() {
    let upstream = Recorder::start();
    let route = |path, more| Route {
        host: HOST,
        path,
        to: &upstream,
        more,
    };
    let world = World::with_routes(&[
        route("/", "allow = \"everyone\""),
        route(
            "/told",
            "allow = \"everyone\"\nidentity = { email = \"Remote-Email\" }",
        ),
    ]);
    let invite = ["user", "invite", "acme/zoe", "--email", "zoe@example.org"];
    let link = world.run_json(&invite)["link"].clone();
    let mut zoe = world.visitor();
    let page = zoe.visit(link.as_str().expect("a link"));
    Form::on(&page, "/.octroi/invitation")
        .with("new", "quatre chevaux sous la pluie")
        .without("repeat")
        .submit_and_go_on(&mut zoe);
    for (path, told) in [("/", None), ("/told", Some("zoe@example.org"))] {
        let there = zoe.visit(&world.url(HOST, path)).response;
        assert_eq!(there.status, 200, "{}", there.everything());
        let seen = upstream.last();
        assert_eq!(seen.only("remote-email"), told, "{}", seen.everything());
    }
}
