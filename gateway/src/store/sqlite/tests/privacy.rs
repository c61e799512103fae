//! What the files give away to somebody who has them, and not the keyring.

use sqlx::Row as _;

use super::{NOW, Site, draft, holds, person, sign_in};
use crate::{
    journal::{
        Draft, JournalStore,
        event::{Actor, Event, SignInFailure},
    },
    store::{
        accounts::AccountStore,
        personal_keys::KeyName,
        signing_keys::{SigningKey, SigningKeyStore},
    },
};

#[tokio::test]
async fn invariant_5_nothing_personal_and_no_secret_stands_in_the_files() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    sign_in(&store, &account).await;
    let event = Event::SignInFailed {
        reason: SignInFailure::UnknownLogin,
    };
    let mut typed = Draft::new(NOW, Actor::Anonymous, event);
    typed.personal.unknown_identifier = Some("my-Password-typed-as-login".into());
    typed.personal.address = Some([192, 0, 2, 99].into());
    store.append(vec![typed]).await.unwrap();
    let key = SigningKey {
        key_id: "first".to_owned(),
        pkcs8: zeroize::Zeroizing::new(b"-private-key-material-".to_vec()),
        created_at: NOW,
        signs_from: NOW,
    };
    SigningKeyStore::insert(&store, key, Vec::new())
        .await
        .unwrap();
    let personal_key = store
        .scribe
        .personal_keys
        .find(KeyName::Account(account.id));
    let personal_key = *personal_key.await.unwrap().unwrap().expose();
    let secrets: [&[u8]; 10] = [
        b"marie",
        b"Marie",
        b"Curie",
        b"marie@acme.example",
        b"192.0.2.77",
        b"192.0.2.99",
        b"Plan9",
        b"typed-as-login",
        b"private-key-material",
        &personal_key,
    ];
    let contents = site.contents();
    assert!(contents.iter().any(|(name, _)| name == "octroi.db-wal"));
    assert!(
        contents.iter().any(|(_, bytes)| holds(bytes, b"Acme SARL")),
        "the search works"
    );
    for (name, bytes) in contents {
        for secret in secrets {
            let shown = String::from_utf8_lossy(secret);
            assert!(!holds(&bytes, secret), "{name} holds {shown:?}");
        }
    }
}

#[tokio::test]
async fn f3_after_an_erasure_the_key_and_what_it_sealed_are_gone_from_the_files() {
    let site = Site::new();
    let store = site.open().await;
    let account = person(&store).await;
    sign_in(&store, &account).await;
    let sealed = |sql: &'static str, pool: sqlx::SqlitePool| async move {
        let row = sqlx::query(sql).fetch_one(&pool).await.unwrap();
        row.get::<Vec<u8>, _>(0)
    };
    let main = store.database.writer().clone();
    let key = store.scribe.personal_keys.sealed_for_tests().await;
    let gone = [
        key,
        sealed("SELECT login FROM account", main.clone()).await,
        sealed("SELECT profile FROM account", main.clone()).await,
        sealed("SELECT origin FROM session", main.clone()).await,
        b"$argon2id$first".to_vec(),
    ];
    let held = |bytes: &[u8]| site.contents().iter().any(|(_, file)| holds(file, bytes));
    assert!(gone.iter().all(|bytes| held(bytes)), "the search works");
    let erased = AccountStore::erase(&store, account.id, NOW, vec![draft(&account)]);
    erased.await.unwrap();
    for (position, bytes) in gone.iter().enumerate() {
        assert!(!held(bytes), "number {position} is still there");
    }
}
