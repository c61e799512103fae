//! C5, below the calls that identity makes: what the embedded store does for each kind of account.

use std::net::{IpAddr, Ipv6Addr};

use super::alike::{FAILURES, Full, everybody, with};
use crate::{
    identity::{
        password_hash::HashCost,
        sign_in::SignInOutcome,
        testing::{World, attempt, client_at},
    },
    journal::FAILURES_PER_MINUTE_MAX,
    keyring::sealing,
    store::sqlite::statements,
};

/// Every kind of account whose sign-in fails, with the others that have no account at all.
fn failures() -> impl Iterator<Item = (&'static str, &'static str)> {
    let more = [
        ("acme/provisional", "wrong"),
        ("globex/marie", "wrong"),
        ("nowhere/marie", "wrong"),
    ];
    FAILURES.into_iter().chain(more)
}

async fn world(directory: &tempfile::TempDir) -> World {
    let world = World::embedded(directory.path().join("data")).await;
    everybody(&world).await;
    world.provisional("acme", "provisional").await;
    // The first line of a month about nobody makes the key of the month, once.
    world.try_in("nobody-before", "wrong").await;
    world
}

/// What a failed attempt from this address runs, and how often it decrypts.
async fn work(
    world: &World,
    address: impl Into<IpAddr>,
    login: &str,
    password: &str,
) -> (Vec<&'static str>, u32) {
    statements::counting::take();
    sealing::counting::take();
    let client = client_at(address.into());
    let outcome = world.try_from_place(&client, login, password).await;
    let is_refused = matches!(outcome, SignInOutcome::InvalidCredentials);
    assert!(is_refused, "{login}");
    (statements::counting::take(), sealing::counting::take())
}

#[tokio::test]
async fn c5_every_failure_runs_the_same_statements_and_decrypts_as_often() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(&directory).await;
    let expected = work(&world, [192, 0, 2, 100], "nobody", "wrong").await;
    let (run, opened) = &expected;
    assert!(run.iter().any(|sql| sql.starts_with("INSERT INTO journal")));
    assert!(*opened >= 3, "key, login and profile: {opened}");
    for (number, (login, password)) in (101..).zip(failures()) {
        let done = work(&world, [192, 0, 2, number], login, password).await;
        assert_eq!(done, expected, "{login}");
    }
}

/// IPv6 has one counter more.
#[tokio::test]
async fn c5_every_failure_from_ipv6_runs_the_same_statements_and_decrypts_as_often() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(&directory).await;
    let address = |number| Ipv6Addr::from([0x2001, 0xdb8, number, 0, 0, 0, 0, 1]);
    let from_ipv4 = work(&world, [192, 0, 2, 100], "nobody", "wrong").await;
    let expected = work(&world, address(100), "nobody", "wrong").await;
    assert_eq!(expected.0.len(), from_ipv4.0.len() + 2, "read and written");
    for (number, (login, password)) in (101..).zip(failures()) {
        let done = work(&world, address(number), login, password).await;
        assert_eq!(done, expected, "{login}");
    }
}

/// The first failures of a minute from one address have a line each: whichever kind used them up,
/// the next one of any kind is counted alike.
#[tokio::test]
async fn c5_failures_that_are_counted_cost_the_same_whatever_used_up_the_lines() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(&directory).await;
    let address = [198, 51, 100, 1];
    for number in 0..FAILURES_PER_MINUTE_MAX {
        let login = format!("nobody-{number}");
        let (run, _) = work(&world, address, &login, "wrong").await;
        assert!(run.iter().any(|sql| sql.starts_with("INSERT INTO journal")));
    }
    let expected = work(&world, address, "nobody", "wrong").await;
    let (run, _) = &expected;
    assert!(!run.iter().any(|sql| sql.starts_with("INSERT INTO journal")));
    for (login, password) in failures() {
        let done = work(&world, address, login, password).await;
        assert_eq!(done, expected, "{login}");
    }
}

#[tokio::test]
async fn c5_who_has_to_wait_or_to_come_back_runs_the_same_statements_whoever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(&directory).await;
    let mut waits = Vec::new();
    for (number, (login, password)) in (1..).zip(failures()) {
        let address = [203, 0, 113, number];
        for _ in 0..5 {
            work(&world, address, login, password).await;
        }
        statements::counting::take();
        let client = client_at(IpAddr::from(address));
        let outcome = world.try_from_place(&client, login, password).await;
        let is_slowed = matches!(outcome, SignInOutcome::TooManyAttempts { .. });
        assert!(is_slowed, "{login}");
        waits.push(statements::counting::take());
    }
    assert!(waits[0].len() > 3, "{:?}", waits[0]);
    assert!(waits.windows(2).all(|pair| pair[0] == pair[1]), "{waits:?}");

    let full = Full::hold(with(&world, HashCost::for_tests(64), 1)).await;
    let mut put_off = Vec::new();
    for (number, (login, password)) in (101..).zip(failures()) {
        let client = client_at(IpAddr::from([203, 0, 113, number]));
        statements::counting::take();
        let outcome = full.identity.sign_in(&client, attempt(login, password));
        let outcome = outcome.await.unwrap();
        assert!(matches!(outcome, SignInOutcome::Busy { .. }), "{login}");
        put_off.push(statements::counting::take());
    }
    full.release().await;
    assert!(put_off[0].len() > waits[0].len(), "{:?}", put_off[0]);
    let alike = put_off.windows(2).all(|pair| pair[0] == pair[1]);
    assert!(alike, "{put_off:?}");
}
