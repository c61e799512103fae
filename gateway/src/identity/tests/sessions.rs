//! Sessions: seen, ended, left.

use std::time::Duration;

use octroi_policy::session::Rejection;

use crate::{
    identity::{
        client::Operator,
        handover::NonceHash,
        sessions::{Presence, SignedOut},
        testing::{PASSWORD, START, World, client, host, opened, portal},
    },
    journal::{entry::JournalQuery, event::EventKind},
    store::sessions::EndCause,
};

#[tokio::test]
async fn a_person_sees_their_own_live_sessions_newest_first() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    world.ready("acme", "paul").await;
    let (_, first) = world.signed_in("marie").await;
    world.clock.advance(Duration::from_mins(1));
    let (_, second) = world.signed_in("marie").await;
    world.signed_in("paul").await;
    let seen = world.identity.own_sessions(&second).await.unwrap();
    let ids: Vec<_> = seen.iter().map(|session| session.id).collect();
    assert_eq!(ids, [second.session(), first.session()]);
    assert_eq!(seen[1].started_at, START);
    assert_eq!(seen[0].address.as_deref(), Some("192.0.2.1"));
    assert_eq!(seen[0].user_agent.as_deref(), Some("Mozilla/5.0 (test)"));
    assert_eq!(seen[0].hosts, [portal()]);
}

#[tokio::test]
async fn ending_one_session_leaves_the_others_and_other_people_s() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    world.ready("acme", "paul").await;
    let (token, first) = world.signed_in("marie").await;
    let (own_token, own) = world.signed_in("marie").await;
    let (other_token, other) = world.signed_in("paul").await;
    let end = async |session| {
        let done = world
            .identity
            .end_own_session(&client(), &own, session)
            .await;
        done.unwrap()
    };
    assert!(!end(other.session()).await, "somebody else's");
    world.full(&other_token).await;
    assert!(end(first.session()).await);
    assert!(!end(first.session()).await, "twice");
    assert!(matches!(
        world.presence(&token).await,
        Presence::Rejected(_)
    ));
    assert!(world.ended.all().contains(&first.session()));
    world.full(&own_token).await;
}

#[tokio::test]
async fn ending_all_others_keeps_this_one() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (first, _) = world.signed_in("marie").await;
    let (second, _) = world.signed_in("marie").await;
    let (own_token, own) = world.signed_in("marie").await;
    assert_eq!(
        world
            .identity
            .end_other_sessions(&client(), &own)
            .await
            .unwrap(),
        2
    );
    for token in [first, second] {
        assert!(matches!(
            world.presence(&token).await,
            Presence::Rejected(_)
        ));
    }
    world.full(&own_token).await;
    assert!(!world.ended.all().contains(&own.session()));
}

#[tokio::test]
async fn signing_out_ends_portal_hosts_and_unused_tickets() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let visits = host("visites.exemple.fr");
    let nonce = NonceHash::of(b"nonce");
    let entered = super::handover::enter(&world, &signed_in, &payroll).await;
    let unused = super::handover::ticket(&world, &signed_in, &visits).await;

    let out = world
        .identity
        .sign_out(&client(), &entered, &payroll)
        .await
        .unwrap();
    let computer = octroi_policy::session::Computer::Private;
    assert_eq!(
        out,
        Some(SignedOut {
            computer,
            hosts: vec![payroll.clone()]
        })
    );
    assert!(matches!(
        world.presence(&token).await,
        Presence::Rejected(_)
    ));
    let on_host = world
        .identity
        .presence(Some(&entered), &payroll)
        .await
        .unwrap();
    assert!(matches!(on_host, Presence::Rejected(_)));
    let late = world
        .identity
        .enter(&client(), &unused, &visits, nonce)
        .await
        .unwrap();
    assert!(matches!(
        late,
        crate::identity::handover::EnterOutcome::Refused
    ));
    assert!(world.ended.all().contains(&signed_in.session()));
    assert_eq!(
        world
            .identity
            .sign_out(&client(), &token, &portal())
            .await
            .unwrap(),
        None,
        "twice"
    );
}

#[tokio::test]
async fn a_token_signs_out_on_its_own_host_alone() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, _) = world.signed_in("marie").await;
    let elsewhere = host("paie.exemple.fr");
    assert_eq!(
        world
            .identity
            .sign_out(&client(), &token, &elsewhere)
            .await
            .unwrap(),
        None
    );
    world.full(&token).await;
}

#[tokio::test]
async fn a_pending_session_signs_out_too() {
    let world = World::new().await;
    world.provisional("acme", "marie").await;
    let session = opened(world.try_in("marie", PASSWORD).await);
    assert!(
        world
            .identity
            .sign_out(&client(), &session.token, &portal())
            .await
            .unwrap()
            .is_some()
    );
    assert!(matches!(
        world.presence(&session.token).await,
        Presence::Rejected(_)
    ));
}

#[tokio::test]
async fn b8_an_operator_ends_one_session_or_all_of_an_account() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let (first, signed_in) = world.signed_in("marie").await;
    let (second, _) = world.signed_in("marie").await;
    let operator = Operator::Os(1000);
    assert!(
        world
            .identity
            .revoke_session(operator, signed_in.session())
            .await
            .unwrap()
    );
    assert!(
        !world
            .identity
            .revoke_session(operator, signed_in.session())
            .await
            .unwrap()
    );
    assert!(matches!(
        world.presence(&first).await,
        Presence::Rejected(_)
    ));
    assert_eq!(
        world
            .identity
            .revoke_sessions_of(operator, account)
            .await
            .unwrap(),
        1
    );
    assert!(matches!(
        world.presence(&second).await,
        Presence::Rejected(_)
    ));
    assert!(world.identity.sessions(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn use_renews_idle_time_and_never_the_absolute_life() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(7));
        world.full(&token).await;
        world.identity.renew(&signed_in);
    }
    assert_eq!(signed_in.ends_at(), START.after(Duration::from_hours(24)));
    world.clock.set(START.after(Duration::from_hours(24)));
    assert_eq!(world.rejection(&token).await, Rejection::Expired);
}

#[tokio::test]
async fn c4_promise_start_last_use_end_and_cause_of_a_session_are_kept() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    world.clock.advance(Duration::from_hours(1));
    world.identity.renew(&signed_in);
    world.clock.advance(Duration::from_hours(8));
    let sweep = world.stores.sessions.sweep(world.now(), START);
    assert_eq!(sweep.await.unwrap(), [signed_in.session()]);
    let kept = world
        .stores
        .sessions
        .find(signed_in.session())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.record.started_at, START);
    assert_eq!(kept.ended, Some((world.now(), EndCause::Idle)));
}

#[tokio::test]
async fn each_end_is_one_line_of_the_journal() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    world
        .identity
        .sign_out(&client(), &token, &portal())
        .await
        .unwrap();
    let query = JournalQuery {
        session: Some(signed_in.session()),
        kind: Some(EventKind::SessionEnded),
        ..JournalQuery::default()
    };
    let page = world.stores.journal.search(&query).await.unwrap();
    let causes: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.fields["cause"].clone())
        .collect();
    assert_eq!(causes, ["signed_out"]);
}
