//! The first visit: a service asked for, a sign-in, the service; then a second service without signing in again.

use octroi_integration_tests::page::{Form, links, title};
use octroi_integration_tests::visitor::{VERSIONS, authority_of, host_of};
use octroi_integration_tests::world::{SESSION_COOKIE, World};

const MARIE: &str = "acme/marie";

#[test]
fn marie_reaches_the_payroll_by_signing_in_once() {
    let world = World::demo();
    for version in VERSIONS {
        let payroll = world.facts.service("paie");
        let before = payroll.count();
        let mut marie = world.visitor().speaking(version);
        let wanted = world.url(&payroll.host, "/?month=2026-11");

        let hops = marie.follow(&wanted);
        let page = hops.last().expect("a page");
        assert_eq!(hops[0].response.status, 303, "a navigation is redirected");
        assert_eq!(
            (page.response.status, authority_of(&page.url)),
            (200, world.portal().as_str()),
            "{}",
            page.url
        );
        assert!(
            page.response.text().contains(&payroll.host),
            "the page says for which service"
        );
        assert_eq!(payroll.count(), before, "nobody was let through");

        let arrived = world.sign_in_by_pages(&mut marie, MARIE, &wanted);
        assert_eq!(
            (arrived.url.as_str(), arrived.response.status),
            (wanted.as_str(), 200),
            "{}",
            arrived.response.everything()
        );
        assert_eq!(
            payroll.count(),
            before + 1,
            "one request, and it is the one asked for"
        );
        assert_eq!(payroll.last_field("remote-tenant").as_deref(), Some("acme"));
        assert_eq!(
            payroll.last_field("remote-groups").as_deref(),
            Some("occupant,rh")
        );
        assert_eq!(payroll.last_field("remote-login").as_deref(), Some("marie"));
        assert!(
            payroll
                .last_field("octroi-assertion")
                .is_some_and(|token| token.split('.').count() == 3)
        );
        assert_eq!(
            payroll.last_field("cookie"),
            None,
            "no cookie of ours is passed on"
        );

        let echo = world.facts.service("echo");
        let hops = marie.follow(&world.url(&echo.host, "/request"));
        assert_eq!(
            hops.last().map(|hop| hop.response.status),
            Some(200),
            "the second service asks nothing"
        );
        assert!(
            hops.iter()
                .all(|hop| hop.response.status != 200 || host_of(&hop.url) == echo.host),
            "no page in between"
        );
    }
}

#[test]
fn a_wrong_password_is_told_once_and_the_login_kept() {
    let world = World::demo();
    let mut marie = world.visitor();
    let page = marie.visit(&format!("https://{}/.octroi/login", world.portal()));
    let form = Form::on(&page, "/.octroi/login")
        .with("login", MARIE)
        .with("password", "not marie's password");
    let answer = form.submit(&mut marie);
    assert_eq!(
        answer.response.status,
        401,
        "{}",
        answer.response.everything()
    );
    let text = answer.response.text();
    assert!(
        text.contains("role=\"alert\"") && text.contains("value=\"acme/marie\""),
        "{text}"
    );
    assert!(
        !text.contains("not marie"),
        "a password is never shown again"
    );
    assert!(
        title(&answer.response).to_lowercase().starts_with("error"),
        "{}",
        title(&answer.response)
    );
    assert!(marie.cookie(&world.facts.portal, SESSION_COOKIE).is_none());
}

#[test]
fn a_page_that_a_role_does_not_reach_is_refused_with_a_reference() {
    let world = World::demo();
    let payroll = world.facts.service("paie");
    let before = payroll.count();
    let mut lea = world.visitor();
    let refused = world.sign_in_by_pages(&mut lea, "acme/lea", &world.url(&payroll.host, "/"));
    assert_eq!(
        refused.response.status,
        403,
        "{}",
        refused.response.everything()
    );
    let reference = refused
        .response
        .first("x-request-id")
        .expect("a reference")
        .to_owned();
    assert!(
        refused.response.text().contains(&reference),
        "the page shows what to quote"
    );
    assert_eq!(payroll.count(), before, "nothing reached the service");
}

#[test]
fn pages_speak_french_and_english_and_link_to_what_configuration_names() {
    let world = World::demo();
    let url = format!("https://{}/.octroi/login", world.portal());
    for (language, title_begins) in [
        ("fr", "Connexion"),
        ("en", "Sign in"),
        ("de, fr;q=0.5", "Connexion"),
        ("de", "Sign in"),
    ] {
        let mut visitor = world.visitor();
        visitor.language = language;
        let page = visitor.visit(&url);
        assert!(
            title(&page.response).starts_with(title_begins),
            "{language}: {}",
            title(&page.response)
        );
        let links = links(&page);
        for wanted in [
            "mailto:dpo@example.com",
            "https://example.com/privacy",
            "https://example.com/accessibility",
        ] {
            assert!(
                links.iter().any(|link| link.ends_with(wanted)),
                "{language}: {wanted} is not linked: {links:?}"
            );
        }
    }
}

/// Strict headers on every page of ours, whoever asks.
#[test]
fn every_page_of_ours_is_kept_out_of_frames_caches_and_scripts() {
    let world = World::demo();
    let portal = world.portal();
    let mut visitor = world.visitor();
    for path in [
        "/",
        "/.octroi/login",
        "/.octroi/logout",
        "/.octroi/account",
        "/.octroi/nothing",
    ] {
        let page = visitor.visit(&format!("https://{portal}{path}"));
        let response = &page.response;
        let policy = response
            .first("content-security-policy")
            .unwrap_or_default();
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {part}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(
                response.first(name),
                Some(value),
                "{path}: {}",
                response.everything()
            );
        }
        let text = response.text();
        assert!(
            !text.contains(" style=") && !text.contains("<style") && !text.contains(" onclick"),
            "{path}: no inline code"
        );
    }
}
