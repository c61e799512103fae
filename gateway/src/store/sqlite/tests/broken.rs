//! What cannot be opened, and what the operator is told.

use std::sync::Arc;

use super::{NOW, Site, another_person, meddle, person, sign_in};
use crate::{
    entropy::SystemEntropy,
    keyring::Keyring,
    store::{
        accounts::{AccountPage, AccountStore},
        personal_keys::KeyName,
        sessions::SessionStore,
    },
};

#[tokio::test]
async fn a_data_directory_that_another_process_has_open_is_refused() {
    let site = Site::new();
    let store = site.open().await;
    let message = refusal(&site).await;
    assert!(message.contains("in use by another octroi"), "{message}");
    site.closed(store).await;
    assert!(site.try_open(&site.keyring).await.is_ok());
}

#[tokio::test]
async fn another_keyring_is_refused_before_anything_is_written() {
    let site = Site::new().furnished().await;
    let other = Arc::new(Keyring::ephemeral(&SystemEntropy).unwrap());
    let refused = site.try_open(&other).await.err().unwrap().to_string();
    assert!(refused.contains("the keyring does not belong"), "{refused}");
    assert!(site.try_open(&site.keyring).await.is_ok());
}

#[tokio::test]
async fn a_keyring_is_never_made_the_owner_of_a_store_that_holds_something() {
    let site = Site::new().furnished().await;
    let told = format!(
        "the keyring does not belong to the data directory {}:",
        site.data().display()
    );
    meddle(&site.file("octroi.db"), "DELETE FROM meta").await;
    let message = refusal(&site).await;
    assert!(message.contains(&told), "{message}");
    meddle(&site.file("keys.db"), "DELETE FROM personal_key").await;
    let message = refusal(&site).await;
    assert!(message.contains(&told), "{message}");
}

#[tokio::test]
async fn a_missing_or_foreign_file_of_keys_is_refused() {
    let site = Site::new().furnished().await;
    let other = Site::new().furnished().await;
    std::fs::copy(other.file("keys.db"), site.file("keys.db")).unwrap();
    let message = refusal(&site).await;
    assert!(message.contains("restore its latest copy"), "{message}");
    std::fs::remove_file(site.file("keys.db")).unwrap();
    let message = refusal(&site).await;
    assert!(
        message.contains("keys.db is missing or belongs to another"),
        "{message}"
    );
}

#[tokio::test]
async fn a_schema_that_is_newer_than_the_binary_is_refused() {
    let site = Site::new().furnished().await;
    meddle(
        &site.file("octroi.db"),
        "INSERT INTO _sqlx_migrations VALUES (99, 'later', 0, 1, x'00', 0)",
    )
    .await;
    let message = refusal(&site).await;
    assert!(
        message.contains("written by a newer octroi (schema 99, this one knows 2)"),
        "{message}"
    );
}

#[tokio::test]
async fn a_database_that_is_not_octrois_is_refused_and_left_alone() {
    let site = Site::new();
    std::fs::create_dir(site.data()).unwrap();
    meddle(
        &site.file("octroi.db"),
        "CREATE TABLE invoices (id INTEGER)",
    )
    .await;
    let message = refusal(&site).await;
    assert!(message.contains("is not a database of octroi"), "{message}");
    meddle(&site.file("octroi.db"), "INSERT INTO invoices VALUES (1)").await;
}

#[tokio::test]
async fn a_migration_that_was_edited_after_it_was_applied_is_refused() {
    let site = Site::new().furnished().await;
    meddle(
        &site.file("octroi.db"),
        "UPDATE _sqlx_migrations SET checksum = x'00'",
    )
    .await;
    let message = refusal(&site).await;
    assert!(message.contains("is not a database of octroi"), "{message}");
}

#[tokio::test]
async fn a_truncated_or_overwritten_database_is_told_with_the_remedy() {
    for name in ["octroi.db", "keys.db"] {
        let site = Site::new().furnished().await;
        let path = site.file(name);
        let len = std::fs::metadata(&path).unwrap().len();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(len / 2).unwrap();
        let message = refusal(&site).await;
        assert!(
            message.contains(name) && message.contains("restore"),
            "{message}"
        );
        std::fs::write(&path, vec![0x5a; 8192]).unwrap();
        let message = refusal(&site).await;
        assert!(
            message.contains(name) && message.contains("restore"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_database_that_another_program_keeps_locked_is_told_and_changes_nothing() {
    use sqlx::{ConnectOptions as _, Executor as _};
    let site = Site::new().furnished().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(site.file("octroi.db"));
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    let message = refusal(&site).await;
    assert!(
        message.contains("another program holds a lock"),
        "{message}"
    );
    other.execute("ROLLBACK").await.unwrap();
    assert!(site.try_open(&site.keyring).await.is_ok());
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_told_by_its_path() {
    let site = Site::new();
    std::fs::write(site.data(), b"a file").unwrap();
    let message = refusal(&site).await;
    assert!(
        message.contains("cannot use") && message.contains("data"),
        "{message}"
    );
}

#[tokio::test]
async fn the_files_may_be_read_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new();
    let store = site.open().await;
    person(&store).await;
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(site.data()), 0o700);
    for file in std::fs::read_dir(site.data()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
    }
}

/// What the operator reads.
async fn refusal(site: &Site) -> String {
    site.try_open(&site.keyring)
        .await
        .err()
        .unwrap()
        .to_string()
}

#[tokio::test]
async fn what_is_damaged_about_one_account_hides_no_other() {
    let site = Site::new();
    let store = site.open().await;
    let mut two = [person(&store).await, another_person(&store).await];
    two.sort_by_key(|account| account.id);
    let [damaged, other] = two;
    let (unreadable, _) = sign_in(&store, &damaged).await;
    let (readable, _) = sign_in(&store, &other).await;
    let keys = &store.scribe.personal_keys;
    keys.damage_for_tests(damaged.id).await;
    // One at a time: on the page of the damaged one nothing can be read, and it is not the last.
    for limit in [100, 1] {
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        let mut page = AccountPage {
            tenant: None,
            after: None,
            limit,
        };
        // One page more than there are accounts, so the last is empty.
        for _ in 0..3 {
            let listed = AccountStore::list(&store, page).await.unwrap();
            readable.extend(listed.accounts.iter().map(|account| account.id));
            unreadable.extend(listed.unreadable);
            page.after = listed.last.or(page.after);
        }
        assert_eq!((readable, unreadable), (vec![other.id], vec![damaged.id]));
    }
    let seen = SessionStore::list(&store, 100).await.unwrap();
    assert_eq!(seen.len(), 2, "each session can be found, and ended");
    for view in seen {
        assert_eq!(view.origin.address.is_some(), view.record.id == readable);
    }
    let view = store.find(unreadable).await.unwrap().unwrap();
    assert_eq!(view.origin.address, None);
}

/// A crash may leave the key of an erased account behind, and a disk may damage it then.
#[tokio::test]
async fn a_damaged_key_of_an_erased_account_stops_no_start_and_is_destroyed() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    let held = store.unsettled.hold();
    let erased = store.erase_rows(account.id, NOW, &[], &held).await;
    erased.unwrap();
    held.settled();
    let keys = &store.scribe.personal_keys;
    keys.damage_for_tests(account.id).await;
    site.closed(store).await;
    let store = site.open().await;
    let name = KeyName::Account(account.id);
    let left = store.scribe.personal_keys.find_sealed(name).await.unwrap();
    assert_eq!(left, None);
}
