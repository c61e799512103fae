//! The embedded store: what it refuses to open, what survives, what is found out, what is erased.

mod broken;
mod ends;
mod erasure;
mod faults;
mod plans;
mod privacy;
mod restart;
mod tampering;
mod upgrade;

use std::{path::Path, sync::Arc, time::Duration};

use octroi_policy::{
    assurance::Assurance,
    id::{AccountId, SessionId, TenantId},
    session::{Computer, SessionRecord, Stage, TokenFacts},
    time::Timestamp,
};
use zeroize::Zeroizing;

use super::{OpenError, OpenOptions, SqliteStore, open};
use crate::{
    entropy::{SystemEntropy, random},
    journal::event::{Actor, Draft, Event, Personal},
    keyring::Keyring,
    store::{
        accounts::{
            Account, AccountStore, NewAccount, Password, PasswordHash, PasswordOrigin, Profile,
        },
        sessions::{
            EndCause, EndReason, NewToken, PasswordEffect, SessionEnding, SessionOpening,
            SessionOrigin, SessionStore, TokenHash,
        },
        tenants::{Tenant, TenantStore},
    },
};

/// When the tests take place: 2026-11-22.
const NOW: Timestamp = Timestamp::from_unix_millis(1_795_305_600_000);

/// A data directory and its keyring.
struct Site {
    directory: tempfile::TempDir,
    keyring: Arc<Keyring>,
}

impl Site {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            keyring: Arc::new(Keyring::ephemeral(&SystemEntropy).unwrap()),
        }
    }

    fn data(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.data().join(name)
    }

    async fn open(&self) -> SqliteStore {
        self.try_open(&self.keyring).await.unwrap()
    }

    async fn try_open(&self, keyring: &Arc<Keyring>) -> Result<SqliteStore, OpenError> {
        self.open_with(keyring, 4096, NOW).await
    }

    async fn open_with(
        &self,
        keyring: &Arc<Keyring>,
        reserve_len: u64,
        now: Timestamp,
    ) -> Result<SqliteStore, OpenError> {
        let options = OpenOptions {
            data: self.data(),
            now,
            reserve_len,
        };
        open::open(options, Arc::clone(keyring), Arc::new(SystemEntropy)).await
    }

    /// Opens it, puts a person in, and closes it again.
    async fn furnished(self) -> Self {
        let store = self.open().await;
        person(&store).await;
        self.closed(store).await;
        self
    }

    /// Waits until the files are let go of.
    async fn closed(&self, store: SqliteStore) {
        store.database.close().await;
        store.scribe.personal_keys.close().await;
        drop(store);
    }

    /// What each file of the data directory holds.
    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let files = std::fs::read_dir(self.data()).unwrap();
        files
            .map(|file| {
                let file = file.unwrap();
                let name = file.file_name().to_string_lossy().into_owned();
                (name, std::fs::read(file.path()).unwrap())
            })
            .collect()
    }
}

/// Adds a tenant and a person.
async fn person(store: &SqliteStore) -> Account {
    let tenant = Tenant {
        id: TenantId::from_random([1; 16]),
        name: "acme".parse().unwrap(),
        display_name: "Acme SARL".into(),
        created_at: NOW,
    };
    TenantStore::insert(store, tenant.clone(), Vec::new())
        .await
        .unwrap();
    person_called(store, &tenant, "marie").await
}

/// Adds another person to the same tenant.
async fn another_person(store: &SqliteStore) -> Account {
    let tenants = TenantStore::list(store).await.unwrap();
    let login: [u8; 8] = random(&SystemEntropy).unwrap();
    let login = data_encoding::HEXLOWER.encode(&login);
    person_called(store, &tenants[0], &login).await
}

async fn person_called(store: &SqliteStore, tenant: &Tenant, login: &str) -> Account {
    let id = AccountId::from_random(random(&SystemEntropy).unwrap());
    let new = NewAccount {
        id,
        tenant: tenant.id,
        login: login.into(),
        profile: Profile {
            name: Some("Marie Curie".into()),
            email: Some("marie@acme.example".into()),
            language: None,
        },
        roles: Box::new(["rh".parse().unwrap()]),
        password: Some(Password {
            hash: PasswordHash::from_phc(Zeroizing::new("$argon2id$first".to_owned())),
            set_at: NOW,
            origin: PasswordOrigin::Own,
        }),
        created_at: NOW,
    };
    AccountStore::insert(store, new, vec![]).await.unwrap();
    AccountStore::by_id(store, id).await.unwrap().unwrap()
}

async fn sign_in(store: &SqliteStore, account: &Account) -> (SessionId, TokenHash) {
    let opening = opening(account);
    let (session, token) = (opening.record.id, opening.token.hash);
    SessionStore::open(store, opening).await.unwrap();
    (session, token)
}

fn opening(account: &Account) -> SessionOpening {
    SessionOpening {
        record: SessionRecord {
            id: SessionId::from_random(random(&SystemEntropy).unwrap()),
            account: account.id,
            tenant_id: account.tenant,
            tenant: account.tenant_name.clone(),
            roles: (&*account.roles).into(),
            grants: account.grants.clone(),
            epoch: account.epoch,
            stage: Stage::Full,
            computer: Computer::Private,
            started_at: NOW,
            authenticated_at: NOW,
            ends_at: NOW.after(Duration::from_hours(24)),
            idle_limit: Duration::from_hours(8),
        },
        token: NewToken {
            hash: TokenHash(random(&SystemEntropy).unwrap()),
            facts: TokenFacts {
                host: "login.example.com".parse().unwrap(),
                assurance: Assurance::Password,
                issued_at: NOW,
            },
        },
        origin: SessionOrigin {
            address: Some([192, 0, 2, 77].into()),
            browser: Some("Mozilla/5.0 (X11; Plan9)".into()),
        },
        replaces: None,
        password: PasswordEffect::Keep,
        forgives: Vec::new(),
        journal: vec![draft(account)],
    }
}

fn ending(session: SessionId) -> SessionEnding {
    let cause = EndCause::SignedOut;
    let event = Event::SessionEnded { cause };
    SessionEnding {
        session,
        reason: EndReason {
            cause,
            at: NOW,
            journal: vec![Draft::new(NOW, Actor::System, event)],
        },
    }
}

fn draft(account: &Account) -> Draft {
    let event = Event::PasswordChanged {
        by_invitation: false,
    };
    let mut draft = Draft::new(NOW, Actor::Account(account.id), event);
    draft.account = Some(account.id);
    draft.personal = Personal {
        login: Some(account.login.clone()),
        name: account.profile.name.clone(),
        email: account.profile.email.clone(),
        address: Some([192, 0, 2, 77].into()),
        browser: Some("Mozilla/5.0 (X11; Plan9)".into()),
        unknown_identifier: None,
    };
    draft
}

/// Runs SQL on a file behind the store's back.
async fn meddle(path: &Path, sql: &'static str) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

/// Whether `wanted` stands anywhere in `bytes`.
fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
