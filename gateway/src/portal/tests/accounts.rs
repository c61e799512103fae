//! A person's own pages: account, sessions, language.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};

use super::{
    Gatehouse, PORTAL,
    browser::{Browser, Sent},
    site,
};
use crate::identity::testing::PASSWORD;

const SESSIONS: &str = "/.octroi/account/sessions";

async fn signed_in(house: &Gatehouse) -> Browser {
    let mut browser = house.browser();
    let page = browser.get(PORTAL, "/.octroi/login").await;
    let fields = [
        ("login", "marie"),
        ("password", PASSWORD),
        ("computer", "private"),
    ];
    browser.submit(&page, "/.octroi/login", &fields).await;
    browser
}

#[tokio::test]
async fn the_account_lists_the_services_that_are_open_and_no_other() {
    let house = Gatehouse::with_marie().await;
    let mut browser = signed_in(&house).await;
    let account = browser.get(PORTAL, "/.octroi/account").await;
    assert_eq!(account.status, StatusCode::OK);
    for open in ["https://paie.exemple.fr/", "https://wiki.exemple.fr/"] {
        assert!(
            account.body.contains(&format!("<a href=\"{open}\">")),
            "{open}"
        );
    }
    assert!(!account.body.contains("compta.exemple.fr"));
    assert_eq!(
        browser.get(PORTAL, "/").await.location(),
        "/.octroi/account"
    );
}

#[tokio::test]
async fn a_service_of_several_routes_is_listed_once_and_others_of_its_host_by_their_paths() {
    let house = Gatehouse::with_marie().await;
    let mut browser = signed_in(&house).await;
    let route = |path: &str, to: &str| {
        format!(
            "[[route]]\nhost = \"visites.exemple.fr\"\npath = \"{path}\"\nto = \"http://{to}\"\nallow = \"everyone\"\n"
        )
    };
    let extra = route("/", "10.0.0.15:8080")
        + &route("/visits", "10.0.0.15:8080")
        + &route("/badges", "10.0.0.16:8080");
    house.site.store(Arc::new(site(&extra)));
    let account = browser.get(PORTAL, "/.octroi/account").await;
    let listed: Vec<&str> = account
        .body
        .split("<a href=\"https://visites.exemple.fr")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(listed, ["/", "/badges"]);
}

/// "Until when" has one meaning on each page, and says which.
#[tokio::test]
async fn the_header_says_whether_use_moves_the_end() {
    let house = Gatehouse::with_marie().await;
    let mut browser = signed_in(&house).await;
    let page = browser.get(PORTAL, SESSIONS).await;
    let header = page.body.split("</header>").next().unwrap();
    assert!(header.contains("</time> without activity"), "{header}");
    // After 17 hours in use, the 24 of a session end before the 8 without use.
    for _ in 0..17 {
        house.world.clock.advance(Duration::from_hours(1));
        browser.get(PORTAL, SESSIONS).await;
    }
    let page = browser.get(PORTAL, SESSIONS).await;
    let header = page.body.split("</header>").next().unwrap();
    assert!(header.contains("Session until "), "{header}");
    assert!(!header.contains("without activity"), "{header}");
}

#[tokio::test]
async fn a_person_ends_one_session_and_then_all_others() {
    let house = Gatehouse::with_marie().await;
    let mut mine = signed_in(&house).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(signed_in(&house).await);
    }
    let page = mine.get(PORTAL, SESSIONS).await;
    assert!(page.says("Firefox on Linux"));
    assert!(page.says("End the 3 other sessions"));
    assert_eq!(page.body.matches("This session").count(), 1);

    let one = page.hidden("/.octroi/account/sessions/end", "session");
    let fields = [("session", one.as_str())];
    let form = page.hidden("/.octroi/account/sessions/end", "form");
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let done = mine
        .send(Sent {
            method: Method::POST,
            host: PORTAL,
            target: "/.octroi/account/sessions/end",
            headers: &headers,
            body: format!("form={form}&session={}", fields[0].1),
        })
        .await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(done.says("Session ended. It no longer opens anything."));
    assert!(done.says("End the 2 other sessions"));

    let done = mine
        .submit(&done, "/.octroi/account/sessions/end-others", &[])
        .await;
    assert!(done.says("The other sessions are ended."));
    assert!(done.says("No other session is open."));
    for other in &mut others {
        assert_eq!(
            other.get(PORTAL, SESSIONS).await.location(),
            "/.octroi/login"
        );
    }
    assert_eq!(mine.get(PORTAL, SESSIONS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_change_without_its_own_form_is_refused_wherever_it_is_sent() {
    let house = Gatehouse::with_marie().await;
    let mut browser = signed_in(&house).await;
    let mut other = signed_in(&house).await;
    let foreign = other.get(PORTAL, SESSIONS).await;
    let foreign = foreign.hidden("/.octroi/account/sessions/end", "form");
    for target in [
        "/.octroi/account/password",
        "/.octroi/account/sessions/end",
        "/.octroi/account/sessions/end-others",
        "/.octroi/account/stay",
        "/.octroi/language",
        "/.octroi/logout",
    ] {
        let own = browser.get(PORTAL, SESSIONS).await;
        let own = own.hidden("/.octroi/account/stay", "form");
        for (form, site) in [
            ("", "same-origin"),
            (&*foreign, "same-origin"),
            (&*own, "same-site"),
            (&*own, "none"),
        ] {
            let headers = [
                ("sec-fetch-site", site),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            let answer = browser
                .send(Sent {
                    method: Method::POST,
                    host: PORTAL,
                    target,
                    headers: &headers,
                    body: format!("form={form}&language=fr&current={PASSWORD}&new=x"),
                })
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{target} from {site}");
        }
    }
    assert_eq!(browser.get(PORTAL, SESSIONS).await.status, StatusCode::OK);
    assert_eq!(other.get(PORTAL, SESSIONS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_chosen_language_is_remembered_for_less_than_a_year_and_leads_back() {
    let house = Gatehouse::open().await;
    let mut browser = house.browser();
    let page = browser.get(PORTAL, "/.octroi/login").await;
    assert!(page.body.contains("<html lang=\"en\">"));
    assert_eq!(page.header("content-language"), Some("en"));
    let chosen = browser
        .submit(&page, "/.octroi/language", &[("language", "fr")])
        .await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER);
    assert_eq!(chosen.location(), "/.octroi/login");
    assert_eq!(
        chosen.set_cookies(),
        ["__Host-octroi-lang=fr; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31104000"]
    );
    let page = browser.get(PORTAL, "/.octroi/login").await;
    assert!(page.body.contains("<html lang=\"fr\">") && page.says("Connexion"));

    let form = page.hidden("/.octroi/language", "form");
    for back in [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "",
        "javascript:x",
    ] {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let body = format!("form={form}&language=en&back={back}");
        let sent = Sent {
            method: Method::POST,
            host: PORTAL,
            target: "/.octroi/language",
            headers: &headers,
            body,
        };
        assert_eq!(browser.send(sent).await.location(), "/", "{back}");
    }
}

#[tokio::test]
async fn many_sessions_are_listed_in_pages_that_weigh_at_most_60_kib() {
    let house = Gatehouse::with_marie().await;
    house.world.clock.advance(Duration::from_secs(1));
    for _ in 0..35 {
        let mut gone = signed_in(&house).await;
        let page = gone.get(PORTAL, "/.octroi/logout").await;
        gone.submit(&page, "/.octroi/logout", &[]).await;
    }
    let mut mine = signed_in(&house).await;
    for _ in 0..64 {
        signed_in(&house).await;
    }
    let page = mine.get(PORTAL, SESSIONS).await;
    assert!(page.says("Page 1 of 3"));
    assert!(page.says("End the 64 other sessions"));
    assert_eq!(page.body.matches("<h2 id=\"s-").count(), 30);
    assert_eq!(page.body.matches("This session").count(), 1);
    assert_eq!(page.body.matches("</strong> – signed out</p>").count(), 30);
    let past = page.body.split("class=\"past\"").nth(1).unwrap();
    let day = past.split("</time>").next().unwrap();
    let day = day.rsplit('>').next().unwrap();
    assert!(day.contains(" at "), "a day as people read it: {day}");
    let mut addresses: Vec<&str> = page
        .body
        .split('"')
        .filter(|text| text.starts_with("/.octroi/assets/"))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    let mut weight = page.body.len();
    for address in addresses {
        weight += mine.get(PORTAL, address).await.body.len();
    }
    assert!(weight <= 60 * 1024, "{weight} bytes");

    let last = mine.get(PORTAL, &format!("{SESSIONS}?page=3")).await;
    assert_eq!(last.body.matches("<h2 id=\"s-").count(), 5);
    assert!(!last.body.contains("This session") && !last.body.contains("class=\"past\""));
    for beyond in ["?page=9", "?page=0", "?page=x"] {
        let page = mine.get(PORTAL, &format!("{SESSIONS}{beyond}")).await;
        assert_eq!(page.status, StatusCode::OK, "{beyond}");
    }
}
