//! From the portal to another host: the ticket is good once, for one browser, one host, one minute.

use std::thread;

use octroi_integration_tests::visitor::{Hop, Visitor, addresses, navigation, redirect};
use octroi_integration_tests::world::{SESSION_COOKIE, World};

const MARIE: &str = "acme/marie";

/// Follows redirects up to the address that would spend the ticket, without asking for it.
fn up_to_ticket(world: &World, visitor: &mut Visitor, host: &str) -> String {
    let mut url = world.url(host, "/request");
    let mut seen = Vec::new();
    for _ in 0..6 {
        let response = visitor.get(&url);
        let next = redirect(&url, &response);
        seen.push(Hop {
            url: url.clone(),
            response,
        });
        let next = next.unwrap_or_else(|| panic!("no ticket: {:?}", addresses(&seen)));
        if next.contains("/.octroi/enter") {
            return next;
        }
        url = next;
    }
    panic!("no ticket: {:?}", addresses(&seen));
}

fn marie(world: &World) -> Visitor {
    let account = world.facts.account(MARIE);
    let mut marie = world.visitor();
    let answer = marie.sign_in(&world.portal(), MARIE, &account.password);
    assert_eq!(answer.status, 200, "{}", answer.everything());
    marie
}

#[test]
fn a_ticket_is_worthless_in_another_browser() {
    let world = World::demo();
    let mut marie = marie(&world);
    let ticket = up_to_ticket(&world, &mut marie, "echo.localhost");
    let mut thief = world.visitor();
    let stolen = thief.get(&ticket);
    assert!(
        thief.cookie("echo.localhost", SESSION_COOKIE).is_none(),
        "{}",
        stolen.everything()
    );
    assert!(
        stolen.status != 200 || !stolen.text().contains("\"method\""),
        "{}",
        stolen.everything()
    );
    // A thief with a hand-over of their own has another nonce.
    thief.get(&world.url("echo.localhost", "/.octroi/login?return_to=/request"));
    thief.get(&ticket);
    assert!(thief.cookie("echo.localhost", SESSION_COOKIE).is_none());
}

#[test]
fn a_ticket_is_worthless_on_another_host() {
    let world = World::demo();
    let mut marie = marie(&world);
    let ticket = up_to_ticket(&world, &mut marie, "echo.localhost");
    let elsewhere = ticket.replace("echo.localhost", "paie.localhost");
    marie.get(&elsewhere);
    assert!(marie.cookie("paie.localhost", SESSION_COOKIE).is_none());
}

#[test]
fn of_fifty_parallel_uses_of_a_ticket_one_wins() {
    let world = World::demo();
    let mut marie = marie(&world);
    let ticket = up_to_ticket(&world, &mut marie, "echo.localhost");
    let wins: usize = thread::scope(|scope| {
        let uses: Vec<_> = (0..50)
            .map(|_| {
                let (mut copy, ticket) = (marie.clone(), &ticket);
                scope.spawn(move || {
                    copy.ask("GET", ticket, &navigation("same-site"), b"");
                    usize::from(copy.cookie("echo.localhost", SESSION_COOKIE).is_some())
                })
            })
            .collect();
        uses.into_iter().map(|one| one.join().expect("a use")).sum()
    });
    assert_eq!(wins, 1, "a ticket is spent once");
    marie.get(&ticket);
    assert!(
        marie.cookie("echo.localhost", SESSION_COOKIE).is_none(),
        "and never again"
    );
}

#[test]
fn two_tabs_arrive_each_where_it_wanted_to_go() {
    let world = World::demo();
    let mut marie = world.visitor();
    let first = marie.visit(&world.url("echo.localhost", "/request?tab=1"));
    let second = marie.visit(&world.url("echo.localhost", "/request?tab=2"));
    let password = &world.facts.account(MARIE).password;
    for (page, tab) in [(first, "tab=1"), (second, "tab=2")] {
        let form = octroi_integration_tests::page::Form::on(&page, "/.octroi/login")
            .with("login", MARIE)
            .with("password", password);
        let arrived = form.submit_and_go_on(&mut marie);
        assert_eq!(
            arrived.response.status,
            200,
            "{}",
            arrived.response.everything()
        );
        assert!(arrived.url.ends_with(tab), "{tab}: {}", arrived.url);
    }
}

/// A form is refused that comes from anywhere but our own page: a cross-site page, a sibling host, a page without origin.
#[test]
fn a_form_that_is_not_ours_changes_nothing() {
    let world = World::demo();
    let mut marie = marie(&world);
    let portal = world.portal();
    let page = marie.visit(&format!("https://{portal}/.octroi/logout"));
    let form = octroi_integration_tests::page::Form::on(&page, "/.octroi/logout");
    let body = form
        .fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&");
    let sent = |site: Option<&str>, origin: Option<&str>| {
        let mut fields = vec![(
            "Content-Type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        fields.extend(site.map(|site| ("Sec-Fetch-Site".to_owned(), site.to_owned())));
        fields.extend(origin.map(|origin| ("Origin".to_owned(), origin.to_owned())));
        fields
    };
    let own = format!("https://{portal}");
    let cases = [
        (Some("cross-site"), Some("https://evil.example")),
        (Some("same-site"), Some("https://echo.localhost")),
        (Some("none"), None),
        (None, Some("null")),
        (None, Some("https://echo.localhost")),
        (None, None),
        (Some("cross-site"), Some(own.as_str())),
    ];
    for (site, origin) in cases {
        let answer = marie
            .clone()
            .ask("POST", &form.action, &sent(site, origin), body.as_bytes());
        assert_eq!(answer.status(), 403, "{site:?} {origin:?}: {answer:?}");
    }
    let good = sent(Some("same-origin"), Some(own.as_str()));
    let foreign_token = form
        .clone()
        .with("form", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .submit(&mut marie.clone());
    assert!(
        (400..500).contains(&foreign_token.response.status),
        "{}",
        foreign_token.response.everything()
    );
    let missing = form.clone().without("form").submit(&mut marie.clone());
    assert!(
        (400..500).contains(&missing.response.status),
        "{}",
        missing.response.everything()
    );
    let still = marie.visit(&world.url("echo.localhost", "/request"));
    assert_eq!(still.response.status, 200, "the session lives on");
    let ended = marie.ask("POST", &form.action, &good, body.as_bytes());
    assert!(
        matches!(ended.status(), 200 | 303),
        "our own form works: {ended:?}"
    );
}
