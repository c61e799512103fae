//! Invitations.

use std::time::Duration;

use octroi_policy::session::Computer;

use crate::identity::{
    client::Operator,
    invitations::{InvitationAnswer, InvitationLife, InvitationOutcome, Invitee},
    secret::InvitationToken,
    testing::{OTHER_PASSWORD, PASSWORD, World, client, in_parallel, opened, typed},
};

fn answer(token: &InvitationToken, password: &str) -> InvitationAnswer {
    InvitationAnswer {
        token: InvitationToken::parse(token.expose().as_bytes()).unwrap(),
        password: typed(password),
        computer: Computer::Private,
        replaces: None,
    }
}

async fn invited(world: &World) -> InvitationToken {
    let account = world.account("acme", "marie").await;
    let life = InvitationLife::DEFAULT;
    world
        .identity
        .invite(Operator::System, account, life)
        .await
        .unwrap()
        .token
}

async fn accept(world: &World, token: &InvitationToken, password: &str) -> InvitationOutcome {
    world
        .identity
        .accept_invitation(&client(), answer(token, password))
        .await
        .unwrap()
}

#[tokio::test]
async fn an_invitation_sets_the_first_password_and_signs_in() {
    let world = World::new().await;
    let token = invited(&world).await;
    let shown = world
        .identity
        .open_invitation(&token)
        .await
        .unwrap()
        .unwrap();
    let expected = Invitee {
        login: "marie".to_owned(),
        tenant: "acme".parse().unwrap(),
        organisation: "Acme Industrie".to_owned(),
        name: Some("Camille Roussel".to_owned()),
        language: None,
    };
    assert_eq!(shown.invitee, expected);
    let InvitationOutcome::Accepted(session) = accept(&world, &token, PASSWORD).await else {
        panic!("the invitation is good");
    };
    world.full(&session.token).await;
    opened(world.try_in("marie", PASSWORD).await);
    assert!(matches!(
        accept(&world, &token, OTHER_PASSWORD).await,
        InvitationOutcome::Dead
    ));
    assert!(
        world
            .identity
            .open_invitation(&token)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn looking_and_a_refused_password_spend_nothing() {
    let world = World::new().await;
    let token = invited(&world).await;
    for _ in 0..3 {
        assert!(
            world
                .identity
                .open_invitation(&token)
                .await
                .unwrap()
                .is_some()
        );
        let refused = accept(&world, &token, "trop court").await;
        assert!(matches!(refused, InvitationOutcome::NotAcceptable(_)));
        let refused = accept(&world, &token, "camille roussel paie").await;
        assert!(matches!(refused, InvitationOutcome::NotAcceptable(_)));
    }
    assert!(matches!(
        accept(&world, &token, PASSWORD).await,
        InvitationOutcome::Accepted(_)
    ));
}

#[tokio::test]
async fn an_invitation_is_good_for_72_hours() {
    let world = World::new().await;
    let token = invited(&world).await;
    world.clock.advance(Duration::from_hours(72));
    assert!(matches!(
        accept(&world, &token, PASSWORD).await,
        InvitationOutcome::Dead
    ));
    assert!(
        world
            .identity
            .open_invitation(&token)
            .await
            .unwrap()
            .is_none()
    );
    world
        .clock
        .set(world.now().before(Duration::from_millis(1)));
    assert!(matches!(
        accept(&world, &token, PASSWORD).await,
        InvitationOutcome::Accepted(_)
    ));
}

#[test]
fn a_life_is_between_an_hour_and_seven_days() {
    let moment = Duration::from_millis(1);
    let (min, max) = (InvitationLife::MIN, InvitationLife::MAX);
    for life in [min, max] {
        assert_eq!(
            InvitationLife::new(life).map(InvitationLife::as_duration),
            Some(life)
        );
    }
    for life in [min.saturating_sub(moment), max + moment, Duration::ZERO] {
        assert_eq!(InvitationLife::new(life), None);
    }
    assert_eq!(
        InvitationLife::DEFAULT.as_duration(),
        Duration::from_hours(72)
    );
}

#[tokio::test]
async fn a_new_invitation_is_the_end_of_the_old_one() {
    let world = World::new().await;
    let old = invited(&world).await;
    let account = world.identity.find_account("acme/marie").await.unwrap().id;
    let life = InvitationLife::new(Duration::from_hours(1)).unwrap();
    let new = world
        .identity
        .invite(Operator::System, account, life)
        .await
        .unwrap()
        .token;
    assert!(matches!(
        accept(&world, &old, PASSWORD).await,
        InvitationOutcome::Dead
    ));
    assert!(matches!(
        accept(&world, &new, PASSWORD).await,
        InvitationOutcome::Accepted(_)
    ));
}

#[tokio::test]
async fn a_locked_or_erased_person_s_invitation_is_dead() {
    let world = World::new().await;
    let token = invited(&world).await;
    let account = world.identity.find_account("acme/marie").await.unwrap().id;
    world
        .identity
        .lock_account(Operator::System, account)
        .await
        .unwrap();
    assert!(matches!(
        accept(&world, &token, PASSWORD).await,
        InvitationOutcome::Dead
    ));
    world
        .identity
        .delete_account(Operator::System, account)
        .await
        .unwrap();
    assert!(matches!(
        accept(&world, &token, PASSWORD).await,
        InvitationOutcome::Dead
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b9_of_50_parallel_uses_of_an_invitation_one_wins() {
    let world = World::new().await;
    let token = invited(&world).await;
    let uses = (0..50).map(|_| {
        let identity = world.identity.clone();
        let answer = answer(&token, PASSWORD);
        async move { identity.accept_invitation(&client(), answer).await.unwrap() }
    });
    let outcomes = in_parallel(uses).await;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, InvitationOutcome::Accepted(_)));
    let lost = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, InvitationOutcome::Dead));
    assert_eq!((won.count(), lost.count()), (1, 49));
}
