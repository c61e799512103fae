//! The page for programs (`docs/reference/http.md`) tells the truth: each of its rows is asked, over each version.

use std::fs;

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::binary;
use octroi_integration_tests::visitor::VERSIONS;
use octroi_integration_tests::world::World;
use serde_json::json;

const JSON: &str = "application/json";

#[test]
fn every_row_of_the_page_for_programs_is_what_a_program_gets() {
    let page = binary::workspace().join("docs/reference/http.md");
    let page = fs::read_to_string(page).expect("the page");
    let world = World::demo();
    let account = world.facts.account("acme/marie").clone();
    let provisional = world.facts.provisional().clone();
    let login = format!("https://{}/.octroi/api/v1/login", world.portal());
    for version in VERSIONS {
        let ask = |fields: &[(&str, &str)], body: &str| {
            let fields: Vec<(String, String)> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let mut program = world.visitor().speaking(version);
            program
                .ask("POST", &login, &fields, body.as_bytes())
                .response()
        };
        let document = |login: &str, password: &str| {
            json!({ "login": login, "password": password }).to_string()
        };
        let right = document("acme/marie", &account.password);
        let signed_in = ask(&[("Content-Type", JSON)], &right);
        assert_eq!(signed_in.json()["status"], "signed_in");
        assert!(signed_in.json()["ends_at"].is_string() && signed_in.first("set-cookie").is_some());
        let pending = document(&provisional.full_login(), &provisional.password);
        let pending = ask(&[("Content-Type", JSON)], &pending);
        if version == VERSIONS[0] {
            assert_eq!(pending.json()["status"], "password_change_required");
            assert!(pending.json()["continue"].is_string(), "an address");
        }

        let wrong = document("acme/marie", "not her password at all");
        let more = json!({ "login": "a", "password": "b", "pin": 1 }).to_string();
        let foreign = [("Content-Type", JSON), ("Origin", "https://evil.example")];
        for (answer, status, error) in [
            (
                ask(&[("Content-Type", JSON)], &wrong),
                401,
                "invalid_credentials",
            ),
            (ask(&[("Content-Type", JSON)], &more), 400, "malformed_body"),
            (
                ask(&[("Content-Type", "text/plain")], &right),
                415,
                "json_wanted",
            ),
            (ask(&foreign, &right), 403, "foreign_origin"),
        ] {
            assert_refused(&page, &answer, status, error);
        }
        for host in [world.portal(), world.authority("echo.localhost")] {
            let url = format!("https://{host}/.octroi/session");
            let mut program = world.visitor().speaking(version);
            let nobody = program.ask("GET", &url, &[], b"").response();
            assert_refused(&page, &nobody, 401, "sign_in_needed");
            assert!(nobody.first("www-authenticate").is_some(), "the scheme");
        }
        let mut program = world.visitor().speaking(version);
        let url = format!("https://{}/.octroi/api/v1/openapi.json", world.portal());
        let none = program.ask("GET", &url, &[], b"").response();
        assert_eq!(none.status, 404, "{}", none.everything());
        assert!(page.contains("`/.octroi/api/v1/openapi.json` is 404"));
    }
}

#[track_caller]
fn assert_refused(page: &str, answer: &Response, status: u16, error: &str) {
    let all = answer.everything();
    assert_eq!(answer.status, status, "{all}");
    assert_eq!(answer.json()["error"], error, "{all}");
    assert_eq!(
        answer.first("content-type"),
        Some("application/problem+json"),
        "{all}"
    );
    let row = format!("| {status} | `{error}`");
    assert!(page.contains(&row), "the page has no row {row}");
}
