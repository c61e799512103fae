//! Attempts at once, and attempts from many networks of one party.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use octroi_policy::throttle::{FREE_FAILURES, SOURCES_OF_A_NET};

use crate::{
    identity::{
        sign_in::SignInOutcome,
        testing::{PASSWORD, World, attempt, client, client_at, in_parallel, opened},
    },
    store::throttle::ThrottleKey,
};

/// The jobs of a service account begin on the hour; the failures before are somebody's mistypes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_passwords_at_once_do_not_shut_each_other_out() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    for failures in 0..=FREE_FAILURES {
        for _ in 0..failures {
            world.try_in("marie", "wrong").await;
        }
        for outcome in at_once(&world, 30, |_| PASSWORD).await {
            opened(outcome);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_passwords_among_wrong_ones_buy_no_guess_beyond_the_budget() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let mixed = |number: usize| if number == 0 { PASSWORD } else { "wrong" };
    let outcomes = at_once(&world, 40, mixed).await;
    let signed_in = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SignInOutcome::SignedIn(_)))
        .count();
    let judged_wrong = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SignInOutcome::InvalidCredentials))
        .count();
    // What was counted before the success is forgiven with it, as one after the other.
    let budget = usize::try_from(FREE_FAILURES + 1).unwrap();
    assert!(
        judged_wrong <= budget * (1 + signed_in),
        "{judged_wrong} {signed_in}"
    );
    assert!(judged_wrong >= budget);
}

/// What comes of so many attempts of one source at one account.
async fn at_once(
    world: &World,
    count: usize,
    password: impl Fn(usize) -> &'static str,
) -> Vec<SignInOutcome> {
    let attempts = (0..count).map(|number| {
        let (identity, password) = (world.identity.clone(), password(number));
        async move {
            let attempt = attempt("marie", password);
            identity.sign_in(&client(), attempt).await.unwrap()
        }
    });
    in_parallel(attempts).await
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_turn_does_not_come_is_put_off_and_not_counted() {
    let world = World::new().await;
    let services = &world.identity.0;
    let counters = services.counters(Some(&"acme".parse().unwrap()), "marie", client().address);
    let key: ThrottleKey = counters.of_source();
    let before = services.own_turn(counters).await;
    let outcome = world.try_in("marie", "wrong").await;
    assert!(
        matches!(
            outcome,
            SignInOutcome::Busy {
                retry_after_seconds: 2
            }
        ),
        "after some seconds"
    );
    let waiting: Vec<_> = (0..64)
        .map(|_| {
            let identity = world.identity.clone();
            tokio::spawn(
                async move { identity.sign_in(&client(), attempt("marie", "wrong")).await },
            )
        })
        .collect();
    while services.one_at_a_time.0.asked(key) < 65 {
        tokio::task::yield_now().await;
    }
    let patience = Duration::from_millis(1);
    let beyond = tokio::time::timeout(patience, world.try_in("marie", "wrong")).await;
    assert!(matches!(beyond, Ok(SignInOutcome::Busy { .. })), "at once");
    // Another source and another account have their own turns.
    let elsewhere = client_at([192, 0, 2, 2].into());
    let outcome = world.try_from_place(&elsewhere, "marie", "wrong").await;
    assert!(matches!(outcome, SignInOutcome::InvalidCredentials));
    let outcome = world.try_in("paul", "wrong").await;
    assert!(matches!(outcome, SignInOutcome::InvalidCredentials));
    drop(before);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

fn subscriber(net: u16, number: u16) -> IpAddr {
    Ipv6Addr::from([0x2001, 0xdb8, net, number, 0, 0, 0, 1]).into()
}

#[tokio::test]
async fn the_networks_of_one_party_have_sixteen_budgets_together_and_no_more() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    // Known or not, all are counted alike.
    for login in ["marie", "nobody"] {
        let mut judged = 0;
        for number in 0..120 {
            let client = client_at(subscriber(1, number / 2));
            let outcome = world.try_from_place(&client, login, "wrong").await;
            judged += u32::from(matches!(outcome, SignInOutcome::InvalidCredentials));
        }
        assert_eq!(judged, (FREE_FAILURES + 1) * SOURCES_OF_A_NET, "{login}");
    }
    let again = client_at(subscriber(1, 999));
    let outcome = world.try_from_place(&again, "marie", PASSWORD).await;
    let SignInOutcome::TooManyAttempts { retry_at } = outcome else {
        panic!("a new network of the same party has to wait");
    };
    for elsewhere in [subscriber(2, 1), [192, 0, 2, 9].into()] {
        let client = client_at(elsewhere);
        opened(world.try_from_place(&client, "marie", PASSWORD).await);
    }
    world.clock.set(retry_at);
    opened(world.try_from_place(&again, "marie", PASSWORD).await);
    // The success forgave the net too.
    let client = client_at(subscriber(1, 1000));
    let outcome = world.try_from_place(&client, "marie", "wrong").await;
    assert!(matches!(outcome, SignInOutcome::InvalidCredentials));
}

#[tokio::test]
async fn what_one_network_is_refused_takes_nothing_from_the_others_of_its_party() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let loud = client_at(subscriber(1, 1));
    for _ in 0..200 {
        world.try_from_place(&loud, "marie", "wrong").await;
    }
    let quiet = client_at(subscriber(1, 2));
    opened(world.try_from_place(&quiet, "marie", PASSWORD).await);
}
