//! Sessions, tokens, tickets.

use std::time::Duration;

use octroi_policy::{assurance::Assurance, session::SessionEpoch, time::Timestamp};

use super::workbench::{
    NOW, Workbench, bytes, command, opening, provisional_password, reason, token_for,
    winners_of_fifty,
};
use crate::store::{
    Conflict, StoreError,
    accounts::{AccountChange, AccountCommand, PasswordHash},
    sessions::{EndCause, EndReason, PasswordEffect, SessionEnding, TokenHash},
    tickets::{TICKETS_PER_SESSION_MAX, Ticket, TicketRedemption},
};

pub(super) async fn a_session_is_found_by_its_token_until_it_ends(bench: Workbench) {
    let account = bench.person().await;
    assert!(!bench.knows(&TokenHash([9; 32])).await);
    let (session, token) = bench.sign_in(&account).await;
    let live = bench.stores.sessions.load(&token).await.unwrap().unwrap();
    assert_eq!(live.session.record.id, session);
    assert_eq!(*live.session.record.roles, *account.roles);
    assert_eq!(live.session.standing().account_epoch, Some(account.epoch));
    assert!(!live.session.standing().ended);
    assert!(bench.end(session, EndCause::SignedOut).await);
    assert!(!bench.knows(&token).await);
    assert!(
        live.session.standing().ended,
        "a request under way sees it too"
    );
}

pub(super) async fn a_session_ends_once(bench: Workbench) {
    let account = bench.person().await;
    let (session, _) = bench.sign_in(&account).await;
    assert!(bench.end(session, EndCause::SignedOut).await);
    let lines = bench.stores.journal.head().await.unwrap().sequence;
    assert!(!bench.end(session, EndCause::Revoked).await);
    assert_eq!(
        bench.stores.journal.head().await.unwrap().sequence,
        lines,
        "what did not happen has no line"
    );
    let view = bench.stores.sessions.find(session).await.unwrap().unwrap();
    let at = NOW.after(Duration::from_mins(1));
    assert_eq!(view.ended, Some((at, EndCause::SignedOut)));
}

pub(super) async fn ending_a_session_kills_its_tokens_on_all_hosts_and_its_unused_tickets(
    bench: Workbench,
) {
    let account = bench.person().await;
    let (session, portal) = bench.sign_in(&account).await;
    let ticket = ticket(session);
    bench.stores.tickets.insert(ticket.clone()).await.unwrap();
    let entered = bench
        .stores
        .tickets
        .redeem(redemption(&ticket))
        .await
        .unwrap();
    assert!(entered.is_some());
    let unused = Ticket {
        hash: bytes(),
        ..ticket.clone()
    };
    bench.stores.tickets.insert(unused.clone()).await.unwrap();
    let view = bench.stores.sessions.find(session).await.unwrap().unwrap();
    assert_eq!(view.hosts.len(), 2);
    bench.end(session, EndCause::SignedOut).await;
    assert!(!bench.knows(&portal).await);
    assert!(
        bench
            .stores
            .tickets
            .redeem(redemption(&unused))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        bench.stores.tickets.insert(ticket).await,
        Err(StoreError::Conflict(Conflict::Missing))
    );
}

pub(super) async fn all_sessions_of_an_account_but_one_end_at_once(bench: Workbench) {
    let account = bench.person().await;
    let other = bench.person_called("pierre").await;
    let (kept, kept_token) = bench.sign_in(&account).await;
    let (one, _) = bench.sign_in(&account).await;
    let (two, two_token) = bench.sign_in(&account).await;
    let (_, others_token) = bench.sign_in(&other).await;
    let reason = reason(EndCause::EndedElsewhere);
    let ended = bench
        .stores
        .sessions
        .end_all(account.id, Some(kept), reason);
    let mut ended = ended.await.unwrap();
    ended.sort();
    let mut expected = vec![one, two];
    expected.sort();
    assert_eq!(ended, expected);
    assert!(bench.knows(&kept_token).await && bench.knows(&others_token).await);
    assert!(!bench.knows(&two_token).await);
    let left = bench.stores.sessions.of_account(account.id).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].record.id, kept);
}

pub(super) async fn a_session_opens_only_under_the_accounts_epoch(bench: Workbench) {
    let account = bench.person().await;
    for epoch in [account.epoch.0 - 1, account.epoch.0 + 1] {
        let opening = opening(&account, SessionEpoch(epoch), &bench.tenant);
        let token = opening.token.hash;
        let opened = bench.stores.sessions.open(opening).await;
        assert_eq!(
            opened.err(),
            Some(StoreError::Conflict(Conflict::AccountChanged))
        );
        assert!(!bench.knows(&token).await);
    }
}

pub(super) async fn a_locked_account_opens_no_session(bench: Workbench) {
    let account = bench.person().await;
    let lock = command(&account, AccountChange::Lock);
    bench.stores.accounts.change(lock).await.unwrap();
    let raised = AccountCommand::raised(account.epoch);
    let opening = opening(&account, raised, &bench.tenant);
    let opened = bench.stores.sessions.open(opening).await;
    assert_eq!(
        opened.err(),
        Some(StoreError::Conflict(Conflict::AccountChanged))
    );
}

pub(super) async fn an_identifier_that_exists_is_refused(bench: Workbench) {
    let account = bench.person().await;
    let opening = bench.opening(&account);
    let mut again = bench.opening(&account);
    again.record.id = opening.record.id;
    bench.stores.sessions.open(opening).await.unwrap();
    let opened = bench.stores.sessions.open(again).await;
    assert_eq!(
        opened.err(),
        Some(StoreError::Conflict(Conflict::Duplicate))
    );
}

pub(super) async fn a_session_that_replaces_another_ends_it(bench: Workbench) {
    let account = bench.person().await;
    let (old, old_token) = bench.sign_in(&account).await;
    let mut opening = bench.opening(&account);
    opening.replaces = Some((old, EndCause::Replaced));
    let new_token = opening.token.hash;
    bench.stores.sessions.open(opening).await.unwrap();
    assert!(!bench.knows(&old_token).await && bench.knows(&new_token).await);
    let view = bench.stores.sessions.find(old).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::Replaced)));
}

/// The second person at a shared browser: their first password ends the first person's session.
pub(super) async fn a_change_that_replaces_another_accounts_session_ends_it(bench: Workbench) {
    let first = bench.person().await;
    let second = bench.person_with("second", None).await;
    let (old, old_token) = bench.sign_in(&first).await;
    let mut change = command(&second, AccountChange::Password(provisional_password(NOW)));
    let raised = AccountCommand::raised(second.epoch);
    let mut opening = opening(&second, raised, &bench.tenant);
    opening.replaces = Some((old, EndCause::Replaced));
    let new_token = opening.token.hash;
    change.opens = Some(opening);
    bench.stores.accounts.change(change).await.unwrap();
    assert!(!bench.knows(&old_token).await && bench.knows(&new_token).await);
    let view = bench.stores.sessions.find(old).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::Replaced)));
}

pub(super) async fn a_provisional_password_opens_one_session_of_fifty_at_once(bench: Workbench) {
    let password = provisional_password(NOW.after(Duration::from_hours(24)));
    let account = bench.person_with("marie", Some(password)).await;
    let winners = winners_of_fifty(|| {
        let sessions = bench.stores.sessions.clone();
        let mut opening = bench.opening(&account);
        opening.password = PasswordEffect::SpendProvisional;
        async move {
            let opened = sessions.open(opening).await;
            let conflict = opened.as_ref().err().cloned();
            assert!(opened.is_ok() || conflict == Some(Conflict::Spent.into()));
            opened.is_ok()
        }
    })
    .await;
    assert_eq!(winners, 1);
    assert_eq!(
        bench
            .stores
            .sessions
            .of_account(account.id)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub(super) async fn a_provisional_password_opens_nothing_once_it_has_expired(bench: Workbench) {
    let in_time = provisional_password(NOW.after(Duration::from_millis(1)));
    let in_time = bench.person_with("in-time", Some(in_time)).await;
    let too_late = bench
        .person_with("too-late", Some(provisional_password(NOW)))
        .await;
    for (account, opens) in [(in_time, true), (too_late, false)] {
        let mut opening = bench.opening(&account);
        opening.password = PasswordEffect::SpendProvisional;
        assert_eq!(bench.stores.sessions.open(opening).await.is_ok(), opens);
    }
}

pub(super) async fn a_better_hash_takes_the_place_of_the_old_one(bench: Workbench) {
    let account = bench.person().await;
    let mut opening = bench.opening(&account);
    let better = PasswordHash::from_phc(zeroize::Zeroizing::new("$argon2id$better".to_owned()));
    opening.password = PasswordEffect::Rehash(better);
    bench.stores.sessions.open(opening).await.unwrap();
    let read = bench.account(account.id).await;
    assert_eq!(read.password.unwrap().hash.expose_phc(), "$argon2id$better");
    assert_eq!(
        read.epoch, account.epoch,
        "nothing that sessions rest on has changed"
    );
}

pub(super) async fn the_last_use_is_kept(bench: Workbench) {
    let account = bench.person().await;
    let (session, token) = bench.sign_in(&account).await;
    let live = bench.stores.sessions.load(&token).await.unwrap().unwrap();
    let used_at = NOW.after(Duration::from_mins(3));
    live.session.touch(used_at);
    live.session.touch(NOW);
    assert_eq!(
        live.session.last_used_at(),
        used_at,
        "a clock set back moves nothing back"
    );
    bench.stores.sessions.flush_last_used().await.unwrap();
    bench.end(session, EndCause::SignedOut).await;
    let view = bench.stores.sessions.find(session).await.unwrap().unwrap();
    assert_eq!(view.last_used_at, used_at);
    assert_eq!(view.origin.address, Some([192, 0, 2, 7].into()));
}

pub(super) async fn what_expired_or_idled_is_swept_at_its_very_time(bench: Workbench) {
    let account = bench.person().await;
    let (idle, _) = bench.sign_in(&account).await;
    let mut short = bench.opening(&account);
    short.record.ends_at = NOW.after(Duration::from_mins(5));
    let expires = short.record.id;
    bench.stores.sessions.open(short).await.unwrap();
    let sweep = async |millis: u64| {
        let now = NOW.after(Duration::from_millis(millis));
        bench
            .stores
            .sessions
            .sweep(now, Timestamp::EPOCH)
            .await
            .unwrap()
    };
    assert_eq!(sweep(5 * 60_000 - 1).await, []);
    assert_eq!(sweep(5 * 60_000).await, [expires]);
    assert_eq!(sweep(15 * 60_000 - 1).await, []);
    assert_eq!(sweep(15 * 60_000).await, [idle]);
    assert_eq!(sweep(24 * 60 * 60_000).await, [], "each ends once");
    for (session, cause) in [(idle, EndCause::Idle), (expires, EndCause::Expired)] {
        let view = bench.stores.sessions.find(session).await.unwrap().unwrap();
        assert_eq!(view.ended.map(|(_, cause)| cause), Some(cause));
    }
}

pub(super) async fn sessions_that_ended_are_told_with_their_cause_until_they_are_forgotten(
    bench: Workbench,
) {
    let account = bench.person().await;
    for cause in EndCause::ALL {
        let (session, _) = bench.sign_in(&account).await;
        let ending = SessionEnding {
            session,
            reason: reason(*cause),
        };
        bench.stores.sessions.end(ending).await.unwrap();
        let view = bench.stores.sessions.find(session).await.unwrap().unwrap();
        assert_eq!(view.ended.map(|(_, cause)| cause), Some(*cause));
    }
    let (session, _) = bench.sign_in(&account).await;
    bench.end(session, EndCause::SignedOut).await;
    let ended_at = NOW.after(Duration::from_mins(1));
    for (forget_before, is_found) in [
        (ended_at, true),
        (ended_at.after(Duration::from_millis(1)), false),
    ] {
        bench
            .stores
            .sessions
            .sweep(NOW, forget_before)
            .await
            .unwrap();
        let found = bench.stores.sessions.find(session).await.unwrap();
        assert_eq!(found.is_some(), is_found);
    }
}

pub(super) async fn one_of_fifty_redemptions_of_a_ticket_wins(bench: Workbench) {
    let account = bench.person().await;
    let (session, _) = bench.sign_in(&account).await;
    let ticket = ticket(session);
    bench.stores.tickets.insert(ticket.clone()).await.unwrap();
    let winners = winners_of_fifty(|| {
        let (tickets, redemption) = (bench.stores.tickets.clone(), redemption(&ticket));
        async move { tickets.redeem(redemption).await.unwrap().is_some() }
    })
    .await;
    assert_eq!(winners, 1);
}

pub(super) async fn a_ticket_counts_on_its_host_with_its_nonce_before_its_end_alone(
    bench: Workbench,
) {
    let account = bench.person().await;
    let (session, _) = bench.sign_in(&account).await;
    let ticket = ticket(session);
    bench.stores.tickets.insert(ticket.clone()).await.unwrap();
    assert_eq!(
        bench.stores.tickets.insert(ticket.clone()).await,
        Err(StoreError::Conflict(Conflict::Duplicate))
    );
    let right = redemption(&ticket);
    let wrong = [
        TicketRedemption {
            hash: bytes(),
            ..redemption(&ticket)
        },
        TicketRedemption {
            host: "echo.example.com".parse().unwrap(),
            ..redemption(&ticket)
        },
        TicketRedemption {
            nonce_hash: bytes(),
            ..redemption(&ticket)
        },
        TicketRedemption {
            at: ticket.expires_at,
            ..redemption(&ticket)
        },
    ];
    for redemption in wrong {
        assert!(
            bench
                .stores
                .tickets
                .redeem(redemption)
                .await
                .unwrap()
                .is_none()
        );
    }
    let token = right.token;
    let live = bench.stores.tickets.redeem(right).await.unwrap().unwrap();
    assert_eq!(live.session.record.id, session);
    assert_eq!(live.facts.host, ticket.host);
    assert_eq!(live.facts.assurance, Assurance::Password);
    assert!(bench.knows(&token).await);
}

pub(super) async fn a_session_has_one_token_a_host(bench: Workbench) {
    let account = bench.person().await;
    let (session, portal) = bench.sign_in(&account).await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let ticket = ticket(session);
        bench.stores.tickets.insert(ticket.clone()).await.unwrap();
        let redemption = redemption(&ticket);
        tokens.push(redemption.token);
        bench
            .stores
            .tickets
            .redeem(redemption)
            .await
            .unwrap()
            .unwrap();
    }
    assert!(
        !bench.knows(&tokens[0]).await,
        "the earlier token of the host is dead"
    );
    assert!(bench.knows(&tokens[1]).await && bench.knows(&portal).await);
}

pub(super) async fn a_session_has_a_bounded_number_of_open_tickets(bench: Workbench) {
    let account = bench.person().await;
    let (session, _) = bench.sign_in(&account).await;
    for _ in 0..TICKETS_PER_SESSION_MAX {
        bench.stores.tickets.insert(ticket(session)).await.unwrap();
    }
    assert_eq!(
        bench.stores.tickets.insert(ticket(session)).await,
        Err(StoreError::Conflict(Conflict::LimitReached))
    );
    let later = NOW.after(Duration::from_mins(2));
    bench
        .stores
        .sessions
        .sweep(later, Timestamp::EPOCH)
        .await
        .unwrap();
    bench.stores.tickets.insert(ticket(session)).await.unwrap();
}

fn ticket(session: octroi_policy::id::SessionId) -> Ticket {
    Ticket {
        hash: bytes(),
        session,
        host: "paie.example.com".parse().unwrap(),
        nonce_hash: [5; 32],
        assurance: Assurance::Password,
        expires_at: NOW.after(Duration::from_mins(1)),
    }
}

fn redemption(ticket: &Ticket) -> TicketRedemption {
    TicketRedemption {
        hash: ticket.hash,
        host: ticket.host.clone(),
        nonce_hash: ticket.nonce_hash,
        token: token_for("paie.example.com").hash,
        at: NOW,
        journal: Vec::new(),
    }
}

pub(super) async fn sessions_that_ended_are_told_with_when_and_why(bench: Workbench) {
    let account = bench.person().await;
    let sessions = &bench.stores.sessions;
    let mut ended = Vec::new();
    for (minutes, cause) in [
        (3, EndCause::SignedOut),
        (5, EndCause::Revoked),
        (4, EndCause::Idle),
    ] {
        let (session, _) = bench.sign_in(&account).await;
        let at = NOW.after(Duration::from_mins(minutes));
        let journal = Vec::new();
        let reason = EndReason { cause, at, journal };
        assert!(
            sessions
                .end(SessionEnding { session, reason })
                .await
                .unwrap()
        );
        ended.push((session, Some((at, cause))));
    }
    bench.sign_in(&account).await;
    let told = async |limit: u16| -> Vec<_> {
        let past = sessions.past(account.id, limit).await.unwrap();
        past.iter()
            .map(|view| (view.record.id, view.ended))
            .collect()
    };
    assert_eq!(told(9).await, [ended[1], ended[2], ended[0]]);
    assert_eq!(told(2).await, [ended[1], ended[2]]);
    let stranger = octroi_policy::id::AccountId::from_random([7; 16]);
    assert!(sessions.past(stranger, 9).await.unwrap().is_empty());
}
