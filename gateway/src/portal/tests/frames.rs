//! What all answers have in common: protection, weight, and that nothing else is served.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use tower::ServiceExt as _;

use super::{Gatehouse, PAYROLL, PORTAL, browser::Sent, site};

#[tokio::test]
async fn every_page_keeps_other_sites_caches_and_sniffers_away() {
    let house = Gatehouse::open().await;
    for (host, target) in [
        (PORTAL, "/.octroi/login"),
        (PORTAL, "/.octroi/logout"),
        (PORTAL, "/.octroi/invitation?token=x"),
        (PORTAL, "/nowhere"),
        (PORTAL, "/.octroi/session"),
        (PORTAL, "/.octroi/account"),
        (PAYROLL, "/.octroi/login"),
        (PAYROLL, "/.octroi/enter"),
        (PAYROLL, "/.octroi/logout"),
    ] {
        let answer = house.browser().get(host, target).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{target}");
        assert!(!policy.contains("unsafe"), "{target}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{target}");
        }
        let referrer = answer.header("referrer-policy").unwrap();
        assert!(
            ["same-origin", "no-referrer"].contains(&referrer),
            "{target}"
        );
        for inline in ["<style", "style=", "onclick=", "onload=", "javascript:"] {
            assert!(!answer.body.contains(inline), "{target}: {inline}");
        }
    }
}

#[tokio::test]
async fn a_first_load_is_at_most_60_kib_in_at_most_four_requests() {
    let house = Gatehouse::open().await;
    let mut browser = house.french_browser();
    let page = browser.get(PORTAL, "/.octroi/login").await;
    let mut addresses: Vec<&str> = ["href=\"", "src=\"", "srcset=\""]
        .iter()
        .flat_map(|attribute| page.body.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|address| address.starts_with("/.octroi/assets/"))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert!((1..=3).contains(&addresses.len()), "{addresses:?}");
    assert!(
        page.body.len() <= 14 * 1024,
        "{} bytes of HTML",
        page.body.len()
    );
    let mut weight = page.body.len();
    for address in addresses {
        let asset = browser.get(PORTAL, address).await;
        assert_eq!(asset.status, StatusCode::OK, "{address}");
        assert_eq!(
            asset.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        weight += asset.body.len();
        let elsewhere = browser.get(PAYROLL, address).await;
        assert_eq!(
            elsewhere.body, asset.body,
            "pages of refusal stand on every host"
        );
    }
    assert!(weight <= 60 * 1024, "{weight} bytes");
    let gone = browser
        .get(PORTAL, "/.octroi/assets/portal.0000000000000000.css")
        .await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_application_host_serves_nothing_where_a_password_is_typed_or_an_account_changed() {
    let house = Gatehouse::open().await;
    for (method, target) in [
        (Method::POST, "/.octroi/login"),
        (Method::GET, "/.octroi/account"),
        (Method::GET, "/.octroi/account/password"),
        (Method::POST, "/.octroi/account/password"),
        (Method::GET, "/.octroi/account/sessions"),
        (Method::POST, "/.octroi/account/sessions/end-others"),
        (Method::GET, "/.octroi/invitation"),
        (Method::POST, "/.octroi/invitation"),
        (Method::POST, "/.octroi/language"),
        (Method::POST, "/.octroi/api/v1/login"),
        (Method::GET, "/.octroi/api/v1/session"),
        (Method::GET, "/.octroi/"),
        (Method::GET, "/.octroi/console"),
    ] {
        let sent = Sent {
            method: method.clone(),
            host: PAYROLL,
            target,
            headers: &[],
            body: String::new(),
        };
        let status = house.browser().send(sent).await.status;
        let wanted = if target == "/.octroi/login" {
            StatusCode::METHOD_NOT_ALLOWED
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(status, wanted, "{method} {target}");
    }
}

#[tokio::test]
async fn a_request_without_its_visitor_is_a_fault_and_shows_nothing() {
    let house = Gatehouse::open().await;
    for router in [
        house.routers.portal.clone(),
        house.routers.application.clone(),
    ] {
        let request = Request::get("/.octroi/login").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn researchers_find_whom_to_tell() {
    let house = Gatehouse::open().await;
    let answer = house
        .browser()
        .get(PORTAL, "/.well-known/security.txt")
        .await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        answer.body,
        "Contact: mailto:securite@exemple.fr\nExpires: 2027-04-15T00:00:00Z\n\
         Preferred-Languages: fr, en\n\
         Canonical: https://portail.exemple.fr/.well-known/security.txt\n"
    );
}

#[tokio::test]
async fn the_footer_has_its_links_in_one_order_on_every_page() {
    let house = Gatehouse::open().await;
    let mut browser = house.browser();
    for target in ["/.octroi/login", "/.octroi/logout", "/nowhere"] {
        let page = browser.get(PORTAL, target).await;
        let places: Vec<usize> = [
            ">Help<",
            ">Privacy<",
            ">Data protection officer<",
            ">Accessibility: partially compliant<",
            ">Report a flaw<",
            ">Language<",
        ]
        .iter()
        .map(|link| {
            page.body
                .find(link)
                .unwrap_or_else(|| panic!("{link} on {target}"))
        })
        .collect();
        assert!(places.is_sorted(), "{target}");
    }
}

#[test]
fn a_brand_changes_name_and_accent_and_is_still_one_sheet() {
    let plain = site("");
    let branded = site("[brand]\nname = \"Mairie & Cie\"\naccent = \"#ffd600\"\n");
    assert_ne!(plain.look.stylesheet(), branded.look.stylesheet());
    assert!(
        branded
            .look
            .stylesheet()
            .starts_with("/.octroi/assets/brand.")
    );
    let sheet = branded.look.asset(branded.look.stylesheet()).unwrap();
    let sheet = std::str::from_utf8(&sheet.bytes).unwrap();
    assert!(sheet.ends_with(
        ":root {\n  --accent: #856e00;\n}\n\n@media (prefers-color-scheme: dark) {\n  :root {\n    --accent: #ffd600;\n  }\n}\n"
    ));
    assert_eq!(branded.look.assets().count(), 3);
}
