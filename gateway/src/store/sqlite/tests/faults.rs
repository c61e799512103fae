//! Disks that are full or fail while octroi runs.

use super::{NOW, Site, ending, opening, person, sign_in};
use crate::{
    journal::{
        Draft, JournalStore,
        event::{Actor, Event},
    },
    store::{
        StoreError, StoreHealth,
        accounts::{AccountChange, AccountCommand, AccountStore},
        sessions::{Cached, EndCause, SessionStore},
    },
};

#[tokio::test]
async fn an_end_that_cannot_be_written_leaves_the_session_dead_and_is_made_good_later() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (session, token) = sign_in(&store, &account).await;
    let Cached::Hit(live) = store.cached(&token) else {
        panic!("the session is gone")
    };
    let writer = store.database.writer();
    sqlx::query("ALTER TABLE journal RENAME TO gone")
        .execute(writer)
        .await
        .unwrap();
    let ended = SessionStore::end(&store, ending(session)).await;
    assert!(
        matches!(ended, Err(StoreError::Unavailable(_))),
        "{ended:?}"
    );
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));
    assert!(
        live.session.standing().ended,
        "a request under way is refused too"
    );
    assert_eq!(store.fault(), ended.err(), "readiness goes off");
    assert!(SessionStore::sweep(&store, NOW, NOW).await.is_err());

    sqlx::query("ALTER TABLE gone RENAME TO journal")
        .execute(writer)
        .await
        .unwrap();
    let opened = SessionStore::open(&store, opening(&account)).await;
    assert!(opened.is_ok());
    assert_eq!(store.fault(), None, "readiness comes back");
    store.sweep(NOW, NOW).await.unwrap();
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::SignedOut)));
}

#[tokio::test]
async fn a_change_whose_outcome_is_unknown_leaves_no_old_session_alive() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (_, token) = sign_in(&store, &account).await;
    let writer = store.database.writer();
    sqlx::query("ALTER TABLE ticket RENAME TO gone")
        .execute(writer)
        .await
        .unwrap();
    let refused = store.change(lock(&account)).await;
    assert!(matches!(refused.err(), Some(StoreError::Unavailable(_))));
    let Cached::Hit(live) = store.cached(&token) else {
        return;
    };
    assert_eq!(
        live.session.standing().account_epoch,
        None,
        "no session of the account counts"
    );
}

#[tokio::test]
async fn while_there_is_no_reserve_sign_ins_wait_and_revocations_go_on() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (session, token) = sign_in(&store, &account).await;
    let (_, other) = sign_in(&store, &account).await;
    site.closed(store).await;
    // No disk has room for such a reserve.
    let store = site.open_with(&site.keyring, 1 << 60, NOW).await.unwrap();
    let opened = SessionStore::open(&store, opening(&account)).await;
    assert_eq!(opened.err(), Some(StoreError::Full));
    assert_eq!(store.fault(), Some(StoreError::Full));
    assert!(
        matches!(store.cached(&token), Cached::Hit(_)),
        "who is signed in goes on"
    );
    assert!(SessionStore::end(&store, ending(session)).await.unwrap());
    let line = Draft::new(NOW, Actor::System, Event::Stopped);
    store.append(vec![line]).await.unwrap();
    assert_eq!(store.change(lock(&account)).await.unwrap().ended.len(), 1);
    assert!(matches!(store.cached(&other), Cached::KnownAbsent));
}

#[tokio::test]
async fn a_full_disk_costs_the_reserve_and_then_the_revocation_goes_through() {
    let site = Site::new();
    let store = site.open().await;
    assert!(site.file("reserve").exists());
    let attempts = std::sync::atomic::AtomicU32::new(0);
    let attempt = || {
        let number = attempts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        std::future::ready(if number == 0 {
            Err(StoreError::Full)
        } else {
            Ok(number)
        })
    };
    assert_eq!(store.database.essential(attempt).await, Ok(1));
    assert!(!site.file("reserve").exists());
    store.probe().await.unwrap();
    assert!(
        site.file("reserve").exists(),
        "it is taken again as soon as there is space"
    );
}

#[tokio::test]
async fn a_disk_that_fills_up_is_told_as_such() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let writer = store.database.writer();
    sqlx::query("PRAGMA max_page_count = 1")
        .fetch_all(writer)
        .await
        .unwrap();
    let mut outcome = Ok(());
    for _ in 0..200 {
        let opened = SessionStore::open(&store, opening(&account)).await;
        outcome = opened.map(|_| ());
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome, Err(StoreError::Full));
    sqlx::query("PRAGMA max_page_count = 1000000")
        .fetch_all(writer)
        .await
        .unwrap();
    sign_in(&store, &account).await;
}

#[tokio::test]
async fn a_database_that_became_read_only_is_told_with_the_remedy() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let writer = store.database.writer();
    sqlx::query("PRAGMA query_only = ON")
        .execute(writer)
        .await
        .unwrap();
    let opened = SessionStore::open(&store, opening(&account)).await;
    let message = opened.err().unwrap().to_string();
    assert!(message.contains("check owner and permissions"), "{message}");
}

fn lock(account: &crate::store::accounts::Account) -> AccountCommand {
    AccountCommand {
        account: account.id,
        expected_epoch: account.epoch,
        change: AccountChange::Lock,
        ends_with: EndCause::AccountLocked,
        spends: None,
        opens: None,
        forgives: Vec::new(),
        at: NOW,
        journal: Vec::new(),
    }
}
