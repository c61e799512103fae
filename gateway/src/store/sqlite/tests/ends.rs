//! Ends of sessions that hold in memory first: what becomes of them when the store cannot take them.

use octroi_policy::{assurance::Assurance, time::Timestamp};

use super::{NOW, Site, another_person, draft, ending, person, sign_in};
use crate::{
    journal::{
        FAILURES_PER_MINUTE_MAX, FailureSource, JournalStore,
        entry::{JournalQuery, OpenedPersonal},
        event::{Actor, Draft, Event, EventKind, SignInFailure},
    },
    store::{
        StoreError, StoreHealth,
        sessions::{Cached, EndCause, EndReason, SessionEnding, SessionStore},
        sqlite::SqliteStore,
        tickets::{Ticket, TicketStore},
    },
};

#[tokio::test]
async fn an_end_that_holds_in_memory_alone_outlives_a_stop_in_good_order() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (refused, first) = sign_in(&store, &account).await;
    let (left, second) = sign_in(&store, &account).await;
    run(&store, "ALTER TABLE journal RENAME TO gone").await;
    SessionStore::end(&store, ending(refused))
        .await
        .unwrap_err();
    assert!(store.settle().await.is_err(), "the disk is still refusing");
    run(&store, "ALTER TABLE gone RENAME TO journal").await;
    let gone = SessionStore::end(&store, ending(left));
    let gone = tokio::time::timeout(std::time::Duration::ZERO, gone).await;
    assert!(gone.is_err(), "the caller waited to the end");

    store.settle().await.unwrap();
    site.closed(store).await;
    let store = site.open().await;
    for (session, token) in [(refused, first), (left, second)] {
        assert!(matches!(store.cached(&token), Cached::KnownAbsent));
        let view = store.find(session).await.unwrap().unwrap();
        assert_eq!(view.ended, Some((NOW, EndCause::SignedOut)));
    }
}

/// Whoever damages one key, or one page of a disk, must not keep a session alive by it.
#[tokio::test]
async fn an_end_whose_line_cannot_be_sealed_is_written_without_what_it_would_seal() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (one, _) = sign_in(&store, &account).await;
    let (other, _) = sign_in(&store, &account).await;
    let keys = &store.scribe.personal_keys;
    keys.damage_for_tests(account.id).await;
    let reason = |cause| EndReason {
        cause,
        at: NOW,
        journal: vec![draft(&account)],
    };
    let ended = SessionEnding {
        session: one,
        reason: reason(EndCause::SignedOut),
    };
    assert!(SessionStore::end(&store, ended).await.unwrap());
    let all = store.end_all(account.id, None, reason(EndCause::Revoked));
    assert_eq!(all.await.unwrap(), [other]);
    assert_eq!(store.fault(), None);
    let lines = store.search(&JournalQuery::default()).await;
    // Those of the two sign-ins are sealed with the damaged key.
    assert!(matches!(lines, Err(StoreError::Corrupt(_))));
    let last = JournalQuery {
        limit: Some(2),
        ..JournalQuery::default()
    };
    for line in store.search(&last).await.unwrap().entries {
        assert_eq!(line.account, Some(account.id));
        assert_eq!(line.personal, OpenedPersonal::Absent);
    }
}

#[tokio::test]
async fn an_end_that_is_stuck_keeps_nothing_else_from_being_done() {
    let site = Site::new();
    let store = site.open().await;
    let (stuck, other) = (person(&store).await, another_person(&store).await);
    let (session, token) = sign_in(&store, &stuck).await;
    let (expiring, _) = sign_in(&store, &other).await;
    let (short, _) = sign_in(&store, &other).await;
    TicketStore::insert(&store, ticket(short)).await.unwrap();
    run(&store, "ALTER TABLE journal RENAME TO gone").await;
    SessionStore::end(&store, ending(session))
        .await
        .unwrap_err();
    assert!(store.unsettled.fault().is_some());
    run(&store, "ALTER TABLE gone RENAME TO journal").await;

    // No line can be written any more; what has none can.
    run(&store, "CREATE TABLE kept AS SELECT code FROM journal_head").await;
    run(&store, "PRAGMA ignore_check_constraints = ON").await;
    run(&store, "UPDATE journal_head SET code = zeroblob(32 - 1)").await;
    let over = NOW.after(std::time::Duration::from_hours(24));
    for _ in 0..2 {
        let swept = store.sweep(over, NOW).await;
        assert!(matches!(swept, Err(StoreError::Corrupt(_))), "{swept:?}");
        assert_eq!(store.unsettled.fault(), None, "the disk is sound again");
        assert_eq!(store.unsettled.sessions().len(), 1);
    }
    let view = store.find(expiring).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((over, EndCause::Expired)));
    let tickets: i64 = sqlx::query_scalar("SELECT count(*) FROM ticket")
        .fetch_one(store.database.writer())
        .await
        .unwrap();
    assert_eq!(tickets, 0, "what is over is forgotten");
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));

    run(
        &store,
        "UPDATE journal_head SET code = (SELECT code FROM kept)",
    )
    .await;
    assert_eq!(store.sweep(over, NOW).await.unwrap(), [session]);
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::SignedOut)));
}

/// The flood of an attack is counted; a store that fails meanwhile must not hide it.
#[tokio::test]
async fn counted_failures_that_could_not_be_written_are_written_later() {
    let site = Site::new();
    let store = site.open().await;
    for millis in 0..FAILURES_PER_MINUTE_MAX + 5 {
        let reason = SignInFailure::UnknownLogin;
        let at = NOW.after(std::time::Duration::from_millis(millis.into()));
        let failure = Draft::new(at, Actor::Anonymous, Event::SignInFailed { reason });
        let source = FailureSource([7; 16]);
        store.append_failure(failure, source).await.unwrap();
    }
    run(&store, "ALTER TABLE journal RENAME TO gone").await;
    let end_of_time = Timestamp::from_unix_millis(i64::MAX);
    for _ in 0..2 {
        store.flush_failures(end_of_time).await.unwrap_err();
    }
    run(&store, "ALTER TABLE gone RENAME TO journal").await;
    for _ in 0..2 {
        store.flush_failures(end_of_time).await.unwrap();
    }
    let told = JournalQuery {
        kind: Some(EventKind::SignInFailedRepeatedly),
        ..JournalQuery::default()
    };
    let lines = store.search(&told).await.unwrap().entries;
    let [line] = lines.as_slice() else {
        panic!("{} lines", lines.len())
    };
    assert_eq!(line.fields["count"], 5);
}

async fn run(store: &SqliteStore, sql: &'static str) {
    sqlx::query(sql)
        .execute(store.database.writer())
        .await
        .unwrap();
}

fn ticket(session: octroi_policy::id::SessionId) -> Ticket {
    Ticket {
        hash: [3; 32],
        session,
        host: "paie.example.com".parse().unwrap(),
        nonce_hash: [4; 32],
        assurance: Assurance::Password,
        expires_at: NOW.after(std::time::Duration::from_mins(1)),
    }
}
