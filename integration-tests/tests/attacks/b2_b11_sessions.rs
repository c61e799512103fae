//! B2 to B5, B8, B10 to B12: one session, one person, one host, until it ends; then nothing.

use std::thread;

use octroi_integration_tests::page::Form;
use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::visitor::{VERSIONS, Version, Visitor, redirect};
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::SESSION_COOKIE;
use serde_json::json;

use crate::stage::{HOST, PAYROLL, ROLE, Stage, assert_challenged, assert_passed};

/// A revocation is seen within this time.
const REVOCATION: std::time::Duration = std::time::Duration::from_secs(1);

#[test]
fn b2_a_token_known_before_the_sign_in_is_worth_nothing_after_it() {
    let stage = Stage::set();
    let planted = "A".repeat(43);
    let mut visitor = stage.world.visitor();
    let portal = stage.world.facts.portal.clone();
    plant(&mut visitor, &portal, &planted);
    plant(&mut visitor, HOST, &planted);
    let account = stage.world.facts.with_role(ROLE).clone();
    let answer = visitor.sign_in(
        &stage.world.portal(),
        &account.full_login(),
        &account.password,
    );
    assert_eq!(answer.status, 200, "{}", answer.everything());
    let token = visitor
        .cookie(&portal, SESSION_COOKIE)
        .expect("a session")
        .to_owned();
    assert_ne!(token, planted);
    visitor.follow(&stage.world.url(HOST, "/a"));
    let host_token = visitor
        .cookie(HOST, SESSION_COOKIE)
        .expect("a session on the host")
        .to_owned();
    assert_ne!(host_token, planted);
    assert_ne!(host_token, token, "each host has a token of its own");
    stage.closed.forget();
    for version in VERSIONS {
        for dead in [&planted, &token] {
            let cookie = format!("{SESSION_COOKIE}={dead}");
            assert_challenged(
                "on another host",
                &stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())]),
            );
        }
    }
    stage.assert_nothing_passed("a token of another place");
}

#[test]
fn b2_the_session_cookie_is_bound_to_its_host_and_hidden_from_scripts() {
    let stage = Stage::set();
    for version in VERSIONS {
        let visitor = stage.insider_over(version);
        let ours: Vec<_> = visitor
            .cookies
            .iter()
            .filter(|cookie| cookie.name == SESSION_COOKIE)
            .collect();
        assert_eq!(ours.len(), 2, "portal and host");
        for cookie in ours {
            let line = cookie.line.to_ascii_lowercase();
            for attribute in ["; secure", "; httponly", "; path=/", "; samesite=lax"] {
                assert!(line.contains(attribute), "{attribute}: {line}");
            }
            assert!(!line.contains("domain"), "{line}");
            assert!(cookie.value.len() >= 43, "256 bits: {line}");
        }
    }
}

#[test]
fn b3_another_person_on_the_same_browser_ends_the_first_ones_session() {
    let stage = Stage::set();
    let mut browser = stage.insider();
    let first = Stage::cookie_of(&browser);
    let other = stage
        .world
        .facts
        .accounts
        .iter()
        .find(|account| !account.is_provisional && !account.roles.iter().any(|role| role == ROLE))
        .expect("an account of another role")
        .clone();
    let answer = browser.sign_in(&stage.world.portal(), &other.full_login(), &other.password);
    assert_eq!(answer.status, 200, "{}", answer.everything());
    for version in VERSIONS {
        assert_challenged(
            "the first person's",
            &stage.send(version, b"GET", b"/a", &[(b"cookie", first.as_bytes())]),
        );
    }
    stage.assert_nothing_passed("the first person's session");
}

#[test]
fn b4_a_session_that_must_change_its_password_opens_nothing_else() {
    for version in VERSIONS {
        // A provisional password opens one session and no second one.
        let stage = Stage::set();
        let account = stage.world.facts.provisional().clone();
        let portal = stage.world.portal();
        let mut visitor = Visitor::at(&stage.door()).speaking(version);
        let answer = visitor.sign_in(&portal, &account.full_login(), &account.password);
        let all = answer.everything();
        assert_eq!(answer.status, 200, "{all}");
        assert_eq!(answer.json()["status"], "password_change_required", "{all}");
        let hop = visitor.visit(&stage.world.url(HOST, "/a"));
        assert!(
            visitor.cookie(HOST, SESSION_COOKIE).is_none(),
            "a pending session reached {}",
            hop.url
        );
        let page = visitor.get(&format!("https://{portal}/.octroi/account"));
        assert_eq!(
            (page.status, page.first("location")),
            (303, Some("/.octroi/account/password")),
            "{}",
            page.everything()
        );
        let session = visitor.get(&format!("https://{portal}/.octroi/session"));
        assert_eq!(
            (session.status, &session.json()["status"]),
            (200, &json!("password_change_required")),
            "{}",
            session.everything()
        );
        // The token itself opens no host either.
        let token = visitor.cookie(&stage.world.facts.portal, SESSION_COOKIE);
        let cookie = format!("{SESSION_COOKIE}={}", token.expect("a session"));
        let fields: [(&[u8], &[u8]); 1] = [(b"cookie", cookie.as_bytes())];
        let answer = stage.send(version, b"GET", b"/a", &fields);
        assert_challenged("a pending session's token", &answer);
        stage.assert_nothing_passed("a pending session");
    }
}

#[test]
fn b5_odd_submissions_never_sign_anyone_in() {
    let stage = Stage::set();
    let account = stage.world.facts.with_role(ROLE).clone();
    let (login, password) = (account.full_login(), account.password);
    let url = format!("https://{}/.octroi/api/v1/login", stage.world.portal());
    let malformed = [
        json!(null),
        json!([]),
        json!({}),
        json!("x"),
        json!({ "login": login }),
        json!({ "password": password }),
        json!({ "login": login, "password": null }),
        json!({ "login": login, "password": [password] }),
        json!({ "login": [login], "password": password }),
        json!({ "login": login, "password": { "$ne": "" } }),
        json!({ "login": login, "password": password, "computer": "none" }),
        json!({ "login": login, "password": true, "status": "signed_in" }),
        json!({ "login": login, "password": password, "status": "signed_in" }),
    ];
    let wrong = [
        json!({ "login": login, "password": "" }),
        json!({ "login": "", "password": password }),
        json!({ "login": login, "password": format!("{password} ") }),
        json!({ "login": format!("{login}\u{0}"), "password": password }),
        json!({ "login": login, "password": password.get(..password.len() - 1) }),
    ];
    let malformed = malformed.iter().map(|body| (body, (400, "malformed_body")));
    let wrong = wrong
        .iter()
        .map(|body| (body, (401, "invalid_credentials")));
    let odd: Vec<_> = malformed.chain(wrong).collect();
    for version in VERSIONS {
        for (body, (status, reason)) in &odd {
            let mut visitor = Visitor::at(&stage.door()).speaking(version);
            let answer = visitor.post_json(&url, body);
            let all = answer.everything();
            assert_eq!(
                (answer.status, &answer.json()["error"]),
                (*status, &json!(reason)),
                "{version:?} {body}: {all}"
            );
            assert_eq!(answer.first("set-cookie"), None, "{body}: {all}");
        }
        let mut visitor = Visitor::at(&stage.door()).speaking(version);
        let form = [("Content-Type".to_owned(), "text/plain".to_owned())];
        let body = json!({ "login": login, "password": password }).to_string();
        let answer = visitor.ask("POST", &url, &form, body.as_bytes()).response();
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (415, &json!("json_wanted")),
            "only application/json: {}",
            answer.everything()
        );
    }
}

#[test]
fn b8_a_lock_ends_every_session_of_the_account_at_once() {
    let stage = Stage::set();
    let account = stage.world.facts.with_role(ROLE).clone();
    let live: Vec<(Version, String)> = VERSIONS
        .into_iter()
        .map(|version| (version, Stage::cookie_of(&stage.insider_over(version))))
        .collect();
    let ask = |version, cookie: &str| {
        stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())])
    };
    for (version, cookie) in &live {
        assert_passed("before", &ask(*version, cookie));
    }
    let output = stage.world.run(&["user", "lock", &account.full_login()]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (_, dead) in &live {
        for version in VERSIONS {
            let gone = wait_for(REVOCATION, || {
                ask(version, dead).is_challenge().then_some(())
            });
            assert!(
                gone.is_some(),
                "a locked account still reaches the upstream"
            );
        }
    }
    for version in VERSIONS {
        let mut again = Visitor::at(&stage.door()).speaking(version);
        let (login, password) = (account.full_login(), &account.password);
        let answer = again.sign_in(&stage.world.portal(), &login, password);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (401, Some("invalid_credentials")),
            "{}",
            answer.everything()
        );
    }
}

#[test]
fn b10_a_token_of_one_purpose_is_refused_for_every_other() {
    let stage = Stage::set();
    let mut stranger = Visitor::at(&stage.door());
    stranger.get(&format!(
        "https://{}/.octroi/login?return_to=/a",
        stage.world.authority(HOST)
    ));
    let visitor = stage.insider();
    let enter: Vec<_> = stranger
        .cookies
        .iter()
        .filter(|cookie| cookie.name.starts_with("__Host-octroi-enter-"))
        .cloned()
        .collect();
    assert_eq!(enter.len(), 1, "a hand-over began");
    let portal_token = visitor
        .cookie(&stage.world.facts.portal, SESSION_COOKIE)
        .expect("a session")
        .to_owned();
    stage.closed.forget();
    for version in VERSIONS {
        for value in [enter[0].value.as_str(), portal_token.as_str()] {
            let cookie = format!("{SESSION_COOKIE}={value}");
            let answer = stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())]);
            assert!(answer.is_refusal(), "{version:?}: {answer:?}");
        }
    }
    stage.assert_nothing_passed("a token of another purpose");
}

/// B10 for tickets: everything else about the hand-over is right, the browser's own number and cookie included.
#[test]
fn b10_a_ticket_is_no_other_token_and_no_other_token_a_ticket() {
    let stage = Stage::set();
    let invited = stage.world.run_json(&["user", "invite", "acme/zoe"]);
    let link = invited["link"].as_str().expect("a link").to_owned();
    let (_, invitation) = link.split_once("token=").expect("a token");
    for version in VERSIONS {
        let mut visitor = stage.insider_over(version);
        let portal = stage.world.facts.portal.clone();
        let session = |host: &str| {
            let token = visitor.cookie(host, SESSION_COOKIE);
            token.expect("a session").to_owned()
        };
        let (of_portal, of_host) = (session(&portal), session(HOST));
        let page = visitor.visit(&format!(
            "https://{}/.octroi/account/password",
            stage.world.portal()
        ));
        let form = Form::on(&page, "/.octroi/account/password");
        let field = form.fields.iter().find(|(name, _)| name == "form");
        let of_form = field.expect("a form's token").1.clone();
        let entrance = up_to_ticket(&mut visitor, &stage.world.url(PAYROLL, "/a"));
        let (start, ticket) = entrance.split_once("ticket=").expect("a ticket");
        let passage = visitor.cookies.iter().find(|cookie| cookie.host == PAYROLL);
        let of_passage = passage.expect("a hand-over's cookie").value.clone();
        let others = [&of_portal, &of_host, &of_form, &of_passage, invitation];
        for other in others {
            assert_ne!(other, ticket, "tokens are drawn, each for itself");
            let mut copy = visitor.clone();
            let answer = copy.get(&format!("{start}ticket={other}"));
            let all = answer.everything();
            assert_eq!(answer.status, 410, "{version:?}: {all}");
            assert_eq!(copy.cookie(PAYROLL, SESSION_COOKIE), None, "{all}");
        }
        // Nor is the ticket a session or an invitation.
        let cookie = format!("{SESSION_COOKIE}={ticket}");
        let fields: [(&[u8], &[u8]); 1] = [(b"cookie", cookie.as_bytes())];
        let answer = stage.send_to(version, PAYROLL, b"GET", b"/a", &fields);
        assert_challenged("a ticket as a session", &answer);
        let answer = visitor.get(&link.replace(invitation, ticket));
        assert_eq!(answer.status, 410, "{}", answer.everything());
        stage.assert_nothing_passed("a token of another purpose");
        // The control: with its own ticket the same browser comes in, after all of that.
        visitor.get(&entrance);
        assert!(
            visitor.cookie(PAYROLL, SESSION_COOKIE).is_some(),
            "{version:?}"
        );
    }
}

/// Follows redirects up to the address that would spend the ticket, without asking for it.
fn up_to_ticket(visitor: &mut Visitor, from: &str) -> String {
    let mut url = from.to_owned();
    for _ in 0..6 {
        let response = visitor.get(&url);
        url = redirect(&url, &response).unwrap_or_else(|| panic!("{}", response.everything()));
        if url.contains("/.octroi/enter?") {
            return url;
        }
    }
    panic!("no ticket on the way from {from}");
}

/// B11: under parallel load, each of two people is always themselves.
#[test]
fn b11_two_people_are_never_mixed_up_under_load() {
    let stage = Stage::set();
    let first = stage.insider();
    let second_account = stage
        .world
        .facts
        .accounts
        .iter()
        .find(|account| {
            !account.is_provisional
                && account.full_login() != stage.world.facts.with_role(ROLE).full_login()
        })
        .expect("another account")
        .clone();
    let mut second = Visitor::at(&stage.door());
    second.sign_in(
        &stage.world.portal(),
        &second_account.full_login(),
        &second_account.password,
    );
    second.follow(&stage.world.url(HOST, "/a"));
    stage.closed.forget();
    let cookies = [
        ("first", Stage::cookie_of(&first)),
        ("second", Stage::cookie_of(&second)),
    ];
    let doors = [stage.door(), stage.door()];
    thread::scope(|scope| {
        for ((who, cookie), door) in cookies.iter().zip(&doors) {
            scope.spawn(move || ask_a_hundred_times(door, who, cookie));
        }
    });
    let users = |target: &str| {
        let mut users: Vec<String> = stage
            .closed
            .seen()
            .iter()
            .filter(|seen| seen.target == target)
            .filter_map(|seen| seen.only("remote-user").map(str::to_owned))
            .collect();
        assert_eq!(users.len(), 100, "{target}");
        users.dedup();
        users
    };
    let (one, two) = (users("/first"), users("/second"));
    assert_eq!((one.len(), two.len()), (1, 1), "{one:?} {two:?}");
    assert_ne!(one, two);
}

/// B12: a decision is never remembered across a change of the rules.
#[test]
fn b12_a_reload_that_closes_a_route_closes_it_for_live_sessions() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    let ask = |version| stage.send(version, b"GET", b"/a", &[(b"cookie", cookie.as_bytes())]);
    for version in VERSIONS {
        assert_passed("before", &ask(version));
    }
    let config = std::fs::read_to_string(stage.world.config()).expect("the configuration");
    let closed = config.replace(
        "allow = \"everyone\"",
        "allow = { roles = [\"nobody-has-this\"] }",
    );
    assert_ne!(config, closed);
    std::fs::write(stage.world.config(), closed).expect("the configuration");
    stage.world.gateway.signal("HUP");
    for version in VERSIONS {
        let refused = wait_for(std::time::Duration::from_secs(5), || {
            (ask(version).status() != 200).then_some(())
        });
        assert!(refused.is_some(), "{version:?}: the old rule still counts");
        crate::stage::assert_refused("the closed route", &ask(version), 403, "not_allowed");
    }
}

fn ask_a_hundred_times(door: &Door, who: &str, cookie: &str) {
    let url = format!("https://{HOST}:{}/{who}", door.address.port());
    let fields = [("Cookie".to_owned(), cookie.to_owned())];
    for turn in 0..100 {
        let version = VERSIONS[turn % 2];
        let answer = Visitor::at(door)
            .speaking(version)
            .ask("GET", &url, &fields, b"");
        assert_eq!(answer.status(), 200, "{who}: {answer:?}");
    }
}

fn plant(visitor: &mut Visitor, host: &str, value: &str) {
    visitor
        .cookies
        .push(octroi_integration_tests::visitor::Cookie {
            host: host.to_owned(),
            name: SESSION_COOKIE.to_owned(),
            value: value.to_owned(),
            line: String::new(),
        });
}
