//! Every address × every method × everyone who may not: nobody without a session, and nobody of another role, reaches a
//! service or changes anything of ours.

use octroi_integration_tests::visitor::{VERSIONS, Version, Visitor, navigation};
use octroi_integration_tests::world::{SESSION_COOKIE, Service, World};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Addresses of the services, and the roles that reach them by GET.
const SERVICES: [(&str, &str); 7] = [
    ("paie.localhost", "/"),
    ("paie.localhost", "/payslips.csv"),
    ("visites.localhost", "/"),
    ("visites.localhost", "/visits"),
    ("visites.localhost", "/admin/erase/1"),
    ("echo.localhost", "/request"),
    ("echo.localhost", "/download?bytes=10"),
];

/// Addresses of the portal that need a session.
const PORTAL: [&str; 6] = [
    "/.octroi/account",
    "/.octroi/account/password",
    "/.octroi/account/sessions",
    "/.octroi/account/sessions/end",
    "/.octroi/account/sessions/end-others",
    "/.octroi/account/stay",
];

#[test]
fn nobody_without_a_session_reaches_a_service_by_any_method() {
    let world = World::demo();
    let before: Vec<usize> = world.facts.services.iter().map(Service::count).collect();
    for version in VERSIONS {
        for (number, (host, target)) in SERVICES.iter().enumerate() {
            let number = u8::try_from(number).expect("few");
            assert_turned_away(&world, version, number, &world.url(host, target));
        }
    }
    let after: Vec<usize> = world.facts.services.iter().map(Service::count).collect();
    assert_eq!(before, after, "a service saw a stranger");
}

#[test]
fn nobody_without_a_session_gets_anything_from_the_portal() {
    let world = World::demo();
    for (number, path) in PORTAL.iter().enumerate() {
        for method in METHODS {
            let source = [9, 0, u8::try_from(number + 1).expect("few")];
            let mut stranger = Visitor::at(&world.door.approached_from(source));
            let answer = stranger.ask(
                method,
                &world.url(&world.facts.portal, path),
                &navigation("same-origin"),
                b"",
            );
            assert_ne!(answer.status(), 200, "{method} {path}: {answer:?}");
            assert!(answer.status() < 500, "{method} {path}: {answer:?}");
            assert!(
                stranger
                    .cookie(&world.facts.portal, SESSION_COOKIE)
                    .is_none(),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn nobody_of_another_role_reaches_the_payroll_by_any_method() {
    let world = World::demo();
    let payroll = world.facts.service("paie");
    let before = payroll.count();
    for login in [
        "acme/paul",
        "acme/lea",
        "acme/samir",
        "acme/visite",
        "globex/tom",
    ] {
        let mut person = world.visitor();
        world.sign_in_by_pages(&mut person, login, &world.url("paie.localhost", "/"));
        for version in VERSIONS {
            for method in METHODS {
                let answer = person.clone().speaking(version).ask(
                    method,
                    &world.url("paie.localhost", "/"),
                    &[],
                    b"",
                );
                assert_eq!(
                    answer.status(),
                    403,
                    "{login} {version:?} {method}: {answer:?}"
                );
            }
        }
    }
    assert_eq!(payroll.count(), before);
}

/// The services themselves are not on any public address: what they listen on is loopback or a socket of the owner.
#[test]
fn no_service_listens_where_a_stranger_is() {
    let world = World::demo();
    for service in &world.facts.services {
        let address = &service.address;
        let private = address.starts_with("unix:")
            || address.contains("127.0.0.1:")
            || address.contains("[::1]:");
        assert!(private, "{} listens on {address}", service.host);
    }
}

/// By each method, a program gets 401 and a person's browser the way to the sign-in page.
#[track_caller]
fn assert_turned_away(world: &World, version: Version, number: u8, url: &str) {
    for (place, method) in METHODS.iter().enumerate() {
        let source = [8, number, u8::try_from(place + 1).expect("few")];
        let mut stranger = Visitor::at(&world.door.approached_from(source)).speaking(version);
        let answer = stranger.ask(method, url, &[], b"");
        // 405 where no route serves this method to anybody.
        assert!(
            matches!(answer.status(), 401 | 405),
            "{version:?} {method} {url}: {answer:?}"
        );
        let page = stranger.ask(method, url, &navigation("none"), b"");
        let leads_on = page.status() == 303 && matches!(*method, "GET" | "HEAD");
        assert!(
            leads_on || page.status() == answer.status(),
            "{version:?} {method} {url} as a navigation: {page:?}"
        );
    }
}
