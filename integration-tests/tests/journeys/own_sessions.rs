//! My sessions: where, since when; end one, end the others, sign out, change the password.

use octroi_integration_tests::page::Form;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::world::{SESSION_COOKIE, World};

const MARIE: &str = "acme/marie";

fn signed_in_on_echo(world: &World) -> Visitor {
    let mut visitor = world.visitor();
    let arrived = world.sign_in_by_pages(
        &mut visitor,
        MARIE,
        &world.url("echo.localhost", "/request"),
    );
    assert_eq!(
        arrived.response.status,
        200,
        "{}",
        arrived.response.everything()
    );
    visitor
}

fn reaches_echo(world: &World, visitor: &Visitor) -> bool {
    let mut copy = visitor.clone();
    copy.get(&world.url("echo.localhost", "/request")).status == 200
}

#[test]
fn a_session_is_ended_from_another_browser() {
    let world = World::demo();
    let lost = signed_in_on_echo(&world);
    let mut mine = signed_in_on_echo(&world);
    let page = mine.visit(&format!(
        "https://{}/.octroi/account/sessions",
        world.portal()
    ));
    assert_eq!(page.response.status, 200, "{}", page.response.everything());
    let done = Form::on(&page, "/.octroi/account/sessions/end").submit_and_go_on(&mut mine);
    assert_eq!(done.response.status, 200, "{}", done.response.everything());
    assert!(
        !reaches_echo(&world, &lost),
        "the ended session still reaches the service"
    );
    assert!(reaches_echo(&world, &mine), "mine goes on");
}

#[test]
fn all_other_sessions_end_at_once() {
    let world = World::demo();
    let others = [signed_in_on_echo(&world), signed_in_on_echo(&world)];
    let mut mine = signed_in_on_echo(&world);
    let page = mine.visit(&format!(
        "https://{}/.octroi/account/sessions",
        world.portal()
    ));
    Form::on(&page, "/.octroi/account/sessions/end-others").submit_and_go_on(&mut mine);
    assert!(others.iter().all(|other| !reaches_echo(&world, other)));
    assert!(reaches_echo(&world, &mine));
}

#[test]
fn signing_out_anywhere_ends_the_session_everywhere() {
    let world = World::demo();
    for host in ["login.localhost", "echo.localhost"] {
        let mut marie = signed_in_on_echo(&world);
        let copy = marie.clone();
        let page = marie.visit(&world.url(host, "/.octroi/logout"));
        assert_eq!(
            page.response.status,
            200,
            "{host}: {}",
            page.response.everything()
        );
        assert!(
            reaches_echo(&world, &copy),
            "{host}: a GET asks and ends nothing"
        );
        let done = Form::on(&page, "/.octroi/logout").submit_and_go_on(&mut marie);
        assert!(
            done.response.status < 400,
            "{host}: {}",
            done.response.everything()
        );
        assert!(
            !reaches_echo(&world, &copy),
            "{host}: the copied cookie is dead"
        );
        let mut portal = copy.clone();
        let page = portal.visit(&world.url("login.localhost", "/.octroi/account"));
        assert!(
            page.response.text().contains("name=\"password\""),
            "{host}: the portal asks for a sign-in"
        );
    }
}

/// On a public computer the session cookie ends with the browser, and signing out clears each host that was used.
#[test]
fn a_public_computer_keeps_nothing() {
    let world = World::demo();
    let mut marie = signed_in_on_echo(&world);
    let cookie = marie
        .cookies
        .iter()
        .find(|cookie| cookie.host == "echo.localhost" && cookie.name == SESSION_COOKIE);
    let line = cookie.expect("a session").line.to_lowercase();
    assert!(
        !line.contains("max-age") && !line.contains("expires"),
        "shared is preselected: {line}"
    );
    let service_page = marie.get(&world.url("echo.localhost", "/request"));
    assert!(
        service_page
            .first("cache-control")
            .is_some_and(|value| value.contains("no-store")),
        "{}",
        service_page.everything()
    );
    let page = marie.visit(&world.url("login.localhost", "/.octroi/logout"));
    let form = Form::on(&page, "/.octroi/logout");
    let first = form.submit(&mut marie);
    let mut hops = marie.go_on(&form.action, first.response);
    while let Some(next) = octroi_integration_tests::page::refresh(hops.last().expect("a hop")) {
        assert!(hops.len() < 12, "too many pages");
        hops.extend(marie.follow(&next));
    }
    let cleared: Vec<&str> = hops
        .iter()
        .filter(|hop| hop.response.first("clear-site-data").is_some())
        .map(|hop| octroi_integration_tests::visitor::host_of(&hop.url))
        .collect();
    assert!(
        cleared.contains(&"echo.localhost"),
        "each host used is cleared: {cleared:?}"
    );
    assert!(
        !marie
            .cookies
            .iter()
            .any(|cookie| cookie.name == SESSION_COOKIE),
        "no session cookie is left"
    );
}

#[test]
fn a_changed_password_ends_the_other_sessions_and_the_old_password() {
    let world = World::demo();
    let other = signed_in_on_echo(&world);
    let mut marie = signed_in_on_echo(&world);
    let before = marie
        .cookie(&world.facts.portal, SESSION_COOKIE)
        .map(str::to_owned);
    let old = world.facts.account(MARIE).password.clone();
    let url = format!("https://{}/.octroi/account/password", world.portal());
    let page = marie.visit(&url);
    let form = Form::on(&page, "/.octroi/account/password")
        .without("repeat")
        .with("new", "trois barques au matin calme");
    let names: Vec<String> = form.fields.iter().map(|(name, _)| name.clone()).collect();
    let current = names
        .iter()
        .find(|name| name.contains("current"))
        .expect("the present password is asked for")
        .clone();
    let wrong = form
        .clone()
        .with(&current, "not the present one")
        .submit(&mut marie.clone());
    assert!(
        (400..500).contains(&wrong.response.status),
        "{}",
        wrong.response.everything()
    );
    let done = form.with(&current, &old).submit_and_go_on(&mut marie);
    assert_eq!(done.response.status, 200, "{}", done.response.everything());
    let after = marie
        .cookie(&world.facts.portal, SESSION_COOKIE)
        .map(str::to_owned);
    assert!(after.is_some() && after != before, "a new token");
    assert!(!reaches_echo(&world, &other), "the other session is dead");
    assert_eq!(
        world.visitor().sign_in(&world.portal(), MARIE, &old).status,
        401
    );
    assert_eq!(
        world
            .visitor()
            .sign_in(&world.portal(), MARIE, "trois barques au matin calme")
            .status,
        200
    );
}
