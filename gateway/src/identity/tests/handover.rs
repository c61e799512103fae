//! Hand-over between hosts.

use std::time::Duration;

use octroi_policy::{host::Host, session::Rejection};

use crate::{
    identity::{
        client::Operator,
        handover::{EnterOutcome, NonceHash, TICKET_LIFE, TicketOutcome},
        secret::{EnterTicket, SessionToken},
        sessions::{Presence, SignedIn},
        testing::{World, client, host, in_parallel, portal},
    },
    journal::{entry::JournalQuery, event::EventKind},
};

const NONCE: &[u8] = b"nonce";

/// A ticket for `host`.
pub(super) async fn ticket(world: &World, signed_in: &SignedIn, host: &Host) -> EnterTicket {
    let nonce = NonceHash::of(NONCE);
    match world
        .identity
        .issue_ticket(signed_in, host, nonce)
        .await
        .unwrap()
    {
        TicketOutcome::Issued(ticket) => ticket,
        TicketOutcome::SessionEnded | TicketOutcome::TooManyAtOnce { .. } => panic!("no ticket"),
    }
}

/// The token that a host is given.
pub(super) async fn enter(world: &World, signed_in: &SignedIn, host: &Host) -> SessionToken {
    let ticket = ticket(world, signed_in, host).await;
    match world
        .identity
        .enter(&client(), &ticket, host, NonceHash::of(NONCE))
        .await
        .unwrap()
    {
        EnterOutcome::Entered(entered) => entered.token,
        EnterOutcome::Refused | EnterOutcome::SessionEnded => panic!("not entered"),
    }
}

#[tokio::test]
async fn a_ticket_gives_the_host_a_token_of_its_own() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let entered = enter(&world, &signed_in, &payroll).await;
    let on_host = world
        .identity
        .presence(Some(&entered), &payroll)
        .await
        .unwrap();
    assert!(matches!(on_host, Presence::SignedIn(there) if there.session() == signed_in.session()));
    assert!(matches!(
        world.presence(&entered).await,
        Presence::Rejected(Rejection::WrongHost)
    ));
    world.full(&token).await;
    let query = JournalQuery {
        account: Some(signed_in.account()),
        kind: Some(EventKind::HostEntered),
        ..JournalQuery::default()
    };
    let lines = world.stores.journal.search(&query).await.unwrap().entries;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].session, Some(signed_in.session()));
}

#[tokio::test]
async fn a_ticket_for_another_host_or_nonce_or_after_60_seconds_is_worth_nothing() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let ticket = ticket(&world, &signed_in, &payroll).await;
    let uses = [
        (portal(), NonceHash::of(NONCE)),
        (host("autre.exemple.fr"), NonceHash::of(NONCE)),
        (payroll.clone(), NonceHash::of(b"another")),
    ];
    for (host, nonce) in uses {
        let outcome = world
            .identity
            .enter(&client(), &ticket, &host, nonce)
            .await
            .unwrap();
        assert!(matches!(outcome, EnterOutcome::Refused));
    }
    world.clock.advance(TICKET_LIFE);
    let late = world
        .identity
        .enter(&client(), &ticket, &payroll, NonceHash::of(NONCE))
        .await;
    assert!(matches!(late.unwrap(), EnterOutcome::Refused));
    world
        .clock
        .set(world.now().before(Duration::from_millis(1)));
    let in_time = world
        .identity
        .enter(&client(), &ticket, &payroll, NonceHash::of(NONCE))
        .await;
    assert!(
        matches!(in_time.unwrap(), EnterOutcome::Entered(_)),
        "refusals spent nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b9_of_50_parallel_uses_of_a_ticket_one_wins() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let ticket = ticket(&world, &signed_in, &payroll).await.expose();
    let uses = (0..50).map(|_| {
        let (identity, payroll) = (world.identity.clone(), payroll.clone());
        let ticket = EnterTicket::parse(ticket.as_bytes()).unwrap();
        async move {
            identity
                .enter(&client(), &ticket, &payroll, NonceHash::of(NONCE))
                .await
                .unwrap()
        }
    });
    let outcomes = in_parallel(uses).await;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, EnterOutcome::Entered(_)));
    assert_eq!(won.count(), 1);
}

#[tokio::test]
async fn a_ticket_of_an_ended_session_is_worth_nothing() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let ticket = ticket(&world, &signed_in, &payroll).await;
    world
        .identity
        .lock_account(Operator::System, account)
        .await
        .unwrap();
    let outcome = world
        .identity
        .enter(&client(), &ticket, &payroll, NonceHash::of(NONCE))
        .await;
    assert!(matches!(outcome.unwrap(), EnterOutcome::Refused));
    let nonce = NonceHash::of(NONCE);
    let another = world
        .identity
        .issue_ticket(&signed_in, &payroll, nonce)
        .await
        .unwrap();
    assert!(matches!(another, TicketOutcome::SessionEnded));
}

#[tokio::test]
async fn b10_a_secret_of_one_purpose_is_worth_nothing_for_another() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (token, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    let ticket = ticket(&world, &signed_in, &payroll).await.expose();
    let as_token = SessionToken::parse(ticket.as_bytes()).unwrap();
    assert_eq!(world.rejection(&as_token).await, Rejection::Unknown);
    let as_ticket = EnterTicket::parse(token.expose().as_bytes()).unwrap();
    let outcome = world
        .identity
        .enter(&client(), &as_ticket, &payroll, NonceHash::of(NONCE))
        .await;
    assert!(matches!(outcome.unwrap(), EnterOutcome::Refused));
    assert_ne!(
        as_ticket.digest(),
        token.digest(),
        "the same bytes are kept under another hash"
    );
}

#[tokio::test]
async fn the_33rd_open_ticket_of_a_session_has_to_wait() {
    let world = World::new().await;
    world.ready("acme", "marie").await;
    let (_, signed_in) = world.signed_in("marie").await;
    let payroll = host("paie.exemple.fr");
    for _ in 0..crate::store::tickets::TICKETS_PER_SESSION_MAX {
        ticket(&world, &signed_in, &payroll).await;
    }
    let nonce = NonceHash::of(NONCE);
    let refused = world
        .identity
        .issue_ticket(&signed_in, &payroll, nonce)
        .await
        .unwrap();
    assert!(
        matches!(refused, TicketOutcome::TooManyAtOnce { retry_after } if retry_after == TICKET_LIFE)
    );
}
