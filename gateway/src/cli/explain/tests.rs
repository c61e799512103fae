//! A story tells what `authorize` decides, the routes on the way, and why nobody is signed in.

use std::path::Path;

use super::*;

const FILE: &str = r#"
[server]
https = "0.0.0.0:443"
portal = "login.example.com"
data = "/d"
keyring = "/k"
[[certificate]]
names = ["*.example.com"]
chain = "/c"
key_file = "/e"
[[route]]
name = "pay"
host = "paie.example.com"
to = "http://10.0.0.1:8080"
allow = { roles = ["rh"] }
[[route]]
name = "hooks"
host = "paie.example.com"
path = "/hooks"
methods = ["POST"]
to = "unix:///run/hooks.sock"
sign_in = "public"
"#;

fn account(roles: &[&str], standing: &str) -> Person {
    Person::of(facts_of(roles, standing)).unwrap()
}

fn facts_of(roles: &[&str], standing: &str) -> facts::Account {
    facts::Account {
        account: "acme/marie".to_owned(),
        id: AccountId::from_random([7; 16]).to_string(),
        organisation: "Acme".to_owned(),
        name: None,
        email: None,
        language: None,
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        grants: Vec::new(),
        standing: standing.to_owned(),
        expires_at: None,
        locked_at: None,
        created_at: String::new(),
        password_changed_at: None,
    }
}

fn told(method: &str, url: &str, person: Option<&Person>) -> String {
    let settings = octroi_config::parse(FILE, Path::new("/f.toml"))
        .unwrap()
        .settings;
    let now = Timestamp::from_unix_millis(1_000_000_000);
    story(&settings, method, url, person, now)
        .unwrap()
        .to_string()
}

#[test]
fn the_story_names_verdict_route_way_and_neighbours() {
    let marie = account(&["rh"], "ready");
    assert_eq!(
        told("GET", "https://paie.example.com/slips?y=1", Some(&marie)),
        "GET https://paie.example.com/slips?y=1 as acme/marie: permit by route pay\n  decides       pay: paie.example.com/ for all methods\n  lets in whoever is signed in with the role rh\n  acme/marie holds the role rh in the tenant acme\n  to 10.0.0.1:8080"
    );
    assert_eq!(
        told("POST", "https://PAIE.example.com/hooks/1", None),
        "POST https://PAIE.example.com/hooks/1 as nobody signed in: permit by route hooks\n  decides       hooks: paie.example.com/hooks for POST\n  shorter_path  pay: paie.example.com/ for all methods\n  lets in everybody, signed in or not\n  to unix:/run/hooks.sock"
    );
    assert_eq!(
        told("GET", "https://paie.example.com/hooks", Some(&marie)),
        "GET https://paie.example.com/hooks as acme/marie: method_not_routed\n  other_method  hooks: paie.example.com/hooks for POST\n  shorter_path  pay: paie.example.com/ for all methods\n  acme/marie holds the role rh in the tenant acme"
    );
}

#[test]
fn whoever_may_not_pass_learns_why() {
    let verdict = |url: &str, person: Option<&Person>| {
        let told = told("GET", url, person);
        let line = told.lines().next().unwrap_or_default();
        line.rsplit(": ").next().unwrap_or_default().to_owned()
    };
    let it = account(&["it"], "ready");
    assert_eq!(
        verdict("https://paie.example.com/", None),
        "sign_in_required by route pay"
    );
    assert_eq!(
        verdict("https://paie.example.com/", Some(&it)),
        "role_missing by route pay"
    );
    assert_eq!(
        verdict("https://nowhere.example.com/", Some(&it)),
        "host_unknown"
    );
    assert_eq!(verdict("https://login.example.com/", Some(&it)), "own_page");
    assert_eq!(
        verdict("https://paie.example.com/.octroi/session", None),
        "own_page"
    );
    assert_eq!(
        verdict("https://paie.example.com/a/../b", None),
        "request_dot_segment"
    );
    let locked = account(&["rh"], "locked");
    let story = told("GET", "https://paie.example.com/", Some(&locked));
    assert!(story.contains("sign_in_required"), "{story}");
    assert!(
        story.ends_with(
            "the account is locked, so nobody is signed in with it yet; once somebody is: permit"
        ),
        "{story}"
    );
}

#[test]
fn a_refusal_names_what_is_wanted_and_what_is_held() {
    let mut it = account(&["it", "occupant"], "ready");
    let wanted = told("GET", "https://paie.example.com/", Some(&it));
    assert!(
        wanted.contains("\n  lets in whoever is signed in with the role rh"),
        "{wanted}"
    );
    assert!(
        wanted.contains("\n  acme/marie holds the roles it, occupant in the tenant acme"),
        "{wanted}"
    );
    it.hindered = Some("awaiting_password".to_owned());
    let invited = told("GET", "https://paie.example.com/", Some(&it));
    assert!(
        invited.contains("sign_in_required by route pay"),
        "{invited}"
    );
    assert!(
        invited.ends_with("once somebody is: role_missing"),
        "{invited}"
    );
}

#[test]
fn rights_that_were_lent_are_named_with_their_tenant_and_end() {
    let account = facts::Account {
        grants: vec![facts::Grant {
            tenant: "globex".to_owned(),
            roles: vec!["support".to_owned()],
            ends_at: "2026-11-26T08:00:00Z".to_owned(),
        }],
        ..facts_of(&[], "ready")
    };
    assert_eq!(
        Person::of(account).unwrap().holds,
        "no role in the tenant acme; the role support for the tenant globex until 2026-11-26T08:00:00Z"
    );
}

#[test]
fn what_is_no_request_is_a_usage_error() {
    for (method, url) in [
        ("GET", "paie.example.com"),
        ("GET", "http://paie.example.com/"),
        ("G T", "https://a/"),
    ] {
        assert!(
            matches!(Asked::read(method, url), Err(Failure::Usage(_))),
            "{method} {url}"
        );
    }
}
