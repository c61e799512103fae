//! From an application host to the portal and back.

use std::time::Duration;

use http::{Method, StatusCode};

use super::{
    Gatehouse, PAYROLL, PORTAL, WIKI,
    browser::{Answer, Browser, Sent},
};
use crate::identity::testing::PASSWORD;

const LOGIN: &str = "/.octroi/login";

/// Asks for a page of a host and is led to the portal's form.
async fn leaves(browser: &mut Browser, host: &str, target: &str) -> Answer {
    let away = browser
        .get(host, &format!("{LOGIN}?return_to={target}"))
        .await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    assert!(
        away.location()
            .starts_with("https://portail.exemple.fr/.octroi/login?host=")
    );
    browser.follow(&away, away.location()).await
}

/// Fills in the portal's form; the link that leads back.
async fn signs_in(browser: &mut Browser, page: &Answer) -> (Answer, String) {
    let fields = [
        ("login", "marie"),
        ("password", PASSWORD),
        ("computer", "private"),
    ];
    let done = browser.submit(page, LOGIN, &fields).await;
    assert_eq!(
        done.status,
        StatusCode::OK,
        "never a redirect to another host"
    );
    let link = done.refresh().unwrap();
    (done, link)
}

#[tokio::test]
async fn pictures_of_the_way_in_use_up_no_ticket() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = leaves(&mut browser, PAYROLL, "/").await;
    signs_in(&mut browser, &page).await;
    let away = browser.get(WIKI, &format!("{LOGIN}?return_to=/")).await;
    let way = away.location().strip_prefix("https://portail.exemple.fr");
    let way = way.unwrap().to_owned();
    for (method, destination) in [(Method::GET, "image"), (Method::GET, "iframe")]
        .into_iter()
        .cycle()
        .take(40)
        .chain([(Method::HEAD, "document")])
    {
        let headers = [("sec-fetch-dest", destination)];
        let answer = browser
            .send(Sent {
                method,
                host: PORTAL,
                target: &way,
                headers: &headers,
                body: String::new(),
            })
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.location(), "/.octroi/account");
    }
    let onward = browser.follow(&away, away.location()).await;
    assert_eq!(onward.status, StatusCode::SEE_OTHER);
    assert!(
        onward
            .location()
            .starts_with("https://wiki.exemple.fr/.octroi/enter?"),
        "{}",
        onward.location()
    );
}

#[tokio::test]
async fn a_person_comes_back_to_the_page_they_asked_for() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = leaves(&mut browser, PAYROLL, "/bulletins/2026%3Fmois%3D11").await;
    assert!(page.says("You are going to <strong>paie.exemple.fr</strong>."));
    let (done, link) = signs_in(&mut browser, &page).await;
    assert!(
        link.starts_with("https://paie.exemple.fr/.octroi/enter?id="),
        "{link}"
    );
    assert!(done.says("Continue to paie.exemple.fr"));
    let entered = browser.follow(&done, &link).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert_eq!(entered.location(), "/bulletins/2026?mois=11");
    assert_eq!(entered.header("cache-control"), Some("no-store"));
    assert_eq!(entered.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(
        browser.cookie_names(PAYROLL),
        ["__Host-octroi"],
        "the passage's is gone"
    );
    let [portal, payroll] =
        [PORTAL, PAYROLL].map(|host| browser.cookie(host, "__Host-octroi").unwrap());
    assert_ne!(portal, payroll, "each host has a token of its own");

    // The next host asks nothing.
    let away = browser.get(WIKI, &format!("{LOGIN}?return_to=/")).await;
    let through = browser.follow(&away, away.location()).await;
    assert_eq!(through.status, StatusCode::SEE_OTHER);
    let entered = browser.follow(&through, through.location()).await;
    assert_eq!(entered.location(), "/");
}

#[tokio::test]
async fn a_ticket_is_worth_nothing_in_another_browser() {
    let house = Gatehouse::with_marie().await;
    let mut attacker = house.browser();
    let page = leaves(&mut attacker, PAYROLL, "/").await;
    let (done, link) = signs_in(&mut attacker, &page).await;
    let mut victim = house.browser();
    leaves(&mut victim, PAYROLL, "/").await;
    let refused = victim.follow(&done, &link).await;
    assert_eq!(refused.status, StatusCode::GONE);
    assert_eq!(victim.cookie(PAYROLL, "__Host-octroi"), None);
    let own = attacker.follow(&done, &link).await;
    assert_eq!(
        own.status,
        StatusCode::SEE_OTHER,
        "nor does the try spend it"
    );
}

#[tokio::test]
async fn a_ticket_opens_its_own_host_once_and_for_a_minute() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = leaves(&mut browser, PAYROLL, "/a").await;
    let (done, link) = signs_in(&mut browser, &page).await;

    let elsewhere = link.replace(PAYROLL, WIKI);
    let refused = browser.follow(&done, &elsewhere).await;
    assert_eq!(refused.status, StatusCode::GONE);

    let before = browser.clone();
    let entered = browser.follow(&done, &link).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    let again = before.clone().follow(&done, &link).await;
    assert_eq!(again.status, StatusCode::GONE, "spent");

    let page = browser.get(PAYROLL, &format!("{LOGIN}?return_to=/b")).await;
    let through = browser.follow(&page, page.location()).await;
    house.world.clock.advance(Duration::from_mins(1));
    let mut late = browser.clone();
    late.plant(PAYROLL, "__Host-octroi", "");
    let late = late.follow(&through, through.location()).await;
    assert_eq!(late.status, StatusCode::GONE, "a minute is over");
}

#[tokio::test]
async fn a_double_click_on_the_way_in_goes_on_instead_of_failing() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = leaves(&mut browser, PAYROLL, "/a").await;
    let (done, link) = signs_in(&mut browser, &page).await;
    let passage: Vec<(String, String)> = browser
        .cookie_names(PAYROLL)
        .into_iter()
        .map(|name| (name.to_owned(), browser.cookie(PAYROLL, name).unwrap()))
        .collect();
    browser.follow(&done, &link).await;
    for (name, value) in passage {
        browser.plant(PAYROLL, &name, &value);
    }
    let second = browser.follow(&done, &link).await;
    assert_eq!(second.status, StatusCode::SEE_OTHER);
    assert_eq!(second.location(), "/a");
}

#[tokio::test]
async fn tabs_do_not_disturb_each_other_and_the_sixth_takes_the_place_of_the_first() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let mut pages = Vec::new();
    for tab in 0..7 {
        house.world.clock.advance(Duration::from_secs(1));
        pages.push(leaves(&mut browser, PAYROLL, &format!("/{tab}")).await);
        assert!(browser.cookie_names(PAYROLL).len() <= 5);
    }
    let (done, link) = signs_in(&mut browser, &pages[6]).await;
    assert_eq!(browser.follow(&done, &link).await.location(), "/6");
    let (done, link) = signs_in(&mut browser, &pages[2]).await;
    assert_eq!(browser.follow(&done, &link).await.location(), "/2");
}

#[tokio::test]
async fn b1_nobody_is_sent_to_a_host_that_is_not_ours() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let good = {
        let away = browser.get(PAYROLL, LOGIN).await;
        away.location().to_owned()
    };
    let (_, query) = good.split_once('?').unwrap();
    for host in [
        "evil.example",
        "paie.exemple.fr.evil.example",
        "evil@paie.exemple.fr",
        "paie.exemple.fr%2f.evil.example",
        "//evil.example",
        PORTAL,
        "",
    ] {
        let query = query.replace("host=paie.exemple.fr", &format!("host={host}"));
        let page = browser.get(PORTAL, &format!("{LOGIN}?{query}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.says("You are going to"), "{host}");
        let fields = [("login", "marie"), ("password", PASSWORD)];
        let done = browser.clone().submit(&page, LOGIN, &fields).await;
        assert_eq!(
            done.refresh().as_deref(),
            Some("/.octroi/account"),
            "{host}"
        );
    }
    for target in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example/",
        "%2F%09%2Fevil.example",
        "javascript:alert(1)",
        "/%252F%252Fevil.example",
        "/.octroi/logout",
    ] {
        let mut browser = house.browser();
        let page = leaves(&mut browser, PAYROLL, target).await;
        let (done, link) = signs_in(&mut browser, &page).await;
        let entered = browser.follow(&done, &link).await;
        assert_eq!(entered.location(), "/", "{target}");
    }
}

#[tokio::test]
async fn a_passage_cookie_that_was_altered_or_moved_opens_nothing() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let page = leaves(&mut browser, PAYROLL, "/").await;
    let (done, link) = signs_in(&mut browser, &page).await;
    let name = browser.cookie_names(PAYROLL)[0].to_owned();
    let value = browser.cookie(PAYROLL, &name).unwrap();
    let mut altered = value.clone().into_bytes();
    altered[20] = if altered[20] == b'A' { b'B' } else { b'A' };
    for forged in [
        String::from_utf8(altered).unwrap(),
        String::new(),
        "x".to_owned(),
    ] {
        let mut browser = browser.clone();
        browser.plant(PAYROLL, &name, &forged);
        assert_eq!(browser.follow(&done, &link).await.status, StatusCode::GONE);
    }
    let mut moved = browser.clone();
    moved.plant(WIKI, &name, &value);
    let elsewhere = link.replace(PAYROLL, WIKI);
    assert_eq!(
        moved.follow(&done, &elsewhere).await.status,
        StatusCode::GONE
    );
    house.world.clock.advance(Duration::from_mins(10));
    assert_eq!(
        browser.follow(&done, &link).await.status,
        StatusCode::GONE,
        "too old"
    );
}
