//! Two organisations with a `marie` each; and promise D3, the building whose visitors only register.

use octroi_integration_tests::visitor::{Visitor, navigation};
use octroi_integration_tests::world::World;

#[test]
fn two_people_of_the_same_login_are_two_people() {
    let world = World::demo();
    let mut users = Vec::new();
    for tenant in ["acme", "globex"] {
        let mut marie = world.visitor();
        world.sign_in_by_pages(
            &mut marie,
            &format!("{tenant}/marie"),
            &world.url("echo.localhost", "/request"),
        );
        let echo = world.facts.service("echo");
        assert_eq!(echo.last_field("remote-tenant").as_deref(), Some(tenant));
        users.push(echo.last_field("remote-user").expect("an account id"));
    }
    assert_ne!(users[0], users[1]);
    // A bare login means the default organisation, and never the other one.
    let globex = world.facts.account("globex/marie").password.clone();
    assert_eq!(
        world
            .visitor()
            .sign_in(&world.portal(), "marie", &globex)
            .status,
        401
    );
    let acme = world.facts.account("acme/marie").password.clone();
    assert_eq!(
        world
            .visitor()
            .sign_in(&world.portal(), "marie", &acme)
            .status,
        200
    );
    assert_eq!(
        world
            .visitor()
            .sign_in(&world.portal(), "MARIE", &acme)
            .status,
        200,
        "a login has one form, however typed"
    );
}

#[test]
fn d3_visitors_register_occupants_read_reception_sees_it_erases() {
    let world = World::demo();
    let book = world.facts.service("visites");
    // Account, then whether it may: read the form, register, list, erase.
    let degrees = [
        ("acme/visite", [true, true, false, false]),
        ("acme/paul", [true, true, true, false]),
        ("acme/lea", [true, true, true, false]),
        ("acme/samir", [true, true, true, true]),
        ("acme/marie", [true, true, true, false]),
    ];
    let requests = [
        ("GET", "/"),
        ("POST", "/visits"),
        ("GET", "/visits"),
        ("POST", "/admin/erase/1"),
    ];
    for (login, may) in degrees {
        let mut person = signed_in(&world, login);
        for ((method, target), allowed) in requests.iter().zip(may) {
            let before = book.count();
            let answer = person.ask(
                method,
                &world.url(&book.host, target),
                &fields(method, &world),
                body(method),
            );
            let reached = book.count() > before;
            assert_eq!(reached, allowed, "{login} {method} {target}: {answer:?}");
            assert_eq!(
                answer.status() == 403,
                !allowed,
                "{login} {method} {target}: {answer:?}"
            );
        }
    }
}

fn signed_in(world: &World, login: &str) -> Visitor {
    let mut person = world.visitor();
    let arrived = world.sign_in_by_pages(&mut person, login, &world.url("visites.localhost", "/"));
    assert_eq!(
        arrived.response.status,
        200,
        "{login}: {}",
        arrived.response.everything()
    );
    person
}

fn fields(method: &str, world: &World) -> Vec<(String, String)> {
    let mut fields = navigation("same-origin");
    if method == "POST" {
        fields.push((
            "Content-Type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        ));
        fields.push((
            "Origin".to_owned(),
            format!("https://{}", world.authority("visites.localhost")),
        ));
    }
    fields
}

fn body(method: &str) -> &'static [u8] {
    if method == "POST" {
        b"visitor=Nora&host_tenant=acme"
    } else {
        b""
    }
}
