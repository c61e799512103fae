//! Identity over a store that is slow, fails, or never finds anything in memory.

use std::time::Duration;

use crate::{
    identity::{
        Fault,
        client::Operator,
        handover::{EnterOutcome, NonceHash},
        invitations::{InvitationAnswer, InvitationLife, InvitationOutcome},
        passwords::PasswordChange,
        secret::{InvitationToken, SessionToken},
        sessions::Presence,
        sign_in::SignInOutcome,
        testing::{OTHER_PASSWORD, PASSWORD, World, attempt, client, host, opened, portal, typed},
    },
    store::{
        StoreError,
        adversarial::{Weather, wrap},
    },
};
use octroi_policy::session::Computer;

use super::handover::{enter, ticket};

#[tokio::test]
async fn everything_works_over_a_store_that_is_slow() {
    let weather = Weather::default();
    weather.set_delay(Duration::from_millis(3));
    a_persons_day(&weather).await;
}

#[tokio::test]
async fn everything_works_over_a_store_that_never_finds_anything_in_memory() {
    let weather = Weather::default();
    weather.forget_all(true);
    a_persons_day(&weather).await;
}

/// Invitation, sign-in, another sign-in in the same browser, hand-over, change of password, end.
async fn a_persons_day(weather: &Weather) {
    let world = World::over(|stores| wrap(stores, weather.clone())).await;
    world.ready("acme", "marie").await;
    let identity = &world.identity;
    let (first, _) = world.signed_in("marie").await;
    let mut again = attempt("marie", PASSWORD);
    again.replaces = SessionToken::parse(first.expose().as_bytes()).map(std::sync::Arc::new);
    let token = opened(identity.sign_in(&client(), again).await.unwrap()).token;
    assert!(matches!(
        world.presence(&first).await,
        Presence::Rejected(_)
    ));

    let signed_in = world.full(&token).await;
    let payroll = host("paie.exemple.fr");
    let entered = enter(&world, &signed_in, &payroll).await;
    let there = identity.presence(Some(&entered), &payroll).await.unwrap();
    assert!(matches!(there, Presence::SignedIn(there) if there.session() == signed_in.session()));

    let (current, new) = (typed(PASSWORD), typed(OTHER_PASSWORD));
    let changed = identity
        .change_password(&client(), &signed_in, current, new)
        .await
        .unwrap();
    let PasswordChange::Changed(session) = changed else {
        panic!("not changed");
    };
    assert!(matches!(
        world.presence(&token).await,
        Presence::Rejected(_)
    ));
    let there = identity.presence(Some(&entered), &payroll).await.unwrap();
    assert!(matches!(there, Presence::Rejected(_)));
    let signed_in = world.full(&session.token).await;
    assert_eq!(identity.own_sessions(&signed_in).await.unwrap().len(), 1);

    let signed_out = identity
        .sign_out(&client(), &session.token, &portal())
        .await;
    assert!(signed_out.unwrap().is_some());
    assert!(matches!(
        world.presence(&session.token).await,
        Presence::Rejected(_)
    ));
}

#[tokio::test]
async fn invariant_2_over_a_store_that_fails_nothing_opens_and_nothing_is_half_done() {
    let weather = Weather::default();
    let world = World::over(|stores| wrap(stores, weather.clone())).await;
    world.ready("acme", "marie").await;
    let paul = world.account("acme", "paul").await;
    let invited = world
        .identity
        .invite(Operator::System, paul, InvitationLife::DEFAULT)
        .await
        .unwrap();
    let (token, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let passage = ticket(&world, &signed_in, &payroll).await;
    let nonce = || NonceHash::of(b"nonce");
    let answer = || InvitationAnswer {
        token: InvitationToken::parse(invited.token.expose().as_bytes()).unwrap(),
        password: typed(PASSWORD),
        computer: Computer::Private,
        replaces: None,
    };
    let identity = &world.identity;
    for set in [Weather::fail, Weather::fail_writes] {
        set(&weather, true);
        for password in [PASSWORD, "wrong"] {
            let outcome = identity
                .sign_in(&client(), attempt("marie", password))
                .await;
            unavailable("sign-in", &outcome);
        }
        let (current, new) = (typed(PASSWORD), typed(OTHER_PASSWORD));
        let outcome = identity
            .change_password(&client(), &signed_in, current, new)
            .await;
        unavailable("change of password", &outcome);
        let outcome = identity.accept_invitation(&client(), answer()).await;
        unavailable("invitation", &outcome);
        let outcome = identity.issue_ticket(&signed_in, &payroll, nonce()).await;
        unavailable("ticket", &outcome);
        let outcome = identity.enter(&client(), &passage, &payroll, nonce()).await;
        unavailable("entry", &outcome);
        set(&weather, false);
    }
    weather.fail(true);
    weather.forget_all(true);
    let presence = identity.presence(Some(&token), &portal()).await;
    unavailable("a token that memory does not know", &presence);
    unavailable("a list", &identity.own_sessions(&signed_in).await);
    weather.forget_all(false);
    weather.fail(false);

    assert_eq!(world.full(&token).await.session(), signed_in.session());
    assert!(matches!(
        world.try_in("marie", OTHER_PASSWORD).await,
        SignInOutcome::InvalidCredentials
    ));
    let session = opened(world.try_in("marie", PASSWORD).await);
    assert_eq!(
        session.refused_attempts, 1,
        "what could not be looked at is not counted"
    );
    let entered = identity.enter(&client(), &passage, &payroll, nonce()).await;
    assert!(matches!(entered.unwrap(), EnterOutcome::Entered(_)));
    let accepted = identity.accept_invitation(&client(), answer()).await;
    assert!(matches!(accepted.unwrap(), InvitationOutcome::Accepted(_)));

    weather.fail_writes(true);
    let signed_out = identity.sign_out(&client(), &token, &portal()).await;
    unavailable("sign-out", &signed_out);
    assert!(matches!(
        world.presence(&token).await,
        Presence::Rejected(_)
    ));
}

/// Whoever is to be shut out must not wait for a store that is slow, damaged, or asked too much.
#[tokio::test]
async fn a_revocation_holds_in_memory_before_the_store_is_read() {
    let weather = Weather::default();
    let world = World::over(|stores| wrap(stores, weather.clone())).await;
    let account = world.ready("acme", "marie").await;
    let (kept_token, kept) = world.signed_in("marie").await;
    let (own_token, own) = world.signed_in("marie").await;
    let (revoked_token, revoked) = world.signed_in("marie").await;
    let (other_token, other) = world.signed_in("marie").await;
    let identity = &world.identity;
    weather.fail(true);
    let rejected = async |token: &SessionToken| {
        matches!(
            identity.presence(Some(token), &portal()).await,
            Ok(Presence::Rejected(_))
        )
    };
    unavailable(
        "the end of one of one's own",
        &identity
            .end_own_session(&client(), &kept, own.session())
            .await,
    );
    assert!(rejected(&own_token).await);
    let ended = identity.revoke_session(Operator::System, revoked.session());
    unavailable("the end of one", &ended.await);
    assert!(rejected(&revoked_token).await);
    unavailable(
        "the end of all others",
        &identity.end_other_sessions(&client(), &kept).await,
    );
    assert!(rejected(&other_token).await);
    assert!(!rejected(&kept_token).await);
    let ended = identity.revoke_sessions_of(Operator::System, account);
    unavailable("the end of all", &ended.await);
    assert!(rejected(&kept_token).await);
    let told = world.ended.all();
    for session in [&own, &revoked, &other, &kept] {
        assert!(told.contains(&session.session()), "what it has open ends");
    }
}

fn unavailable<T>(what: &str, outcome: &Result<T, Fault>) {
    let is_unavailable = matches!(outcome, Err(Fault::Store(StoreError::Unavailable(_))));
    assert!(is_unavailable, "{what}");
}
