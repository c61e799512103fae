//! Changing a password.

use std::time::Duration;

use octroi_policy::password::verdict::Reason;

use crate::identity::{
    client::Operator,
    passwords::PasswordChange,
    sessions::{Presence, SignedIn},
    sign_in::{NewSession, SignInOutcome},
    testing::{OTHER_PASSWORD, PASSWORD, START, World, client, opened, typed},
};

async fn change(world: &World, signed_in: &SignedIn, current: &str, new: &str) -> PasswordChange {
    let (current, new) = (typed(current), typed(new));
    let changing = world
        .identity
        .change_password(&client(), signed_in, current, new)
        .await;
    changing.unwrap()
}

fn changed(outcome: PasswordChange) -> NewSession {
    match outcome {
        PasswordChange::Changed(session) => session,
        PasswordChange::NotAcceptable(verdict) => panic!("refused: {verdict:?}"),
        PasswordChange::WrongCurrent => panic!("wrong current password"),
        PasswordChange::TooManyAttempts { .. } => panic!("too many attempts"),
        PasswordChange::Busy { .. } => panic!("busy"),
        PasswordChange::SessionEnded => panic!("ended"),
    }
}

#[tokio::test]
async fn b8_a_change_ends_every_other_session_and_gives_this_one_a_new_token() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (elsewhere, other) = world.signed_in("marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    world.clock.advance(Duration::from_hours(2));
    let session = changed(change(&world, &signed_in, PASSWORD, OTHER_PASSWORD).await);
    assert_eq!(
        session.ends_at,
        START.after(Duration::from_hours(24)),
        "the sign-in's end stays"
    );
    for dead in [&elsewhere, &token] {
        assert!(matches!(world.presence(dead).await, Presence::Rejected(_)));
    }
    for ended in [other.session(), signed_in.session()] {
        assert!(world.ended.all().contains(&ended));
    }
    world.full(&session.token).await;
    assert!(matches!(
        world.try_in("marie", PASSWORD).await,
        SignInOutcome::InvalidCredentials
    ));
    opened(world.try_in("marie", OTHER_PASSWORD).await);
}

#[tokio::test]
async fn a_session_that_changes_its_password_late_stays_alive() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(5));
        world.identity.renew(&signed_in);
    }
    let session = changed(change(&world, &signed_in, PASSWORD, OTHER_PASSWORD).await);
    world.full(&session.token).await;
}

#[tokio::test]
async fn c2_wrong_current_passwords_count_with_the_sign_ins() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    for _ in 0..3 {
        let outcome = change(&world, &signed_in, "wrong", OTHER_PASSWORD).await;
        assert!(matches!(outcome, PasswordChange::WrongCurrent));
    }
    for _ in 0..2 {
        assert!(matches!(
            world.try_in("marie", "wrong").await,
            SignInOutcome::InvalidCredentials
        ));
    }
    let outcome = change(&world, &signed_in, PASSWORD, OTHER_PASSWORD).await;
    assert!(matches!(outcome, PasswordChange::TooManyAttempts { .. }));
    assert!(matches!(
        world.try_in("marie", PASSWORD).await,
        SignInOutcome::TooManyAttempts { .. }
    ));
    world.full(&token).await;
}

#[tokio::test]
async fn a_password_that_breaks_rules_costs_no_attempt() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    for _ in 0..10 {
        let outcome = change(&world, &signed_in, PASSWORD, "camille").await;
        assert!(
            matches!(outcome, PasswordChange::NotAcceptable(verdict) if verdict.reasons().count() >= 2)
        );
    }
    changed(change(&world, &signed_in, PASSWORD, OTHER_PASSWORD).await);
}

#[tokio::test]
async fn the_new_password_is_another_one() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    let PasswordChange::NotAcceptable(verdict) =
        change(&world, &signed_in, PASSWORD, PASSWORD).await
    else {
        panic!("the same password is no change");
    };
    assert_eq!(verdict.reasons().collect::<Vec<_>>(), [Reason::Current]);
}

#[tokio::test]
async fn b4_promise_a_provisional_password_is_replaced_before_anything_else() {
    let world = World::new().await;
    world.provisional("acme", "marie").await;
    let session = opened(world.try_in("marie", PASSWORD).await);
    let pending = world.pending(&session.token).await;
    let choose = async |password| {
        let chosen = world
            .identity
            .choose_password(&client(), &pending, typed(password))
            .await;
        chosen.unwrap()
    };
    assert!(matches!(
        choose("court").await,
        PasswordChange::NotAcceptable(_)
    ));
    let PasswordChange::NotAcceptable(verdict) = choose(PASSWORD).await else {
        panic!("the provisional password is nobody's own");
    };
    assert_eq!(verdict.reasons().collect::<Vec<_>>(), [Reason::Current]);
    world.clock.advance(Duration::from_mins(14));
    let full = changed(choose(OTHER_PASSWORD).await);
    assert_eq!(full.ends_at, START.after(Duration::from_hours(24)));
    world.full(&full.token).await;
    assert!(matches!(
        world.presence(&session.token).await,
        Presence::Rejected(_)
    ));
    assert!(
        matches!(choose(PASSWORD).await, PasswordChange::SessionEnded),
        "b5: twice"
    );
    opened(world.try_in("marie", OTHER_PASSWORD).await);
}

#[tokio::test]
async fn b5_a_pending_session_that_took_too_long_chooses_nothing() {
    let world = World::new().await;
    world.provisional("acme", "marie").await;
    let session = opened(world.try_in("marie", PASSWORD).await);
    let pending = world.pending(&session.token).await;
    world.clock.advance(Duration::from_mins(15));
    let late = world
        .identity
        .choose_password(&client(), &pending, typed(OTHER_PASSWORD))
        .await;
    assert!(matches!(late.unwrap(), PasswordChange::SessionEnded));
}

#[tokio::test]
async fn b8_a_session_that_was_ended_meanwhile_changes_nothing() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    world
        .identity
        .revoke_sessions_of(Operator::System, account)
        .await
        .unwrap();
    let outcome = change(&world, &signed_in, PASSWORD, OTHER_PASSWORD).await;
    assert!(matches!(outcome, PasswordChange::SessionEnded));
    opened(world.try_in("marie", PASSWORD).await);
}
