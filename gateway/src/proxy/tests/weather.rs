//! The whole request path over a store that is slow, fails, or has nothing in memory.

use std::time::Duration;

use octroi_policy::{
    assurance::Assurance,
    id::{AccountId, SessionId, TenantId},
    session::{Computer, SessionEpoch, SessionRecord, Stage, TokenFacts},
};

use super::{
    World,
    world::{NOW, fields},
};
use crate::{
    entropy::{SystemEntropy, random},
    identity::secret::SessionToken,
    store::{
        accounts::{NewAccount, Profile},
        adversarial::Weather,
        sessions::{NewToken, PasswordEffect, SessionOpening, SessionOrigin, TokenHash},
        tenants::Tenant,
    },
};

/// What the client is told, by status and the problem's id, if it is one.
fn told(answer: &str) -> (String, String) {
    let status = answer.split(' ').nth(1).unwrap_or("none").to_owned();
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let error = problem["error"].as_str().unwrap_or_default().to_owned();
    (status, error)
}

/// Puts marie into the store, and signs her in on the host of the service; her cookie.
async fn marie(world: &World) -> String {
    let tenant = Tenant {
        id: TenantId::from_random([3; 16]),
        name: "acme".parse().unwrap(),
        display_name: "Acme SARL".into(),
        created_at: NOW,
    };
    let account = AccountId::from_random([2; 16]);
    let stores = &world.stores;
    let inserted = stores.tenants.insert(tenant.clone(), Vec::new()).await;
    inserted.unwrap();
    let new = NewAccount {
        id: account,
        tenant: tenant.id,
        login: "marie".into(),
        profile: Profile {
            name: None,
            email: None,
            language: None,
        },
        roles: Box::new(["rh".parse().unwrap()]),
        password: None,
        created_at: NOW,
    };
    stores.accounts.insert(new, Vec::new()).await.unwrap();
    let kept = stores.accounts.by_id(account).await.unwrap().unwrap();
    let token = SessionToken::draw(&SystemEntropy).unwrap();
    let opening = SessionOpening {
        record: SessionRecord {
            id: SessionId::from_random(random(&SystemEntropy).unwrap()),
            account,
            tenant_id: tenant.id,
            tenant: tenant.name,
            roles: (&*kept.roles).into(),
            grants: kept.grants.clone(),
            epoch: SessionEpoch(kept.epoch.0),
            stage: Stage::Full,
            computer: Computer::Private,
            started_at: NOW,
            authenticated_at: NOW,
            ends_at: NOW.after(Duration::from_hours(24)),
            idle_limit: Duration::from_hours(1),
        },
        token: NewToken {
            hash: TokenHash(token.digest()),
            facts: TokenFacts {
                host: "paie.example.com".parse().unwrap(),
                assurance: Assurance::Password,
                issued_at: NOW,
            },
        },
        origin: SessionOrigin {
            address: None,
            browser: None,
        },
        replaces: None,
        password: PasswordEffect::Keep,
        forgives: Vec::new(),
        journal: Vec::new(),
    };
    stores.sessions.open(opening).await.unwrap();
    format!("__Host-octroi={}", *token.expose())
}

fn get(path: &str, cookie: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\n\
         Cookie: {cookie}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_slow_store_that_has_nothing_in_memory_is_asked_each_time_and_answers() {
    let weather = Weather::default();
    let world = World::in_weather(weather.clone()).await;
    let cookie = marie(&world).await;
    weather.forget_all(true);
    weather.set_delay(Duration::from_millis(20));
    for path in ["/", "/named", "/"] {
        let answer = world.send(get(path, &cookie)).await;
        assert_eq!(told(&answer).0, "200", "{path}: {answer}");
    }
    let seen = world.seen.all();
    assert_eq!(seen.len(), 3);
    assert_eq!(fields(&seen[1], "X-Employee"), ["marie"]);
    let unknown = format!("__Host-octroi={}", "A".repeat(43));
    let answer = world.send(get("/", &unknown)).await;
    let expected = ("401".to_owned(), "session_unknown".to_owned());
    assert_eq!(told(&answer), expected);
    assert_eq!(world.seen.all().len(), 3);
}

#[tokio::test]
async fn invariant_2_a_store_that_fails_closes_every_door_and_says_503() {
    let weather = Weather::default();
    let world = World::in_weather(weather.clone()).await;
    let cookie = marie(&world).await;
    weather.forget_all(true);
    weather.fail(true);
    let unavailable = ("503".to_owned(), "store_unavailable".to_owned());
    for path in ["/", "/named", "/polled", "/webhooks/a"] {
        let answer = world.send(get(path, &cookie)).await;
        assert_eq!(told(&answer), unavailable, "{path}: {answer}");
    }
    assert_eq!(world.seen.all(), Vec::<String>::new());
    weather.fail(false);
    assert_eq!(told(&world.send(get("/", &cookie)).await).0, "200");
}

#[tokio::test]
async fn a_person_whose_name_cannot_be_read_reaches_only_services_that_are_not_told_it() {
    let weather = Weather::default();
    let world = World::in_weather(weather.clone()).await;
    let cookie = marie(&world).await;
    weather.fail(true);
    let answer = world.send(get("/named", &cookie)).await;
    let unavailable = ("503".to_owned(), "store_unavailable".to_owned());
    assert_eq!(told(&answer), unavailable, "{answer}");
    assert_eq!(world.seen.all(), Vec::<String>::new());
    // Her session is in memory, and this service is told no more than that holds.
    assert_eq!(told(&world.send(get("/", &cookie)).await).0, "200");
}

#[tokio::test]
async fn a_store_that_cannot_write_lets_those_go_on_who_are_signed_in() {
    let weather = Weather::default();
    let world = World::in_weather(weather.clone()).await;
    let cookie = marie(&world).await;
    weather.fail_writes(true);
    assert_eq!(told(&world.send(get("/named", &cookie)).await).0, "200");
}
