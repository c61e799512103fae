//! Every word for a failure is written where it happens, and tells nobody's password or link.

use std::collections::BTreeSet;

use octroi_policy::session::Computer;

use super::handover::ticket;
use crate::{
    identity::{
        client::{ClientFacts, Operator},
        handover::NonceHash,
        invitations::InvitationAnswer,
        secret::InvitationToken,
        testing::{OTHER_PASSWORD, PASSWORD, World, client, client_at, host, opened, typed},
    },
    journal::{
        entry::JournalQuery,
        event::{EventKind, SignInFailure},
    },
};

/// Words that need a race or a full queue: written in `sign_in/opening.rs` (the store says that the
/// account changed) and in `sign_in.rs` (see `alike.rs` for the full queue).
const ELSEWHERE: [SignInFailure; 2] = [SignInFailure::Busy, SignInFailure::ChangedMeanwhile];

#[tokio::test]
async fn every_word_for_a_failure_is_written_where_it_happens() {
    let world = World::new().await;
    let identity = &world.identity;
    world.ready("acme", "marie").await;
    world.account("acme", "awaiting").await;
    world.provisional("acme", "spent").await;
    let locked = world.ready("acme", "locked").await;
    identity
        .lock_account(Operator::System, locked)
        .await
        .unwrap();
    opened(world.try_in("spent", PASSWORD).await);
    for login in ["nobody", "awaiting", "spent", "locked"] {
        world.try_in(login, PASSWORD).await;
    }
    for _ in 0..6 {
        world.try_from_place(&elsewhere(), "marie", "wrong").await;
    }
    let (_, signed_in) = world.signed_in("marie").await;
    let (current, new) = (typed("not the current one"), typed(OTHER_PASSWORD));
    identity
        .change_password(&client(), &signed_in, current, new)
        .await
        .unwrap();
    let answer = InvitationAnswer {
        token: InvitationToken::parse(&[b'A'; 43]).unwrap(),
        password: typed(PASSWORD),
        computer: Computer::Private,
        replaces: None,
    };
    identity.accept_invitation(&client(), answer).await.unwrap();
    let payroll = host("paie.exemple.fr");
    let passage = ticket(&world, &signed_in, &payroll).await;
    let foreign = NonceHash::of(b"another browser's");
    identity
        .enter(&client(), &passage, &payroll, foreign)
        .await
        .unwrap();

    let query = JournalQuery {
        kind: Some(EventKind::SignInFailed),
        ..JournalQuery::default()
    };
    let lines = world.stores.journal.search(&query).await.unwrap().entries;
    let written: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line.fields.get("reason")?.as_str())
        .collect();
    let expected: BTreeSet<&str> = SignInFailure::ALL
        .iter()
        .filter(|reason| !ELSEWHERE.contains(reason))
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(written, expected);
    assert!(lines.iter().all(|line| line.request.is_some()));
}

fn elsewhere() -> ClientFacts {
    client_at([198, 51, 100, 7].into())
}
