//! Attack class C5: whoever fails, fails alike: the same answer for the same work.

use std::{
    num::NonZeroUsize,
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::{sync::oneshot, task::JoinHandle};

use super::counting::Calls;
use crate::{
    entropy::SystemEntropy,
    identity::{
        Identity, IdentityParts,
        client::Operator,
        hashing_pool::{Arena, HashingCapacity},
        password_hash::HashCost,
        sign_in::SignInOutcome,
        testing::{PASSWORD, World, attempt, client, opened},
    },
};

/// Who tries, and with which password.
pub(super) const FAILURES: [(&str, &str); 9] = [
    ("nobody", "wrong"),
    ("marie", "wrong"),
    ("locked", PASSWORD),
    ("locked", "wrong"),
    ("erased", PASSWORD),
    ("awaiting", PASSWORD),
    ("expired", PASSWORD),
    ("spent", PASSWORD),
    ("marie", "not a password\0"),
];

pub(super) async fn everybody(world: &World) {
    let identity = &world.identity;
    world.provisional("acme", "expired").await;
    world.clock.advance(Duration::from_hours(24));
    world.ready("acme", "marie").await;
    let locked = world.ready("acme", "locked").await;
    identity
        .lock_account(Operator::System, locked)
        .await
        .unwrap();
    let erased = world.ready("acme", "erased").await;
    identity
        .delete_account(Operator::System, erased)
        .await
        .unwrap();
    world.account("acme", "awaiting").await;
    world.provisional("acme", "spent").await;
    opened(world.try_in("spent", PASSWORD).await);
}

#[tokio::test]
async fn c5_every_failure_costs_the_same_calls_and_the_same_hash() {
    let calls = Calls::default();
    let world = World::over(|stores| calls.wrap(stores)).await;
    everybody(&world).await;
    for (login, password) in FAILURES {
        calls.take();
        let before = world.identity.hashing_load().kib_passes();
        let outcome = world.try_in(login, password).await;
        assert!(
            matches!(outcome, SignInOutcome::InvalidCredentials),
            "{login}"
        );
        let hashed = world.identity.hashing_load().kib_passes() - before;
        assert_eq!(hashed, 64, "{login}: one hash at today's parameters");
        let expected = [
            "tenants.by_name",
            "accounts.by_login",
            "throttle.reserve",
            "journal.append_failure",
        ];
        assert_eq!(calls.take(), expected, "{login}");
    }
}

#[tokio::test]
async fn c5_every_account_is_slowed_down_alike() {
    let calls = Calls::default();
    let world = World::over(|stores| calls.wrap(stores)).await;
    everybody(&world).await;
    let mut ends = Vec::new();
    for login in [
        "nobody", "marie", "locked", "erased", "awaiting", "expired", "spent",
    ] {
        let mut looked_at = 0;
        let retry_at = loop {
            match world.try_in(login, "wrong").await {
                SignInOutcome::InvalidCredentials => looked_at += 1,
                SignInOutcome::TooManyAttempts { retry_at } => break retry_at,
                SignInOutcome::SignedIn(_)
                | SignInOutcome::PasswordChangeRequired(..)
                | SignInOutcome::Busy { .. } => panic!("{login}: neither refused nor slowed down"),
            }
        };
        calls.take();
        let before = world.identity.hashing_load().kib_passes();
        assert!(matches!(
            world.try_in(login, "wrong").await,
            SignInOutcome::TooManyAttempts { .. }
        ));
        assert_eq!(
            world.identity.hashing_load().kib_passes(),
            before,
            "{login}"
        );
        ends.push((looked_at, retry_at, calls.take()));
    }
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");
}

#[tokio::test]
async fn c5_an_older_hash_costs_as_much_as_nobody_after_a_rise_of_parameters() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let raised = risen(&world, 128);
    for (login, password) in [("marie", "wrong"), ("nobody", "wrong")] {
        let before = raised.hashing_load().kib_passes();
        let outcome = raised
            .sign_in(&client(), attempt(login, password))
            .await
            .unwrap();
        assert!(matches!(outcome, SignInOutcome::InvalidCredentials));
        assert_eq!(raised.hashing_load().kib_passes() - before, 128, "{login}");
    }
}

#[tokio::test]
async fn a_hash_is_made_anew_at_the_first_sign_in_after_a_rise_of_parameters() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let raised = risen(&world, 128);
    let phc = async || {
        let account = world.stores.accounts.by_id(account).await.unwrap().unwrap();
        account.password.unwrap().hash.expose_phc().to_owned()
    };
    assert!(phc().await.contains("$m=64,"));
    opened(
        raised
            .sign_in(&client(), attempt("marie", PASSWORD))
            .await
            .unwrap(),
    );
    assert!(phc().await.contains("$m=128,"));
    let before = raised.hashing_load().kib_passes();
    opened(
        raised
            .sign_in(&client(), attempt("marie", PASSWORD))
            .await
            .unwrap(),
    );
    assert_eq!(
        raised.hashing_load().kib_passes() - before,
        128,
        "and once only"
    );
}

#[tokio::test]
async fn c5_with_the_queue_full_everybody_is_told_to_come_back_and_nobody_is_counted() {
    let calls = Calls::default();
    let world = World::over(|stores| calls.wrap(stores)).await;
    everybody(&world).await;
    let full = Full::hold(with(&world, HashCost::for_tests(64), 1)).await;
    for (login, password) in FAILURES.into_iter().chain([("marie", PASSWORD)]) {
        calls.take();
        let outcome = full
            .identity
            .sign_in(&client(), attempt(login, password))
            .await
            .unwrap();
        assert!(
            matches!(
                outcome,
                SignInOutcome::Busy {
                    retry_after_seconds: 2
                }
            ),
            "{login}"
        );
        let expected = [
            "tenants.by_name",
            "accounts.by_login",
            "throttle.reserve",
            "throttle.give_back",
            "journal.append_failure",
        ];
        assert_eq!(calls.take(), expected, "{login}");
    }
    let refused = full.identity.hashing_load().refused();
    full.release().await;
    assert_eq!(refused, 10);
    opened(world.try_in("marie", PASSWORD).await);
}

/// Identity whose one hashing thread is held and whose one waiting place is taken.
pub(super) struct Full {
    pub(super) identity: Identity,
    release: mpsc::Sender<()>,
    running: Vec<JoinHandle<()>>,
}

impl Full {
    pub(super) async fn hold(identity: Identity) -> Self {
        let (release, held) = mpsc::channel();
        let (started, starts) = oneshot::channel();
        let occupying = identity.clone();
        let occupied = tokio::spawn(async move {
            let pool = &occupying.0.hasher.pool;
            let hold = move |_: &mut Arena| {
                let _ = started.send(());
                let _ = held.recv();
            };
            pool.run(None, hold).await.unwrap();
        });
        starts.await.unwrap();
        let waits = identity.clone();
        let waiting =
            tokio::spawn(async move { waits.0.hasher.pool.run(None, |_| ()).await.unwrap() });
        while identity.hashing_load().waiting() == 0 {
            tokio::task::yield_now().await;
        }
        Self {
            identity,
            release,
            running: vec![occupied, waiting],
        }
    }

    pub(super) async fn release(self) {
        self.release.send(()).unwrap();
        for running in self.running {
            running.await.unwrap();
        }
    }
}

/// Identity over the same world, after its parameters were raised.
fn risen(world: &World, memory_kib: u32) -> Identity {
    with(world, HashCost::for_tests(memory_kib), 16)
}

pub(super) fn with(world: &World, cost: HashCost, waiting_max: usize) -> Identity {
    Identity::start(IdentityParts {
        stores: world.stores.clone(),
        clock: Arc::new(world.clock.clone()),
        entropy: Arc::new(SystemEntropy),
        settings: Arc::clone(&world.settings),
        keyring: Arc::clone(&world.keyring),
        hashing: HashingCapacity {
            threads: NonZeroUsize::MIN,
            waiting_max,
        },
        cost,
        ender: world.ended.clone(),
    })
    .unwrap()
}
