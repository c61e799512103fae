//! The way out, on a person's own computer and on a shared one.

use http::StatusCode;

use super::{
    Gatehouse, PAYROLL, PORTAL, WIKI,
    browser::{Answer, Browser},
};
use crate::identity::testing::PASSWORD;

const LOGOUT: &str = "/.octroi/logout";
const LOGIN: &str = "/.octroi/login";

/// Signs in on the way to one host, then enters another.
async fn inside(house: &Gatehouse, computer: &str) -> Browser {
    let mut browser = house.browser();
    for host in [PAYROLL, WIKI] {
        let away = browser.get(host, LOGIN).await;
        let page = browser.follow(&away, away.location()).await;
        let link = if page.status == StatusCode::OK {
            let fields = [
                ("login", "marie"),
                ("password", PASSWORD),
                ("computer", computer),
            ];
            browser
                .submit(&page, LOGIN, &fields)
                .await
                .refresh()
                .unwrap()
        } else {
            page.location().to_owned()
        };
        let entered = browser.follow(&page, &link).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER);
    }
    browser
}

async fn is_signed_in(browser: &mut Browser, host: &str) -> bool {
    browser.get(host, "/.octroi/session").await.status == StatusCode::OK
}

#[tokio::test]
async fn get_asks_and_post_ends_the_session_on_every_host() {
    let house = Gatehouse::with_marie().await;
    for host in [PORTAL, PAYROLL] {
        let mut browser = inside(&house, "private").await;
        let page = browser.get(host, LOGOUT).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.says("You will also leave: "), "{}", page.body);
        assert!(page.says(WIKI));
        for host in [PORTAL, PAYROLL, WIKI] {
            assert!(
                is_signed_in(&mut browser, host).await,
                "GET changes nothing"
            );
        }
        let mut thief = browser.clone();
        let done = browser.submit(&page, LOGOUT, &[]).await;
        assert_eq!(done.status, StatusCode::OK);
        assert!(done.says("You have left all services."));
        assert!(done.refresh().is_none());
        assert_eq!(
            done.header("clear-site-data"),
            Some("\"cache\", \"storage\"")
        );
        assert_eq!(browser.cookie(host, "__Host-octroi"), None);
        for host in [PORTAL, PAYROLL, WIKI] {
            assert!(
                !is_signed_in(&mut thief, host).await,
                "a copied cookie is dead, too"
            );
        }
    }
}

#[tokio::test]
async fn on_a_shared_computer_each_host_that_was_used_is_cleared() {
    let house = Gatehouse::with_marie().await;
    let mut browser = inside(&house, "public").await;
    let page = browser.get(PORTAL, LOGOUT).await;
    let mut answer: Answer = browser.submit(&page, LOGOUT, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut visited = vec![PORTAL.to_owned()];
    let mut next = answer.refresh();
    while let Some(step) = next {
        assert_eq!(
            answer.header("clear-site-data"),
            Some("\"cache\", \"cookies\", \"storage\"")
        );
        let host = step
            .strip_prefix("https://")
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        visited.push(host.to_owned());
        answer = browser.follow(&answer, &step).await;
        next = answer.header("location").map(str::to_owned);
    }
    visited.sort();
    assert_eq!(visited, [PAYROLL, PORTAL, WIKI]);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer.says("Also close all windows of this browser."),
        "{}",
        answer.body
    );
    for host in [PAYROLL, PORTAL, WIKI] {
        assert!(answer.says(&format!("<li>{host}</li>")), "{host}");
    }
}

#[tokio::test]
async fn a_round_that_was_not_begun_here_clears_nothing() {
    let house = Gatehouse::with_marie().await;
    let mut browser = inside(&house, "public").await;
    let page = browser.get(PORTAL, LOGOUT).await;
    let done = browser.submit(&page, LOGOUT, &[]).await;
    let step = done.refresh().unwrap();
    let (address, round) = step.split_once("round=").unwrap();
    let mut altered = round.to_owned().into_bytes();
    altered[40] = if altered[40] == b'A' { b'B' } else { b'A' };
    let forged = format!("{address}round={}", String::from_utf8(altered).unwrap());
    for odd in [
        forged,
        format!("{address}round="),
        format!("{address}round=x"),
    ] {
        let answer = browser.follow(&done, &odd).await;
        assert_eq!(answer.header("clear-site-data"), None, "{odd}");
    }
    house.world.clock.advance(std::time::Duration::from_mins(5));
    let late = browser.follow(&done, &step).await;
    assert_eq!(late.header("clear-site-data"), None);
}

#[tokio::test]
async fn the_link_of_a_round_clears_nothing_in_the_browser_of_somebody_who_is_signed_in() {
    let house = Gatehouse::with_marie().await;
    let mut browser = inside(&house, "public").await;
    let page = browser.get(PORTAL, LOGOUT).await;
    let done = browser.submit(&page, LOGOUT, &[]).await;
    let step = done.refresh().unwrap();
    let host = step
        .trim_start_matches("https://")
        .split('/')
        .next()
        .unwrap();
    let mut victim = inside(&house, "private").await;
    let asked = victim.follow(&page, &step).await;
    assert_eq!(asked.header("clear-site-data"), None, "{host}");
    assert!(is_signed_in(&mut victim, host).await);
}

#[tokio::test]
async fn the_link_of_a_round_clears_nothing_in_another_browser_that_never_entered_the_host() {
    let house = Gatehouse::with_marie().await;
    let mut browser = inside(&house, "public").await;
    let page = browser.get(PORTAL, LOGOUT).await;
    let done = browser.submit(&page, LOGOUT, &[]).await;
    let step = done.refresh().unwrap();
    let mut victim = house.browser();
    victim.address = [192, 0, 2, 2].into();
    let sent = victim.follow(&page, &step).await;
    assert_eq!(sent.header("clear-site-data"), None);
    let onward = browser.follow(&done, &step).await;
    assert!(onward.header("clear-site-data").is_some());
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_that_they_have_left() {
    let house = Gatehouse::open().await;
    for host in [PORTAL, PAYROLL] {
        let answer = house.browser().get(host, LOGOUT).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.says("You have left all services."));
        assert!(answer.says("https://portail.exemple.fr/.octroi/login"));
    }
}
