//! What is there after a restart.

use std::time::Duration;

use super::{
    super::session_rows::PAGE, NOW, Site, draft, ending, meddle, opening, person, sign_in,
};
use crate::{
    journal::{JournalStore, entry::Verification},
    store::{
        accounts::{AccountChange, AccountCommand, AccountStore},
        sessions::{Cached, EndCause, SessionStore},
    },
};

#[tokio::test]
async fn invariant_3_what_was_acknowledged_is_there_after_a_restart() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (kept, kept_token) = sign_in(&store, &account).await;
    let (ended, ended_token) = sign_in(&store, &account).await;
    SessionStore::end(&store, ending(ended)).await.unwrap();
    let head = store.head().await.unwrap();
    site.closed(store).await;

    let store = site.open().await;
    let Cached::Hit(live) = store.cached(&kept_token) else {
        panic!("the session is gone")
    };
    assert_eq!(live.session.record.id, kept);
    assert_eq!(*live.session.record.roles, *account.roles);
    assert_eq!(live.session.record.idle_limit, Duration::from_hours(8));
    assert_eq!(live.session.standing().account_epoch, Some(account.epoch));
    assert!(matches!(store.cached(&ended_token), Cached::KnownAbsent));
    assert_eq!(store.head().await.unwrap(), head);
    let verified = store.verify(Some(&head)).await.unwrap();
    assert!(matches!(verified, Verification::Intact { entries: 3, .. }));
    let read = store.by_login(account.tenant, "marie").await.unwrap();
    assert_eq!(read.unwrap().id, account.id);
}

#[tokio::test]
async fn a_start_finds_every_session_on_whichever_page_it_stands() {
    for count in [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 1] {
        let site = Site::new();
        let store = site.open().await;
        let account = person(&store).await;
        let mut living = Vec::new();
        for _ in 0..count {
            living.push(sign_in(&store, &account).await);
        }
        let (ended, ended_token) = sign_in(&store, &account).await;
        SessionStore::end(&store, ending(ended)).await.unwrap();
        site.closed(store).await;

        let store = site.open().await;
        for (session, token) in living {
            let found = match store.cached(&token) {
                Cached::Hit(live) => Some(live.session.record.id),
                Cached::Miss | Cached::KnownAbsent => None,
            };
            assert_eq!(found, Some(session), "one of {count}");
        }
        assert!(matches!(store.cached(&ended_token), Cached::KnownAbsent));
    }
}

#[tokio::test]
async fn sessions_of_an_earlier_epoch_stay_dead_after_a_restart() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (_, token) = sign_in(&store, &account).await;
    let command = AccountCommand {
        account: account.id,
        expected_epoch: account.epoch,
        change: AccountChange::Lock,
        ends_with: EndCause::AccountLocked,
        spends: None,
        opens: None,
        forgives: Vec::new(),
        at: NOW,
        journal: Vec::new(),
    };
    store.change(command).await.unwrap();
    site.closed(store).await;
    let store = site.open().await;
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));
}

#[tokio::test]
async fn a_session_that_expired_while_octroi_was_stopped_is_dead() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let opening = opening(&account);
    let (token, ends_at) = (opening.token.hash, opening.record.ends_at);
    let session = opening.record.id;
    SessionStore::open(&store, opening).await.unwrap();
    site.closed(store).await;
    let store = site.open_with(&site.keyring, 4096, ends_at).await.unwrap();
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((ends_at, EndCause::Expired)));
}

#[tokio::test]
async fn after_a_crash_a_session_may_end_early_and_never_late() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (_, token) = sign_in(&store, &account).await;
    let Cached::Hit(live) = store.cached(&token) else {
        panic!("the session is gone")
    };
    live.session.touch(NOW.after(Duration::from_hours(1)));
    store.flush_last_used().await.unwrap();
    live.session.touch(NOW.after(Duration::from_hours(2)));
    site.closed(store).await;
    let store = site.open().await;
    let Cached::Hit(live) = store.cached(&token) else {
        panic!("the session is gone")
    };
    assert_eq!(
        live.session.last_used_at(),
        NOW.after(Duration::from_hours(1))
    );
}

#[tokio::test]
async fn an_erasure_that_a_crash_cut_short_is_finished_at_the_next_start() {
    use crate::store::personal_keys::KeyName;
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let name = KeyName::Account(account.id);
    let held = store.unsettled.hold();
    let erased = store.erase_rows(account.id, NOW, &[], &held).await;
    erased.unwrap();
    held.settled();
    assert!(
        store
            .scribe
            .personal_keys
            .find(name)
            .await
            .unwrap()
            .is_some()
    );
    site.closed(store).await;
    let store = site.open().await;
    assert!(
        store
            .scribe
            .personal_keys
            .find(name)
            .await
            .unwrap()
            .is_none()
    );
}

/// A kill leaves what was written to the system; only a power cut shows whether it was synced.
#[tokio::test]
async fn invariant_3_every_commit_is_synced_and_one_connection_writes() {
    let site = Site::new();
    let store = site.open().await;
    let keys = store.scribe.personal_keys.pool_for_tests();
    for pool in [store.database.writer(), keys] {
        assert_eq!(pool.options().get_max_connections(), 1);
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(synchronous, 2, "FULL");
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
        let deletes: i64 = sqlx::query_scalar("PRAGMA secure_delete")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(deletes, 1, "what is erased leaves its page");
    }
}

/// The first line of a run with a wrong clock already bears its time.
#[tokio::test]
async fn a_start_under_a_clock_far_ahead_changes_nothing_of_the_journals_time() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    store.append(vec![draft(&account)]).await.unwrap();
    let hour = Duration::from_hours(1);
    let told = store.tell_time(NOW.after(hour), hour).await.unwrap();
    assert_eq!((told.at, told.last_line), (NOW.after(hour), Some(NOW)));
    site.closed(store).await;
    let ahead = NOW.after(hour * 24 * 400);
    for _ in 0..2 {
        let store = site.open_with(&site.keyring, 4096, ahead).await.unwrap();
        let mut started = draft(&account);
        started.at = ahead;
        store.append(vec![started]).await.unwrap();
        let told = store.tell_time(ahead, Duration::ZERO).await.unwrap();
        assert_eq!((told.at, told.last_line), (NOW.after(hour), Some(ahead)));
        site.closed(store).await;
    }
    // Data of an octroi that kept no such time: the last line tells it.
    meddle(
        &site.file("octroi.db"),
        "DELETE FROM meta WHERE name = 'journal_time'",
    )
    .await;
    let further = ahead.after(hour * 24 * 400);
    let store = site.open_with(&site.keyring, 4096, further).await.unwrap();
    let told = store.tell_time(further, Duration::ZERO).await.unwrap();
    assert_eq!(told.at, ahead);
}
