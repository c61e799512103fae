//! B1: after a sign-in a person lands on a host of ours, whatever the link said.

use octroi_integration_tests::page::{Form, refresh};
use octroi_integration_tests::visitor::{VERSIONS, Visitor, escape, host_of};

use crate::stage::{HOST, Stage};

/// Places to return to that look like ours and are not.
const FOREIGN: [&str; 24] = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://evil.example",
    "https://echo.localhost.evil.example",
    "https://evil@echo.localhost@evil.example",
    "https://echo.localhost%2eevil.example",
    "https://echo.localhost:443@evil.example",
    "https://echo.localhost\\@evil.example",
    "https://echo.localhost#@evil.example",
    "http://echo.localhost/",
    "javascript:alert(1)",
    "data:text/html,x",
    "\u{0}https://evil.example",
    " https://evil.example",
    "https://evil.example\u{3002}localhost",
];

#[test]
fn b1_no_return_place_leads_to_a_foreign_host() {
    let stage = Stage::set();
    let portal = stage.world.portal();
    for version in VERSIONS {
        let mut visitor = stage.insider().speaking(version);
        for place in FOREIGN {
            for name in ["return_to", "rd", "redirect", "next"] {
                let url = format!("https://{portal}/.octroi/login?{name}={}", escape(place));
                let answer = visitor.get(&url);
                assert!(answer.status < 500, "{place}: {}", answer.everything());
                assert_stays(&stage, place, answer.first("location"));
            }
        }
    }
    assert_eq!(stage.closed.count(), 0);
}

#[test]
fn b1_the_hand_over_starts_for_paths_of_its_own_host_only() {
    let stage = Stage::set();
    let authority = stage.world.authority(HOST);
    for version in VERSIONS {
        let mut stranger = stage.world.visitor().speaking(version);
        let mut insider = stage.insider().speaking(version);
        for place in FOREIGN {
            let url = format!(
                "https://{authority}/.octroi/login?return_to={}",
                escape(place)
            );
            stranger.door = stage.door();
            let response = stranger.get(&url);
            assert!(response.status < 500, "{place}: {}", response.everything());
            assert_stays(&stage, place, response.first("location"));
            // Over all redirects, someone signed in ends on our own hosts.
            for hop in insider.follow(&url) {
                assert!(is_ours(&stage, &hop.url), "{place} led to {}", hop.url);
            }
        }
    }
}

/// A stranger signs in on the way to a foreign place: the page that follows leads to the default page of the host where
/// they began, by its link and by itself, and that is where they end.
#[test]
fn b1_whoever_signs_in_on_the_way_to_a_foreign_host_lands_on_our_default_page() {
    let stage = Stage::set();
    let account = stage.world.facts.with_role(crate::stage::ROLE).clone();
    let (portal, host) = (stage.world.portal(), stage.world.authority(HOST));
    let doors = [
        (&portal, format!("https://{portal}/.octroi/account")),
        (&host, format!("https://{host}/")),
    ];
    // One of each kind: every sign-in costs a hash of the password.
    let places = FOREIGN
        .iter()
        .step_by(4)
        .chain(["https://evil.example"].iter());
    for (number, place) in places.enumerate() {
        for (door, default) in &doors {
            let version = VERSIONS[number % 2];
            let mut stranger = Visitor::at(&stage.door()).speaking(version);
            let url = format!("https://{door}/.octroi/login?return_to={}", escape(place));
            let page = stranger.visit(&url);
            let form = Form::on(&page, "/.octroi/login").with("login", &account.full_login());
            assert!(is_ours(&stage, &form.action), "{place}: {}", form.action);
            let answer = form
                .with("password", &account.password)
                .submit(&mut stranger);
            let all = answer.response.everything();
            assert_eq!(answer.response.status, 200, "{place}: {all}");
            assert!(!all.contains("evil.example"), "{place}: {all}");
            let next = refresh(&answer).unwrap_or_else(|| panic!("{place}: no way on: {all}"));
            assert!(is_ours(&stage, &next), "{place} leads to {next}");
            let hops = stranger.follow(&next);
            for hop in &hops {
                assert!(is_ours(&stage, &hop.url), "{place} led to {}", hop.url);
            }
            let last = hops.last().expect("a hop");
            assert_eq!((&last.url, last.response.status), (default, 200), "{place}");
        }
    }
}

fn is_ours(stage: &Stage, url: &str) -> bool {
    let host = host_of(url);
    url.starts_with("https://") && (host == HOST || host == stage.world.facts.portal)
}

#[track_caller]
fn assert_stays(stage: &Stage, place: &str, location: Option<&str>) {
    let Some(to) = location else { return };
    let is_path = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
    assert!(is_path || is_ours(stage, to), "{place:?} leads to {to}");
}
