//! Settings, from the file to what a client meets: each with a figure that no other one has, so that two that were taken
//! for one another would show.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use octroi_integration_tests::answer::{Answer, Response};
use octroi_integration_tests::h2;
use octroi_integration_tests::page::Form;
use octroi_integration_tests::patience::pause;
use octroi_integration_tests::plain;
use octroi_integration_tests::recorder::{Recorder, Reply, ok};
use octroi_integration_tests::visitor::{VERSIONS, Version, Visitor};
use octroi_integration_tests::world::{Route, SESSION_COOKIE, World};
use serde_json::json;

const HOST: &str = "echo.localhost";
const PAYROLL: &str = "paie.localhost";
/// Within this many seconds of a limit is at the limit: a sign-in takes one or two.
const SLACK: i64 = 15;

fn world(upstream: &Recorder, more: &str) -> World {
    let route = |host, path, more| Route {
        host,
        path,
        to: upstream,
        more,
    };
    let routes = [
        route(
            HOST,
            "/bare/",
            "sign_in = \"public\"\nsecurity_headers = \"off\"",
        ),
        route(HOST, "/public/", "sign_in = \"public\""),
        route(HOST, "/", "allow = \"everyone\""),
        route(PAYROLL, "/", "allow = \"everyone\""),
    ];
    World::configured(&routes, |text| text + more)
}

/// Signs marie in on this kind of computer over JSON.
fn signed_in(world: &World, version: Version, computer: &str) -> Visitor {
    let mut visitor = world.visitor().speaking(version);
    let account = world.facts.account("acme/marie");
    let body = json!({ "login": "acme/marie", "password": account.password, "computer": computer });
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    let answer = visitor.post_json(&url, &body);
    assert_eq!(answer.status, 200, "{}", answer.everything());
    visitor
}

/// How many seconds the session has left, as its browser is told.
fn seconds_left(world: &World, visitor: &mut Visitor) -> i64 {
    let url = format!("https://{}/.octroi/session", world.portal());
    let answer = visitor.get(&url);
    let left = answer.json()["seconds_left"].as_i64();
    left.unwrap_or_else(|| panic!("{}", answer.everything()))
}

#[test]
fn how_long_a_session_lives_is_what_its_three_settings_say() {
    let upstream = Recorder::start();
    // Without a word in the file: 8 hours on one's own computer, 15 minutes on a shared one.
    let usual = ("", 8 * 3600, 15 * 60);
    let other = "\n[sessions]\nabsolute = \"6h\"\nidle_private = \"50m\"\nidle_public = \"7m\"\n";
    // Where the end comes first, it is what is told.
    let whole = "\n[sessions]\nabsolute = \"20m\"\nidle_private = \"20m\"\nidle_public = \"20m\"\n";
    let settings = [usual, (other, 50 * 60, 7 * 60), (whole, 20 * 60, 20 * 60)];
    for (more, private, public) in settings {
        let world = world(&upstream, more);
        for version in VERSIONS {
            for (computer, wanted) in [("private", private), ("public", public)] {
                let mut visitor = signed_in(&world, version, computer);
                let left = seconds_left(&world, &mut visitor);
                assert!(
                    left <= wanted && left > wanted - SLACK,
                    "{computer}: {left} s of {wanted} s are left with {more}"
                );
            }
        }
    }
}

#[test]
fn a_cookie_is_kept_past_the_browser_on_ones_own_computer_and_where_that_is_set() {
    let upstream = Recorder::start();
    for (setting, is_kept) in [("browser", false), ("session", true)] {
        let world = world(
            &upstream,
            &format!("\n[sessions]\ncookie = \"{setting}\"\n"),
        );
        for (version, computer) in VERSIONS
            .into_iter()
            .flat_map(|version| [(version, "private"), (version, "public")])
        {
            let mut visitor = signed_in(&world, version, computer);
            visitor.follow(&world.url(HOST, "/a"));
            let ours = visitor.cookies.iter();
            let ours: Vec<_> = ours.filter(|one| one.name == SESSION_COOKIE).collect();
            assert_eq!(ours.len(), 2, "portal and service: {ours:?}");
            let wanted = is_kept && computer == "private";
            for cookie in ours {
                let line = cookie.line.to_lowercase();
                assert_eq!(
                    line.contains("; max-age="),
                    wanted,
                    "{setting} {computer}: {line}"
                );
                assert!(!line.contains("expires="), "{line}");
            }
        }
    }
}

/// A bare login is of the tenant of the host that somebody is on the way to, and of no other.
#[test]
fn a_bare_login_is_of_the_tenant_of_the_host_asked_for() {
    let upstream = Recorder::start();
    let tenants = |text: String| {
        let with = "[tenants]\ndefault = \"acme\"\nby_host = { \"echo.localhost\" = \"globex\" }\n";
        let changed = text.replace("[tenants]\ndefault = \"acme\"\n", with);
        assert_ne!(changed, text, "the template has the table");
        changed
    };
    let route = |host| Route {
        host,
        path: "/",
        to: &upstream,
        more: "allow = \"everyone\"\nidentity = { login = \"Remote-Login\" }",
    };
    let world = World::configured(&[route(HOST), route(PAYROLL)], tenants);
    let sign_in = |version, host: &str, whose: &str| {
        let mut visitor = world.visitor().speaking(version);
        let page = visitor.visit(&world.url(host, "/a"));
        let password = &world.facts.account(&format!("{whose}/marie")).password;
        let form = Form::on(&page, "/.octroi/login").with("login", "marie");
        upstream.forget();
        form.with("password", password)
            .submit_and_go_on(&mut visitor)
    };
    let ways = [(HOST, "globex", "acme"), (PAYROLL, "acme", "globex")];
    for version in VERSIONS {
        for (host, tenant, _) in ways {
            let end = sign_in(version, host, tenant).response;
            assert_eq!(end.status, 200, "{host}: {}", end.everything());
            let seen = upstream.last();
            let told = seen.only("remote-tenant");
            assert_eq!(told, Some(tenant), "{}", seen.everything());
        }
    }
    for version in VERSIONS {
        for (host, _, other) in ways {
            let end = sign_in(version, host, other).response;
            assert_eq!(end.status, 401, "{host}: {}", end.everything());
            assert_eq!(upstream.count(), 0, "{host}");
        }
    }
}

#[test]
fn security_headers_are_added_unless_a_route_says_off() {
    let upstream = Recorder::start();
    let world = world(&upstream, "");
    for version in VERSIONS {
        let mut stranger = world.visitor().speaking(version);
        let answer = |visitor: &mut Visitor, path| visitor.get(&world.url(HOST, path));
        let names = [
            "x-content-type-options",
            "referrer-policy",
            "x-frame-options",
        ];
        let has = |answer: &Response| names.map(|name| answer.first(name).is_some());
        let standard = answer(&mut stranger, "/public/a");
        let bare = answer(&mut stranger, "/bare/a");
        assert_eq!((standard.status, bare.status), (200, 200));
        assert_eq!(has(&standard), [true; 3], "{}", standard.everything());
        assert_eq!(has(&bare), [false; 3], "{}", bare.everything());
    }
}

/// Below the limit and at it every stream is answered; beyond it one is refused before any service hears of it, and the
/// others go on.
#[test]
fn one_http2_connection_has_as_many_streams_as_the_setting_says() {
    let upstream = Recorder::scripted(|_, _| {
        pause(Duration::from_millis(1500));
        Reply::Response(ok("late\n"))
    });
    let world = world(&upstream, "\n[connections]\nh2_streams_max = 3\n");
    let authority = world.authority(HOST);
    let fields = h2::fields(b"GET", authority.as_bytes(), b"/public/a", &[]);
    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let streams: Vec<u32> = (0..4).map(|_| client.begin(&fields, true)).collect();
    let answers: Vec<Answer> = streams
        .iter()
        .map(|&stream| client.answer(stream))
        .collect();
    // REFUSED_STREAM: nothing was done, it may be sent again.
    assert_eq!(answers[3], Answer::Reset(7), "{answers:?}");
    for answer in &answers[..3] {
        assert_eq!(answer.status(), 200, "{answers:?}");
    }
    assert_eq!(upstream.count(), 3);
    let again = client.begin(&fields, true);
    assert_eq!(client.answer(again).status(), 200, "a place is free again");
}

/// The management port is asked from this machine's own address, which is no loopback address.
#[test]
fn health_and_figures_are_for_the_networks_that_the_setting_names() {
    let upstream = Recorder::start();
    let own = own_address();
    for (networks, is_let_in) in [
        (format!("{own}/32"), true),
        ("fd00:9::/64".to_owned(), false),
    ] {
        let everywhere = |text: String| {
            let line = |line: &str| match line.strip_prefix("management = \"127.0.0.1:") {
                Some(port) => {
                    format!("management = \"0.0.0.0:{port}\nmanagement_networks = [\"{networks}\"]")
                }
                None => line.to_owned(),
            };
            text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
        };
        let route = Route {
            host: HOST,
            path: "/",
            to: &upstream,
            more: "allow = \"everyone\"",
        };
        let world = World::configured(&[route], everywhere);
        let port = world.management().port();
        let ask = |address: IpAddr| {
            let at = SocketAddr::new(address, port);
            let request =
                format!("GET /metrics HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
            plain::send(at, request.as_bytes())
        };
        assert_eq!(
            ask(IpAddr::from([127, 0, 0, 1])).status(),
            200,
            "this machine"
        );
        let answer = ask(own);
        if is_let_in {
            assert_eq!(answer.status(), 200, "{networks}: {answer:?}");
        } else {
            assert_eq!(answer, Answer::Closed, "{networks}");
        }
    }
}

/// The address from which this machine would speak to others. Nothing is sent.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let asked = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr());
    let address = asked
        .expect("a network besides loopback: this test needs one")
        .ip();
    assert!(
        !address.is_loopback() && !address.is_unspecified(),
        "{address}"
    );
    address
}
