//! Disks that are full or fail while octroi runs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use octroi_policy::time::Timestamp;

use super::{NOW, Site, another_person, draft, ending, opening, person, sign_in};
use crate::{
    journal::{
        Draft, JournalStore,
        entry::JournalQuery,
        event::{Actor, Event, EventKind},
    },
    store::{
        Conflict, StoreError, StoreHealth,
        accounts::{Account, AccountChange, AccountCommand, AccountStore},
        fail_point::watching::watch,
        sessions::{Cached, EndCause, SessionStore},
        sqlite::database::Weight,
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
    store.probe().await.unwrap();
    assert!(
        store.fault().is_some(),
        "an end still waits: a restart would undo it"
    );
    store.sweep(NOW, NOW).await.unwrap();
    assert_eq!(store.fault(), None, "readiness comes back");
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::SignedOut)));
}

/// Otherwise anybody could turn readiness off by going away in the middle of a sign-out.
#[tokio::test]
async fn a_caller_that_goes_away_leaves_an_end_to_the_next_sweep_and_is_no_fault() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (session, token) = sign_in(&store, &account).await;
    let tx = store.database.begin(Weight::Essential).await.unwrap();
    let patience = std::time::Duration::from_millis(20);
    let gone = tokio::time::timeout(patience, SessionStore::end(&store, ending(session))).await;
    assert!(gone.is_err());
    drop(tx);
    assert_eq!(store.fault(), None);
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));
    store.sweep(NOW, NOW).await.unwrap();
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::SignedOut)));
}

/// Where a caller goes away while its sign-in commits, the row is there and memory knows nothing.
#[tokio::test]
async fn a_session_that_memory_does_not_know_ends_at_its_time() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let opening = opening(&account);
    let (session, ends_at) = (opening.record.id, opening.record.ends_at);
    SessionStore::open(&store, opening).await.unwrap();
    store.roster.end(session).unwrap();
    let before = Timestamp::from_unix_millis(ends_at.as_unix_millis() - 1);
    assert!(store.sweep(before, NOW).await.unwrap().is_empty());
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, None);
    assert_eq!(store.sweep(ends_at, NOW).await.unwrap(), [session]);
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((ends_at, EndCause::Expired)));
}

#[tokio::test]
async fn a_lock_that_the_disk_refused_leaves_no_old_session_alive_and_is_made_good_later() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (session, token) = sign_in(&store, &account).await;
    let Cached::Hit(live) = store.cached(&token) else {
        panic!("the session is gone")
    };
    let writer = store.database.writer();
    sqlx::query("ALTER TABLE ticket RENAME TO gone")
        .execute(writer)
        .await
        .unwrap();
    let refused = store.change(lock(&account)).await;
    assert!(matches!(refused.err(), Some(StoreError::Unavailable(_))));
    assert!(live.session.standing().ended, "a request under way ends");
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));

    sqlx::query("ALTER TABLE gone RENAME TO ticket")
        .execute(writer)
        .await
        .unwrap();
    let (_, second) = sign_in(&store, &account).await;
    assert!(matches!(store.cached(&second), Cached::Hit(_)));
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));
    assert!(
        live.session.standing().ended,
        "the next sign-in revives nothing"
    );
    store.sweep(NOW, NOW).await.unwrap();
    let view = store.find(session).await.unwrap().unwrap();
    assert_eq!(view.ended, Some((NOW, EndCause::AccountLocked)));
    let lines = store.search(&told_of(EventKind::SessionEnded)).await;
    assert_eq!(lines.unwrap().entries[0].session, Some(session));
    assert!(matches!(store.cached(&second), Cached::Hit(_)));
}

#[tokio::test]
async fn a_lock_that_rests_on_what_is_no_longer_so_ends_nothing() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let (_, token) = sign_in(&store, &account).await;
    let mut stale = lock(&account);
    stale.expected_epoch = AccountCommand::raised(account.epoch);
    let refused = store.change(stale).await;
    assert_eq!(
        refused.err(),
        Some(StoreError::Conflict(Conflict::AccountChanged))
    );
    let Cached::Hit(live) = store.cached(&token) else {
        panic!("the session is gone")
    };
    assert_eq!(live.session.standing().account_epoch, Some(account.epoch));
    assert!(!live.session.standing().ended);
}

/// Between the commit of a sign-in and its place in memory, a lock would find nothing to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_being_opened_does_not_slip_past_a_lock() {
    let site = Site::new();
    let store = Arc::new(site.open().await);
    let account = person(&store).await;
    let is_locked = Arc::new(AtomicBool::new(false));
    let (committed, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let told = Arc::clone(&is_locked);
    watch("session_open_after_commit", move || {
        committed.send(()).unwrap();
        let patience = std::time::Duration::from_millis(500);
        let (gate, bell) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
        let _ = bell.wait_timeout_while(gate.lock().unwrap(), patience, |()| {
            !told.load(Ordering::SeqCst)
        });
    });
    let opening = opening(&account);
    let token = opening.token.hash;
    let opens = Arc::clone(&store);
    let opened =
        tokio::spawn(async move { opens.open(opening).await.map(|live| live.session.clone()) });
    seen.recv().await.unwrap();
    let changed = store.change(lock(&account)).await.unwrap();
    is_locked.store(true, Ordering::SeqCst);
    assert_eq!(changed.ended.len(), 1);
    let session = opened.await.unwrap().unwrap();
    assert!(session.standing().ended);
    assert!(matches!(store.cached(&token), Cached::KnownAbsent));
}

#[tokio::test]
async fn what_expires_at_the_same_time_is_ended_by_the_hundred() {
    let site = Site::new();
    let store = site.open().await;
    let mut accounts = vec![person(&store).await];
    for _ in 0..5 {
        accounts.push(another_person(&store).await);
    }
    for account in &accounts {
        for _ in 0..100 {
            sign_in(&store, account).await;
        }
    }
    let commits = Arc::new(AtomicU32::new(0));
    let (counted, mine) = (Arc::clone(&commits), std::thread::current().id());
    watch("session_end_after_commit", move || {
        if std::thread::current().id() == mine {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let at = NOW.after(std::time::Duration::from_hours(24));
    assert_eq!(store.sweep(at, NOW).await.unwrap().len(), 600);
    assert_eq!(commits.load(Ordering::SeqCst), 3);
    assert_eq!(SessionStore::list(&store, u16::MAX).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_line_that_cannot_be_sealed_keeps_nobody_elses_from_being_written() {
    let site = Site::new();
    let store = Arc::new(site.open().await);
    let (damaged, other) = (person(&store).await, another_person(&store).await);
    store
        .scribe
        .personal_keys
        .damage_for_tests(damaged.id)
        .await;
    // All wait for the same commit.
    let tx = store.database.begin(Weight::Essential).await.unwrap();
    let append = |account: &Account| {
        let (store, line) = (Arc::clone(&store), draft(account));
        tokio::spawn(async move { store.append(vec![line]).await })
    };
    let first = append(&other);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let waiting = [append(&other), append(&damaged), append(&other)];
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    drop(tx);
    first.await.unwrap().unwrap();
    let [before, own, after] = waiting;
    before.await.unwrap().unwrap();
    after.await.unwrap().unwrap();
    assert!(matches!(own.await.unwrap(), Err(StoreError::Corrupt(_))));
    assert_eq!(store.head().await.unwrap().sequence, 3);
}

/// Workers stop one by one, each with its runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_takes_no_lines_of_others_along() {
    let site = Site::new();
    let store = Arc::new(site.open().await);
    let account = person(&store).await;
    let tx = store.database.begin(Weight::Essential).await.unwrap();
    let (store_there, line) = (Arc::clone(&store), draft(&account));
    let worker = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let patience = std::time::Duration::from_millis(50);
        let gone = runtime.block_on(async {
            tokio::time::timeout(patience, store_there.append(vec![line])).await
        });
        runtime.shutdown_background();
        gone.is_err()
    });
    let (store_here, line) = (Arc::clone(&store), draft(&account));
    while !store.journal.is_being_written() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let other = tokio::spawn(async move { store_here.append(vec![line]).await });
    assert!(worker.join().unwrap(), "it stopped while its line waited");
    drop(tx);
    other.await.unwrap().unwrap();
    assert_eq!(store.head().await.unwrap().sequence, 2);
}

#[tokio::test]
async fn a_panic_of_the_journals_writer_costs_its_own_callers_alone() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let panics = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&panics);
    let mine = std::thread::current().id();
    watch("journal_before_commit", move || {
        let is_mine = std::thread::current().id() == mine;
        assert!(
            !(is_mine && told.load(Ordering::SeqCst)),
            "as the test wants it"
        );
    });
    let refused = store.append(vec![draft(&account)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    panics.store(false, Ordering::SeqCst);
    let patience = std::time::Duration::from_secs(5);
    let appended = tokio::time::timeout(patience, store.append(vec![draft(&account)]));
    appended.await.unwrap().unwrap();
    assert_eq!(store.head().await.unwrap().sequence, 1);
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
    store.flush_last_used().await.unwrap();
    assert_eq!(
        store.fault(),
        Some(StoreError::Full),
        "what goes on on the reserve says nothing of sign-ins"
    );
}

#[tokio::test]
async fn a_full_disk_costs_the_reserve_and_then_the_revocation_goes_through() {
    let site = Site::new();
    let store = site.open().await;
    assert!(site.file("reserve").exists());
    let attempts = AtomicU32::new(0);
    let attempt = || {
        let number = attempts.fetch_add(1, Ordering::SeqCst);
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

fn lock(account: &Account) -> AccountCommand {
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

fn told_of(kind: EventKind) -> JournalQuery {
    JournalQuery {
        kind: Some(kind),
        ..JournalQuery::default()
    }
}
