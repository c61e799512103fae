//! The first credential: a link that works once, a password that follows the rules, a provisional one that must change.

use octroi_integration_tests::page::Form;
use octroi_integration_tests::visitor::{Hop, Visitor};
use octroi_integration_tests::world::{SESSION_COOKIE, World};

/// A password that no rule refuses.
const GOOD: &str = "quatre chevaux sous la pluie";

fn invite(world: &World, account: &str) -> String {
    let invitation = world.run_json(&[
        "user",
        "invite",
        account,
        "--name",
        "Nadia Roux",
        "--role",
        "rh",
    ]);
    invitation["link"].as_str().expect("a link").to_owned()
}

fn answer(world: &World, link: &str, password: &str) -> (Visitor, Hop) {
    let mut visitor = world.visitor();
    let page = visitor.visit(link);
    assert_eq!(page.response.status, 200, "{}", page.response.everything());
    let hop = Form::on(&page, "/.octroi/invitation")
        .with("new", password)
        .without("repeat")
        .submit_and_go_on(&mut visitor);
    (visitor, hop)
}

#[test]
fn an_invitation_leads_to_the_payroll_and_works_once() {
    let world = World::demo();
    let link = invite(&world, "acme/nadia");
    // Mail scanners open links: a GET spends nothing.
    for _ in 0..3 {
        assert_eq!(world.visitor().visit(&link).response.status, 200);
    }
    let (mut nadia, hop) = answer(&world, &link, GOOD);
    assert!(
        nadia.cookie(&world.facts.portal, SESSION_COOKIE).is_some(),
        "{}",
        hop.response.everything()
    );
    let payroll = nadia.visit(&world.url("paie.localhost", "/"));
    assert_eq!(
        payroll.response.status,
        200,
        "{}",
        payroll.response.everything()
    );
    let again = world.visitor().visit(&link);
    assert_eq!(
        again.response.status,
        410,
        "{}",
        again.response.everything()
    );
    let never = world
        .visitor()
        .visit(&link.replace(|letter: char| letter.is_ascii_uppercase(), "A"));
    assert_eq!(
        never.response.status, 410,
        "a link that never was looks the same"
    );
}

#[test]
fn a_password_that_breaks_a_rule_does_not_spend_the_invitation() {
    let world = World::demo();
    let link = invite(&world, "acme/nadia");
    for bad in [
        "",
        "short",
        "treize signes",
        "nadia roux nadia roux",
        "passwordpassword",
        &"x".repeat(257),
    ] {
        let (visitor, hop) = answer(&world, &link, bad);
        assert!(
            matches!(hop.response.status, 400 | 422),
            "{bad}: {}",
            hop.response.everything()
        );
        assert!(hop.response.text().contains("role=\"alert\""), "{bad}");
        assert!(
            visitor
                .cookie(&world.facts.portal, SESSION_COOKIE)
                .is_none(),
            "{bad}"
        );
    }
    let (nadia, _) = answer(&world, &link, GOOD);
    assert!(nadia.cookie(&world.facts.portal, SESSION_COOKIE).is_some());
}

#[test]
fn a_new_invitation_ends_the_old_one() {
    let world = World::demo();
    let first = invite(&world, "acme/nadia");
    let second = invite(&world, "acme/nadia");
    assert_eq!(world.visitor().visit(&first).response.status, 410);
    assert_eq!(world.visitor().visit(&second).response.status, 200);
}

/// B9: fifty people open the same link at once; one of them sets the password.
#[test]
fn b9_of_fifty_parallel_answers_to_an_invitation_one_wins() {
    let world = World::demo();
    let link = invite(&world, "acme/nadia");
    let mut prepared: Vec<(Visitor, Form)> = Vec::new();
    for _ in 0..10 {
        let mut visitor = world.visitor();
        let page = visitor.visit(&link);
        prepared.push((
            visitor,
            Form::on(&page, "/.octroi/invitation")
                .with("new", GOOD)
                .without("repeat"),
        ));
    }
    let wins: usize = std::thread::scope(|scope| {
        let all: Vec<_> = (0..50)
            .map(|number| {
                let (mut visitor, form) = prepared[number % 10].clone();
                let portal = world.facts.portal.clone();
                scope.spawn(move || {
                    form.submit(&mut visitor);
                    usize::from(visitor.cookie(&portal, SESSION_COOKIE).is_some())
                })
            })
            .collect();
        all.into_iter()
            .map(|one| one.join().expect("an answer"))
            .sum()
    });
    assert_eq!(wins, 1);
}

#[test]
fn a_provisional_password_is_changed_before_any_service_is_reached() {
    let world = World::demo();
    let jean = world.facts.account("acme/jean").clone();
    let echo = world.facts.service("echo");
    let before = echo.count();
    let mut visitor = world.visitor();
    let page = world.sign_in_by_pages(
        &mut visitor,
        "acme/jean",
        &world.url("echo.localhost", "/request"),
    );
    let page = if page.url.contains("password") {
        page
    } else {
        visitor.visit(&format!(
            "https://{}/.octroi/account/password",
            world.portal()
        ))
    };
    assert_eq!(page.response.status, 200, "{}", page.response.everything());
    assert_eq!(echo.count(), before, "nothing was reached yet");
    let form = Form::on(&page, "/.octroi/account/password").without("repeat");
    let same = form
        .clone()
        .with("new", &jean.password)
        .submit(&mut visitor);
    assert!(
        matches!(same.response.status, 400 | 422),
        "the provisional password again: {}",
        same.response.everything()
    );
    form.with("new", GOOD).submit_and_go_on(&mut visitor);
    let arrived = visitor.visit(&world.url("echo.localhost", "/request"));
    assert_eq!(
        arrived.response.status,
        200,
        "{}",
        arrived.response.everything()
    );
    // The provisional password was good for one pending session, and is spent.
    let old = world
        .visitor()
        .sign_in(&world.portal(), "acme/jean", &jean.password);
    assert_eq!(old.status, 401, "{}", old.everything());
    let new = world.visitor().sign_in(&world.portal(), "acme/jean", GOOD);
    assert_eq!(new.json()["status"], "signed_in", "{}", new.everything());
}
