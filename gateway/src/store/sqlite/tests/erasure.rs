//! Erasures that something keeps from being finished at once.

use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{NOW, Site, holds, person, sign_in};
use crate::store::{
    Conflict, StoreError, accounts::AccountStore, personal_keys::KeyName, sessions::SessionStore,
};

#[tokio::test]
async fn an_erasure_whose_key_could_not_be_destroyed_is_finished_by_the_next_sweep() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let name = KeyName::Account(account.id);
    let keys = &store.scribe.personal_keys;
    keys.refuse_writes_for_tests(true).await;
    let erased = store.erase(account.id, NOW, Vec::new()).await.unwrap();
    assert!(!erased.is_complete, "nobody is told that it is done");
    assert!(store.by_id(account.id).await.unwrap().is_none());
    assert!(store.sweep(NOW, NOW).await.is_err());
    assert!(keys.find(name).await.unwrap().is_some());
    keys.refuse_writes_for_tests(false).await;
    store.sweep(NOW, NOW).await.unwrap();
    assert!(keys.find(name).await.unwrap().is_none());
}

#[tokio::test]
async fn an_erasure_that_is_asked_for_again_goes_on_where_it_stopped() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let keys = &store.scribe.personal_keys;
    keys.refuse_writes_for_tests(true).await;
    let erase = || store.erase(account.id, NOW, Vec::new());
    assert!(!erase().await.unwrap().is_complete);
    assert!(!erase().await.unwrap().is_complete);
    keys.refuse_writes_for_tests(false).await;
    assert!(erase().await.unwrap().is_complete);
    let name = KeyName::Account(account.id);
    assert!(keys.find(name).await.unwrap().is_none());
    let again = erase().await;
    assert_eq!(again.err(), Some(StoreError::Conflict(Conflict::Missing)));
}

#[tokio::test]
async fn what_a_reader_keeps_in_the_logs_is_gone_with_the_first_sweep_after_it() {
    for file in ["octroi.db", "keys.db"] {
        let site = Site::new();
        let store = site.open().await;
        let account = person(&store).await;
        sign_in(&store, &account).await;
        let gone = match file {
            "octroi.db" => {
                let sql = "SELECT login FROM account";
                let row = sqlx::query(sql).fetch_one(store.database.writer()).await;
                row.unwrap().get::<Vec<u8>, _>(0)
            }
            _ => store.scribe.personal_keys.sealed_for_tests().await,
        };
        let held = || site.contents().iter().any(|(_, bytes)| holds(bytes, &gone));
        let path = site.file(file);
        let mut reader = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
            .await
            .unwrap();
        let mut reading = reader.begin().await.unwrap();
        let sql = "SELECT count(*) FROM sqlite_schema";
        sqlx::query(sql).fetch_one(&mut *reading).await.unwrap();
        let erased = store.erase(account.id, NOW, Vec::new()).await.unwrap();
        assert!(
            !erased.is_complete,
            "{file}: nobody is told that it is done"
        );
        assert!(held(), "{file}: the search works");
        store.sweep(NOW, NOW).await.unwrap();
        assert!(held(), "{file}");
        reading.rollback().await.unwrap();
        store.sweep(NOW, NOW).await.unwrap();
        assert!(!held(), "{file}: a trace is left");
    }
}

/// The key is deleted in its log, and still in its file; the same goes for what it sealed.
#[tokio::test]
async fn what_a_crash_left_in_files_and_logs_is_gone_after_the_next_start() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let key = store.scribe.personal_keys.sealed_for_tests().await;
    let row = sqlx::query("SELECT login FROM account").fetch_one(store.database.writer());
    let login = row.await.unwrap().get::<Vec<u8>, _>(0);
    store.scribe.personal_keys.forget_deleted().await.unwrap();
    store.database.forget_deleted().await.unwrap();
    let held = store.unsettled.hold();
    let erased = store.erase_rows(account.id, NOW, &[], &held).await;
    erased.unwrap();
    held.settled();
    store
        .scribe
        .personal_keys
        .delete_for_tests(account.id)
        .await;
    // As a crash leaves the files.
    let crashed = Site {
        directory: tempfile::tempdir().unwrap(),
        keyring: std::sync::Arc::clone(&site.keyring),
    };
    std::fs::create_dir(crashed.data()).unwrap();
    for (name, bytes) in site.contents() {
        std::fs::write(crashed.file(&name), bytes).unwrap();
    }
    let held = |bytes: &[u8]| {
        let mut files = crashed.contents().into_iter();
        files.any(|(_, file)| holds(&file, bytes))
    };
    assert!(held(&key) && held(&login), "the search works");
    let store = crashed.open().await;
    assert!(!held(&key), "the key");
    assert!(!held(&login), "what it sealed");
    assert!(store.by_id(account.id).await.unwrap().is_none());
}
