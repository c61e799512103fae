//! A store of each kind with a tenant in it, and short ways to put things in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{AccountId, SessionId, TenantId},
    session::{Computer, SessionEpoch, SessionRecord, Stage, TokenFacts},
    time::Timestamp,
};
use zeroize::Zeroizing;

use crate::{
    entropy::{SystemEntropy, random},
    journal::event::{Actor, Draft, Event, Personal},
    keyring::Keyring,
    store::{
        Stores,
        accounts::{
            Account, AccountChange, AccountCommand, NewAccount, Password, PasswordHash,
            PasswordOrigin, Profile,
        },
        adversarial, memory,
        sessions::{
            Cached, EndCause, EndReason, NewToken, PasswordEffect, SessionEnding, SessionOpening,
            SessionOrigin, TokenHash,
        },
        sqlite,
        tenants::Tenant,
    },
};

/// A store under test.
pub(super) struct Workbench {
    pub(super) stores: Stores,
    pub(super) tenant: Tenant,
    _directory: Option<tempfile::TempDir>,
}

/// When the tests take place: 2026-11-22.
pub(super) const NOW: Timestamp = Timestamp::from_unix_millis(1_795_305_600_000);

impl Workbench {
    pub(super) fn memory() -> Self {
        Self::over(memory::open(keyring(), Arc::new(SystemEntropy)), None)
    }

    pub(super) fn slow() -> Self {
        let inner = memory::open(keyring(), Arc::new(SystemEntropy));
        let weather = adversarial::Weather::default();
        weather.set_delay(Duration::from_millis(20));
        weather.forget_all(true);
        Self::over(adversarial::wrap(inner, weather), None)
    }

    /// A store whose weather the test makes.
    pub(super) fn under(weather: adversarial::Weather) -> Self {
        let inner = memory::open(keyring(), Arc::new(SystemEntropy));
        Self::over(adversarial::wrap(inner, weather), None)
    }

    pub(super) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = sqlite::OpenOptions::new(directory.path().join("data"), NOW);
        options.reserve_len = 4096;
        let stores = sqlite::open(options, keyring(), Arc::new(SystemEntropy)).await;
        Self::over(stores.unwrap(), Some(directory))
    }

    fn over(stores: Stores, directory: Option<tempfile::TempDir>) -> Self {
        let tenant = Tenant {
            id: TenantId::from_random([1; 16]),
            name: "acme".parse().unwrap(),
            display_name: "Acme SARL".into(),
            created_at: NOW,
        };
        Self {
            stores,
            tenant,
            _directory: directory,
        }
    }

    /// Adds the tenant, and a person who may sign in.
    pub(super) async fn person(&self) -> Account {
        self.person_called("marie").await
    }

    pub(super) async fn person_called(&self, login: &str) -> Account {
        self.person_with(login, Some(own_password("$argon2id$first")))
            .await
    }

    pub(super) async fn person_with(&self, login: &str, password: Option<Password>) -> Account {
        if self
            .stores
            .tenants
            .by_id(self.tenant.id)
            .await
            .unwrap()
            .is_none()
        {
            let inserted = self.stores.tenants.insert(self.tenant.clone(), Vec::new());
            inserted.await.unwrap();
        }
        let new = self.new_account(login, password);
        let id = new.id;
        self.stores.accounts.insert(new, Vec::new()).await.unwrap();
        self.account(id).await
    }

    pub(super) fn new_account(&self, login: &str, password: Option<Password>) -> NewAccount {
        NewAccount {
            id: AccountId::from_random(bytes()),
            tenant: self.tenant.id,
            login: login.into(),
            profile: Profile {
                name: Some("Marie Curie".into()),
                email: Some("marie@acme.example".into()),
                language: None,
            },
            roles: Box::new(["rh".parse().unwrap()]),
            password,
            created_at: NOW,
        }
    }

    pub(super) async fn account(&self, id: AccountId) -> Account {
        self.stores.accounts.by_id(id).await.unwrap().unwrap()
    }

    /// Signs the person in at the portal.
    pub(super) async fn sign_in(&self, account: &Account) -> (SessionId, TokenHash) {
        let opening = self.opening(account);
        let (session, token) = (opening.record.id, opening.token.hash);
        self.stores.sessions.open(opening).await.unwrap();
        (session, token)
    }

    pub(super) fn opening(&self, account: &Account) -> SessionOpening {
        opening(account, account.epoch, &self.tenant)
    }

    pub(super) async fn knows(&self, token: &TokenHash) -> bool {
        match self.stores.sessions.cached(token) {
            Cached::Hit(_) => true,
            Cached::KnownAbsent => false,
            Cached::Miss => self.stores.sessions.load(token).await.unwrap().is_some(),
        }
    }

    pub(super) async fn end(&self, session: SessionId, cause: EndCause) -> bool {
        let ending = SessionEnding {
            session,
            reason: reason(cause),
        };
        self.stores.sessions.end(ending).await.unwrap()
    }
}

pub(super) fn opening(account: &Account, epoch: SessionEpoch, tenant: &Tenant) -> SessionOpening {
    SessionOpening {
        record: SessionRecord {
            id: SessionId::from_random(bytes()),
            account: account.id,
            tenant_id: tenant.id,
            tenant: tenant.name.clone(),
            roles: (&*account.roles).into(),
            grants: account.grants.clone(),
            epoch,
            stage: Stage::Full,
            computer: Computer::Public,
            started_at: NOW,
            authenticated_at: NOW,
            ends_at: NOW.after(Duration::from_hours(24)),
            idle_limit: Duration::from_mins(15),
        },
        token: token_for("login.example.com"),
        origin: SessionOrigin {
            address: Some([192, 0, 2, 7].into()),
            browser: Some("Mozilla/5.0 (X11; Linux x86_64)".into()),
        },
        replaces: None,
        password: PasswordEffect::Keep,
        forgives: Vec::new(),
        journal: vec![draft(account)],
    }
}

pub(super) fn token_for(host: &str) -> NewToken {
    NewToken {
        hash: TokenHash(bytes()),
        facts: TokenFacts {
            host: host.parse::<Host>().unwrap(),
            assurance: Assurance::Password,
            issued_at: NOW,
        },
    }
}

pub(super) fn command(account: &Account, change: AccountChange) -> AccountCommand {
    AccountCommand {
        account: account.id,
        expected_epoch: account.epoch,
        change,
        ends_with: EndCause::PasswordChanged,
        spends: None,
        opens: None,
        forgives: Vec::new(),
        at: NOW,
        journal: vec![draft(account)],
    }
}

pub(super) fn reason(cause: EndCause) -> EndReason {
    let event = Event::SessionEnded { cause };
    EndReason {
        cause,
        at: NOW.after(Duration::from_mins(1)),
        journal: vec![Draft::new(NOW, Actor::System, event)],
    }
}

/// A line with every field.
pub(super) fn draft(account: &Account) -> Draft {
    Draft {
        at: NOW,
        actor: Actor::Account(account.id),
        event: Event::PasswordChanged {
            by_invitation: false,
        },
        tenant: Some(account.tenant),
        account: Some(account.id),
        session: None,
        request: None,
        personal: Personal {
            login: Some(account.login.clone()),
            name: account.profile.name.clone(),
            email: account.profile.email.clone(),
            address: Some([192, 0, 2, 7].into()),
            browser: Some("Mozilla/5.0".into()),
            unknown_identifier: None,
        },
    }
}

pub(super) fn own_password(phc: &str) -> Password {
    Password {
        hash: PasswordHash::from_phc(Zeroizing::new(phc.to_owned())),
        set_at: NOW,
        origin: PasswordOrigin::Own,
    }
}

pub(super) fn provisional_password(expires_at: Timestamp) -> Password {
    Password {
        origin: PasswordOrigin::Provisional {
            expires_at,
            spent: false,
        },
        ..own_password("$argon2id$provisional")
    }
}

/// Bytes that never repeat within a test.
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    random(&SystemEntropy).unwrap()
}

pub(super) fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::ephemeral(&SystemEntropy).unwrap())
}

/// Runs `attempt` fifty times at once; answers how many of them say that they won.
pub(super) async fn winners_of_fifty<F>(attempt: impl Fn() -> F) -> u64
where
    F: Future<Output = bool> + Send + 'static,
{
    let won = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (attempt, won) = (attempt(), Arc::clone(&won));
            tokio::spawn(async move {
                if attempt.await {
                    won.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    won.load(Ordering::SeqCst)
}
