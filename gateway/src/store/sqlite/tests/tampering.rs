//! Journals that somebody with the file, and without the keyring, has changed.

use octroi_policy::time::Timestamp;

use super::{NOW, Site, draft, person};
use crate::{
    journal::{
        Draft, JournalStore,
        entry::{ChainFlaw, Verification},
        event::{Actor, Event},
    },
    store::sqlite::SqliteStore,
};

#[tokio::test]
async fn d11_a_line_that_was_edited_is_found() {
    for sql in [
        "UPDATE journal SET fields = '{}' WHERE sequence = 3",
        "UPDATE journal SET at = at + 1 WHERE sequence = 3",
        "UPDATE journal SET actor = 'os:0' WHERE sequence = 3",
        "UPDATE journal SET kind = 'stopped' WHERE sequence = 3",
        "UPDATE journal SET account = zeroblob(16) WHERE sequence = 3",
        "UPDATE journal SET account = NULL WHERE sequence = 3",
        "UPDATE journal SET tenant = account WHERE sequence = 3",
        "UPDATE journal SET sealed = zeroblob(40) WHERE sequence = 3",
        "UPDATE journal SET sealed = NULL, key_name = NULL WHERE sequence = 3",
        "UPDATE journal SET identifier_hash = x'0011223344' WHERE sequence = 3",
        "UPDATE journal SET code = zeroblob(32) WHERE sequence = 3",
    ] {
        let (_site, store) = five_lines().await;
        unlock(&store, sql).await;
        assert_eq!(verify(&store).await, broken(3, ChainFlaw::Altered), "{sql}");
    }
}

#[tokio::test]
async fn d11_lines_that_changed_places_are_found() {
    let (_site, store) = five_lines().await;
    unlock(
        &store,
        "UPDATE journal SET sequence = 100 WHERE sequence = 3;
         UPDATE journal SET sequence = 3 WHERE sequence = 4;
         UPDATE journal SET sequence = 4 WHERE sequence = 100",
    )
    .await;
    assert_eq!(verify(&store).await, broken(3, ChainFlaw::Altered));
}

#[tokio::test]
async fn d11_a_line_that_was_taken_out_is_found() {
    let (_site, store) = five_lines().await;
    unlock(&store, "DELETE FROM journal WHERE sequence = 2").await;
    assert_eq!(verify(&store).await, broken(2, ChainFlaw::Missing));
}

#[tokio::test]
async fn d11_an_end_that_was_cut_off_is_found() {
    for sql in [
        "DELETE FROM journal WHERE sequence > 3",
        "DELETE FROM journal WHERE sequence > 3;
         UPDATE journal_head SET sequence = 3,
                                 code = (SELECT code FROM journal WHERE sequence = 3)",
    ] {
        let (_site, store) = five_lines().await;
        unlock(&store, sql).await;
        assert_eq!(
            verify(&store).await,
            broken(4, ChainFlaw::Truncated),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn d11_an_older_copy_put_back_is_found_by_a_head_that_was_logged() {
    let site = Site::new();
    let store = site.open().await;
    append(&store, 3).await;
    site.closed(store).await;
    let copy = std::fs::read(site.file("octroi.db")).unwrap();
    let store = site.open().await;
    append(&store, 2).await;
    let logged = store.head().await.unwrap();
    site.closed(store).await;
    std::fs::write(site.file("octroi.db"), copy).unwrap();
    let store = site.open().await;
    assert!(matches!(
        verify(&store).await,
        Verification::Intact { entries: 3, .. }
    ));
    assert_eq!(
        store.verify(Some(&logged)).await.unwrap(),
        broken(4, ChainFlaw::WitnessAbsent)
    );
}

#[tokio::test]
async fn d11_a_forged_checkpoint_is_found() {
    let (_site, store) = five_lines().await;
    unlock(
        &store,
        "UPDATE journal_checkpoint
         SET sequence = 2, code = (SELECT code FROM journal WHERE sequence = 2);
         DELETE FROM journal WHERE sequence <= 2",
    )
    .await;
    assert_eq!(
        verify(&store).await,
        broken(2, ChainFlaw::CheckpointAltered)
    );
}

#[tokio::test]
async fn the_database_itself_refuses_to_edit_or_take_out_a_line() {
    let (_site, store) = five_lines().await;
    for sql in [
        "UPDATE journal SET at = 0 WHERE sequence = 3",
        "DELETE FROM journal WHERE sequence = 3",
        "DELETE FROM journal",
    ] {
        let refused = sqlx::query(sql).execute(store.database.writer()).await;
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("the journal is append-only"), "{message}");
    }
    assert!(matches!(
        verify(&store).await,
        Verification::Intact { entries: 5, .. }
    ));
}

#[tokio::test]
async fn a_purge_of_more_lines_than_one_transaction_takes_goes_on_to_the_end() {
    let site = Site::new();
    let store = site.open().await;
    let event = Event::Stopped;
    let many = vec![Draft::new(NOW, Actor::System, event); 5_200];
    store.append(many).await.unwrap();
    let later = Timestamp::from_unix_millis(NOW.as_unix_millis() + 1);
    let now = Timestamp::from_unix_millis(NOW.as_unix_millis() + 10);
    assert_eq!(store.purge(later, now).await.unwrap(), 5_200);
    let verified = verify(&store).await;
    assert!(
        matches!(
            verified,
            Verification::Intact {
                entries: 2,
                purged: 5_200,
                ..
            }
        ),
        "{verified:?}"
    );
}

async fn five_lines() -> (Site, SqliteStore) {
    let site = Site::new();
    let store = site.open().await;
    append(&store, 5).await;
    (site, store)
}

async fn append(store: &SqliteStore, lines: usize) {
    let account = match crate::store::accounts::AccountStore::by_login(
        store,
        octroi_policy::id::TenantId::from_random([1; 16]),
        "marie",
    )
    .await
    .unwrap()
    {
        Some(account) => account,
        None => person(store).await,
    };
    for _ in 0..lines {
        store.append(vec![draft(&account)]).await.unwrap();
    }
}

/// Runs SQL as somebody would who has taken the database's own guards away.
async fn unlock(store: &SqliteStore, sql: &'static str) {
    let writer = store.database.writer();
    sqlx::raw_sql(
        "DROP TRIGGER journal_is_never_edited;
         DROP TRIGGER journal_is_purged_behind_the_checkpoint_alone",
    )
    .execute(writer)
    .await
    .unwrap();
    sqlx::raw_sql(sql).execute(writer).await.unwrap();
}

async fn verify(store: &SqliteStore) -> Verification {
    store.verify(None).await.unwrap()
}

const fn broken(sequence: u64, flaw: ChainFlaw) -> Verification {
    Verification::Broken { sequence, flaw }
}
