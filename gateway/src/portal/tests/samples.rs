//! Pages as files, for eyes: written to the folder that `OCTROI_PAGES_OUT` names, if it is set.

use std::{fs, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use http::StatusCode;
use octroi_policy::id::RequestId;

use super::{
    Gatehouse, PAYROLL, PORTAL,
    browser::{Answer, Browser},
    host, site,
};
use crate::{
    identity::{
        client::Operator,
        invitations::InvitationLife,
        testing::{PASSWORD, START},
    },
    portal::{
        errors::PortalErrorPages,
        language::Language,
        letter::{self, Letter},
    },
    proxy::refusal::{ErrorPage, ErrorPages as _, PageKind},
};

#[tokio::test]
async fn each_page_is_whole_in_both_languages() {
    let out = std::env::var_os("OCTROI_PAGES_OUT");
    for language in ["fr", "en"] {
        let mut pages = journey(language).await;
        pages.extend(refusals(language));
        assert_eq!(
            pages.len(),
            19,
            "{:?}",
            pages.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
        for (name, html) in &pages {
            check(name, html);
        }
        if let Some(folder) = &out {
            write(Path::new(folder), language, &pages);
        }
    }
}

fn check(name: &str, html: &str) {
    assert!(html.starts_with("<!doctype html>"), "{name}");
    assert!(html.trim_end().ends_with("</html>"), "{name}");
    assert_eq!(html.matches("<h1").count(), 1, "{name}: one heading");
    assert_eq!(html.matches("<main").count(), 1, "{name}: one main");
    let focused = html.matches(" autofocus").count();
    assert!(focused <= 1, "{name}: one focus");
    assert!(!html.contains("{ $"), "{name}: a variable is left");
}

fn write(folder: &Path, language: &str, pages: &[(&str, String)]) {
    for (name, html) in pages {
        fs::write(folder.join(format!("{name}.{language}.html")), html).unwrap();
    }
    for asset in site("").look.assets() {
        let name = asset.path.rsplit('/').next().unwrap();
        fs::write(folder.join(name), &asset.bytes).unwrap();
    }
}

fn marie_with(password: &str) -> [(&str, &str); 3] {
    [
        ("login", "marie"),
        ("password", password),
        ("computer", "private"),
    ]
}

async fn signs_in(browser: &mut Browser) {
    let form = browser.get(PORTAL, "/.octroi/login").await;
    let sent = marie_with(PASSWORD);
    browser.submit(&form, "/.octroi/login", &sent).await;
}

/// A session of marie's that is over, for the list of past ones.
async fn leave_a_past(house: &Gatehouse, language: &'static str) {
    let mut gone = Browser::new(house.routers.clone(), language);
    signs_in(&mut gone).await;
    let form = gone.get(PORTAL, "/.octroi/logout").await;
    gone.submit(&form, "/.octroi/logout", &[]).await;
}

/// The page of somebody who signed in with a provisional password.
async fn provisional_password(house: &Gatehouse, language: &'static str) -> Answer {
    house.world.provisional("acme", "lea").await;
    let mut provisional = Browser::new(house.routers.clone(), language);
    let form = provisional.get(PORTAL, "/.octroi/login").await;
    let fields = [("login", "lea"), ("password", PASSWORD)];
    let next = provisional.submit(&form, "/.octroi/login", &fields).await;
    provisional.follow(&next, next.location()).await
}

async fn journey(language: &'static str) -> Vec<(&'static str, String)> {
    let house = Gatehouse::with_marie().await;
    let mut pages = Vec::new();
    let mut keep = |name: &'static str, answer: &Answer| pages.push((name, answer.body.clone()));
    let mut browser = Browser::new(house.routers.clone(), language);
    let away = browser.get(PAYROLL, "/.octroi/login?return_to=/").await;
    let page = browser.follow(&away, away.location()).await;
    keep("sign-in", &page);
    let wrong = browser
        .submit(&page, "/.octroi/login", &marie_with("faux"))
        .await;
    keep("sign-in-wrong", &wrong);
    let empty = browser.submit(&page, "/.octroi/login", &[]).await;
    keep("sign-in-empty", &empty);
    let done = browser
        .submit(&page, "/.octroi/login", &marie_with(PASSWORD))
        .await;
    assert_eq!(done.status, StatusCode::OK);
    keep("continue", &done);
    let mut other = Browser::new(house.routers.clone(), language);
    signs_in(&mut other).await;
    leave_a_past(&house, language).await;
    for (name, target) in [
        ("account", "/.octroi/account"),
        ("password", "/.octroi/account/password"),
        ("sessions", "/.octroi/account/sessions"),
        ("sign-out", "/.octroi/logout"),
    ] {
        let answer = browser.get(PORTAL, target).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.body);
        keep(name, &answer);
        if name == "sign-out" {
            keep("signed-out", &browser.submit(&answer, target, &[]).await);
        }
    }
    keep(
        "password-provisional",
        &provisional_password(&house, language).await,
    );
    let account = house.world.account("acme", "nora").await;
    let invitation = house
        .world
        .identity
        .invite(Operator::System, account, InvitationLife::DEFAULT)
        .await
        .unwrap();
    let site = house.site.load();
    let link = letter::link(&site, &invitation.token);
    let first = browser
        .get(
            PORTAL,
            link.strip_prefix("https://portail.exemple.fr").unwrap(),
        )
        .await;
    keep("invitation", &first);
    let short = browser
        .submit(&first, "/.octroi/invitation", &[("new", "nora")])
        .await;
    keep("invitation-short", &short);
    keep(
        "invitation-dead",
        &browser.get(PORTAL, "/.octroi/invitation").await,
    );
    let reader = Language::from_tag(language).unwrap();
    pages.push((
        "letter",
        Letter::new(&site, &invitation, reader).unwrap().html,
    ));
    pages
}

fn refusals(language: &'static str) -> Vec<(&'static str, String)> {
    let pages = PortalErrorPages::new(Arc::new(ArcSwap::from_pointee(site(""))));
    let host = host(PAYROLL);
    [
        ("refused", PageKind::Refused),
        ("service-down", PageKind::ServiceDown),
        ("service-slow", PageKind::ServiceTooSlow),
        ("too-many", PageKind::TooManyRequests),
        ("closed", PageKind::Busy),
    ]
    .map(|(name, kind)| {
        let rendered = pages.render(&ErrorPage {
            kind,
            request_id: RequestId::from_random([0x5a; 16]),
            at: START,
            host: Some(&host),
            retry: Some("/bulletins"),
            is_write: kind == PageKind::ServiceTooSlow,
            retry_after: None,
            accept_language: Some(language),
            cookie: None,
        });
        (name, String::from_utf8(rendered.body.to_vec()).unwrap())
    })
    .into()
}
