//! The store that forgets everything when the process ends: for tests, and the model that the
//! other adapters are compared with.

mod accounts;
mod journal;
mod records;
mod sessions;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use octroi_policy::{
    id::{AccountId, SessionId, TenantId},
    session::SessionRecord,
    time::Timestamp,
};

use self::sessions::Kept;
use super::{
    StoreError, StoreHealth, Stores,
    accounts::Account,
    invitations::{Invitation, InvitationHash},
    personal_keys::KeyName,
    roster::Roster,
    signing_keys::SigningKey,
    tenants::Tenant,
    throttle::{ThrottleCounter, ThrottleKey},
    tickets::Ticket,
};
use crate::{
    entropy::Entropy,
    journal::{
        chain::{Head, Line},
        tally::Tally,
    },
    keyring::{Keyring, sealing::SealingKey},
};

/// A store in memory.
pub(crate) struct MemoryStore {
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
    roster: Roster,
    tally: Mutex<Tally>,
    world: Mutex<World>,
}

/// Everything that is kept. Each command checks first and changes then, under one lock.
struct World {
    tenants: BTreeMap<TenantId, Tenant>,
    accounts: BTreeMap<AccountId, Account>,
    invitations: HashMap<InvitationHash, Invitation>,
    tickets: HashMap<[u8; 32], Ticket>,
    throttle: HashMap<ThrottleKey, ThrottleCounter>,
    sessions: BTreeMap<SessionId, Kept>,
    signing_keys: Vec<SigningKey>,
    personal_keys: BTreeMap<KeyName, SealingKey>,
    lines: Vec<Line>,
    head: Head,
    checkpoint: Head,
    /// What the journal goes by.
    time: Option<Timestamp>,
}

/// Opens an empty store.
pub(crate) fn open(keyring: Arc<Keyring>, entropy: Arc<dyn Entropy>) -> Stores {
    let store = Arc::new(MemoryStore {
        keyring,
        entropy,
        roster: Roster::new(),
        tally: Mutex::default(),
        world: Mutex::new(World {
            tenants: BTreeMap::new(),
            accounts: BTreeMap::new(),
            invitations: HashMap::new(),
            tickets: HashMap::new(),
            throttle: HashMap::new(),
            sessions: BTreeMap::new(),
            signing_keys: Vec::new(),
            personal_keys: BTreeMap::new(),
            lines: Vec::new(),
            head: Head::START,
            checkpoint: Head::START,
            time: None,
        }),
    });
    Stores {
        accounts: store.clone(),
        tenants: store.clone(),
        invitations: store.clone(),
        sessions: store.clone(),
        tickets: store.clone(),
        throttle: store.clone(),
        signing_keys: store.clone(),
        journal: store.clone(),
        health: store,
    }
}

impl MemoryStore {
    fn world(&self) -> MutexGuard<'_, World> {
        // Commands check before they change: a panic cannot leave half a change behind.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// When a living session was opened; `None` once it has ended.
    fn living(&self, session: SessionId) -> Option<&SessionRecord> {
        let kept = self.sessions.get(&session)?;
        kept.ended.is_none().then_some(&kept.record)
    }
}

#[async_trait::async_trait]
impl StoreHealth for MemoryStore {
    fn fault(&self) -> Option<StoreError> {
        None
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Whether `at` lies before `until`.
fn is_open(until: Timestamp, at: Timestamp) -> bool {
    at < until
}
