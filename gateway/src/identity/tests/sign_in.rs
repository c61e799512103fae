//! Signing in.

use std::{net::Ipv4Addr, time::Duration};

use octroi_policy::{
    session::{Computer, Rejection, SessionRecord},
    sign_in::PENDING_LIFE,
    throttle::{ATTEMPTS_MAX, wait_after},
    time::Timestamp,
};

use crate::identity::{
    client::Operator,
    sessions::Presence,
    sign_in::{ChangeReason, SignInAttempt, SignInOutcome},
    testing::{
        PASSWORD, START, World, attempt, client, client_at, host, in_parallel, opened, portal, role,
    },
};

#[tokio::test]
async fn the_right_password_opens_a_session_of_24_hours_on_the_portal_alone() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let session = opened(world.try_in("marie", PASSWORD).await);
    assert_eq!(session.ends_at, START.after(Duration::from_hours(24)));
    assert_eq!(session.refused_attempts, 0);
    let signed_in = world.full(&session.token).await;
    let SessionRecord {
        tenant,
        roles,
        idle_limit,
        started_at,
        ..
    } = signed_in.record().clone();
    assert_eq!(signed_in.account(), account);
    assert_eq!((tenant.as_str(), &*roles), ("acme", &[role("rh")][..]));
    assert_eq!((idle_limit, started_at), (Duration::from_hours(8), START));
    let elsewhere = world
        .identity
        .presence(Some(&session.token), &host("paie.exemple.fr"))
        .await;
    assert!(matches!(
        elsewhere.unwrap(),
        Presence::Rejected(Rejection::WrongHost)
    ));
}

#[tokio::test]
async fn a_shared_computer_gets_15_minutes_without_use() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let attempt = SignInAttempt {
        computer: Computer::Public,
        ..attempt("marie", PASSWORD)
    };
    let session = opened(world.identity.sign_in(&client(), attempt).await.unwrap());
    world
        .clock
        .advance(Duration::from_mins(15) - Duration::from_millis(1));
    world.full(&session.token).await;
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.rejection(&session.token).await, Rejection::Idle);
}

#[tokio::test]
async fn a_login_means_the_tenant_that_is_named_or_asked_for_or_the_default_one() {
    let world = World::new().await;
    let acme = world.ready("acme", "marie").await;
    let globex = world.ready("globex", "marie").await;
    let of = |attempt: SignInAttempt| async {
        let session = opened(world.identity.sign_in(&client(), attempt).await.unwrap());
        world.full(&session.token).await.account()
    };
    let bare = || attempt("MARIE ", PASSWORD);
    let asked = SignInAttempt {
        host_asked: Some(host("paie.globex.test")),
        ..bare()
    };
    let field = SignInAttempt {
        tenant: Some("Globex".to_owned()),
        ..bare()
    };
    assert_eq!(of(bare()).await, acme);
    assert_eq!(of(asked).await, globex);
    assert_eq!(of(field).await, globex);
    assert_eq!(of(attempt("globex/marie", PASSWORD)).await, globex);
    assert_eq!(of(attempt("Acme/Marie", PASSWORD)).await, acme);
}

#[tokio::test]
async fn tenants_are_never_searched_in_turn() {
    let world = World::new().await;
    world.ready("globex", "paul").await;
    let contradiction = SignInAttempt {
        tenant: Some("acme".to_owned()),
        ..attempt("globex/paul", PASSWORD)
    };
    for attempt in [
        attempt("paul", PASSWORD),
        attempt("nobody/paul", PASSWORD),
        contradiction,
    ] {
        let outcome = world.identity.sign_in(&client(), attempt).await.unwrap();
        assert!(matches!(outcome, SignInOutcome::InvalidCredentials));
    }
}

#[tokio::test]
async fn b3_signing_in_on_a_browser_with_a_session_ends_that_session() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    world.ready("acme", "paul").await;
    let (first, signed_in) = world.signed_in("marie").await;
    let mut second = attempt("paul", PASSWORD);
    second.replaces = crate::identity::secret::SessionToken::parse(first.expose().as_bytes())
        .map(std::sync::Arc::new);
    let second = opened(world.identity.sign_in(&client(), second).await.unwrap());
    assert!(matches!(
        world.presence(&first).await,
        Presence::Rejected(_)
    ));
    assert_ne!(
        world.full(&second.token).await.session(),
        signed_in.session()
    );
    assert!(
        world.ended.all().contains(&signed_in.session()),
        "what it had open ends too"
    );
}

#[tokio::test]
async fn b2_a_token_made_up_beforehand_is_nobody_s() {
    let world = World::new().await;
    let made_up = crate::identity::secret::SessionToken::parse(&[b'A'; 43]).unwrap();
    assert_eq!(world.rejection(&made_up).await, Rejection::Unknown);
    assert!(matches!(
        world.identity.presence(None, &portal()).await.unwrap(),
        Presence::NotPresented
    ));
}

#[tokio::test]
async fn b4_promise_a_provisional_password_opens_one_pending_session_once() {
    let world = World::new().await;
    world.provisional("acme", "marie").await;
    let outcome = world.try_in("marie", PASSWORD).await;
    let SignInOutcome::PasswordChangeRequired(session, ChangeReason::Provisional) = outcome else {
        panic!("a provisional password leads to a change");
    };
    assert_eq!(session.ends_at, START.after(PENDING_LIFE));
    world.pending(&session.token).await;
    assert!(matches!(
        world.try_in("marie", PASSWORD).await,
        SignInOutcome::InvalidCredentials
    ));
    world.clock.advance(PENDING_LIFE);
    assert_eq!(world.rejection(&session.token).await, Rejection::Expired);
}

#[tokio::test]
async fn b4_promise_a_provisional_password_works_for_24_hours() {
    for (later, works) in [
        (Duration::from_millis(86_399_999), true),
        (Duration::from_hours(24), false),
    ] {
        let world = World::new().await;
        world.provisional("acme", "marie").await;
        world.clock.advance(later);
        let outcome = world.try_in("marie", PASSWORD).await;
        assert_eq!(
            matches!(outcome, SignInOutcome::PasswordChangeRequired(..)),
            works,
            "{later:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b9_of_50_parallel_uses_of_a_provisional_password_one_wins() {
    let world = World::new().await;
    world.provisional("acme", "marie").await;
    let uses = (0..50).map(|number| {
        let identity = world.identity.clone();
        let place = client_at(Ipv4Addr::new(198, 51, 100, number).into());
        async move {
            identity
                .sign_in(&place, attempt("marie", PASSWORD))
                .await
                .unwrap()
        }
    });
    let outcomes = in_parallel(uses).await;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SignInOutcome::PasswordChangeRequired(..)));
    let lost = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SignInOutcome::InvalidCredentials));
    assert_eq!((won.count(), lost.count()), (1, 49));
}

#[tokio::test]
async fn five_failures_slow_account_and_source_down_and_nobody_else() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    for _ in 0..5 {
        assert!(matches!(
            world.try_in("marie", "wrong").await,
            SignInOutcome::InvalidCredentials
        ));
    }
    let SignInOutcome::TooManyAttempts { retry_at } = world.try_in("marie", PASSWORD).await else {
        panic!("the right password has to wait too");
    };
    assert!(retry_at.since(world.now()) > Duration::from_mins(1));
    let elsewhere = client_at(Ipv4Addr::new(203, 0, 113, 7).into());
    let owner = world.try_from_place(&elsewhere, "marie", PASSWORD).await;
    assert_eq!(opened(owner).refused_attempts, 5, "the owner is told");

    world.clock.set(retry_at.before(Duration::from_millis(1)));
    assert!(matches!(
        world.try_in("marie", PASSWORD).await,
        SignInOutcome::TooManyAttempts { .. }
    ));
    world.clock.set(retry_at);
    opened(world.try_in("marie", PASSWORD).await);
}

#[tokio::test]
async fn c1_every_way_to_type_a_login_shares_its_counter() {
    let world = World::new().await;
    world.ready("acme", "bob").await;
    for login in ["Bob", "BOB ", "ｂｏｂ", "acme/bob", "ACME/Bob"] {
        assert!(
            matches!(
                world.try_in(login, "wrong").await,
                SignInOutcome::InvalidCredentials
            ),
            "{login}"
        );
    }
    assert!(matches!(
        world.try_in("bob", PASSWORD).await,
        SignInOutcome::TooManyAttempts { .. }
    ));
}

#[tokio::test]
async fn the_26th_attempt_in_24_hours_is_refused_even_with_the_right_password() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let first_at = world.now();
    for failures in 1..=ATTEMPTS_MAX {
        let outcome = world.try_in("marie", "wrong").await;
        assert!(
            matches!(outcome, SignInOutcome::InvalidCredentials),
            "{failures}"
        );
        world.clock.advance(wait_after(failures));
    }
    assert!(world.now() < first_at.after(Duration::from_hours(24)));
    let SignInOutcome::TooManyAttempts { retry_at } = world.try_in("marie", PASSWORD).await else {
        panic!("25 attempts are enough");
    };
    assert_eq!(retry_at, first_at.after(Duration::from_hours(24)));
    world.clock.set(retry_at);
    opened(world.try_in("marie", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_parallel_wrong_guesses_are_fifty_failures() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let guesses = (0..50).map(|_| {
        let identity = world.identity.clone();
        async move {
            identity
                .sign_in(&client(), attempt("marie", "wrong"))
                .await
                .unwrap()
        }
    });
    let outcomes = in_parallel(guesses).await;
    let looked_at = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SignInOutcome::InvalidCredentials));
    assert_eq!(looked_at.count(), 5, "the rest has to wait");
}

#[tokio::test]
async fn b8_a_locked_account_signs_nobody_in() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    world
        .identity
        .lock_account(Operator::System, account)
        .await
        .unwrap();
    assert!(matches!(
        world.try_in("marie", PASSWORD).await,
        SignInOutcome::InvalidCredentials
    ));
    world
        .identity
        .unlock_account(Operator::System, account)
        .await
        .unwrap();
    opened(world.try_in("marie", PASSWORD).await);
}

#[tokio::test]
async fn a_password_is_the_same_in_both_forms_of_its_accents() {
    let world = World::new().await;
    let account = world.account("acme", "marie").await;
    let password = crate::identity::testing::typed("vélo citron été bleu");
    world
        .identity
        .reset_password(Operator::System, account, password)
        .await
        .unwrap();
    let decomposed = "ve\u{301}lo citron e\u{301}te\u{301}\u{a0}bleu";
    opened(world.try_in("marie", decomposed).await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_bring_a_dead_session_back() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    world.clock.advance(Duration::from_hours(7));
    world.identity.renew(&signed_in);
    world.clock.set(Timestamp::EPOCH);
    world.full(&token).await;
    world.clock.set(START.after(Duration::from_hours(24)));
    assert_eq!(world.rejection(&token).await, Rejection::Expired);
}
