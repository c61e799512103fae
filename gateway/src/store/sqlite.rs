//! The embedded store: two SQLite files in the data directory, and all living sessions in memory.
//!
//! One writer, a few readers; write-ahead log, every commit synced. A command holds the writer from
//! its first check to its commit, so what it checked is still so when it commits.

mod accounts;
mod changes;
mod database;
mod ends;
mod erasure;
mod fault;
mod invitations;
mod journal;
mod journal_time;
mod nobody;
mod open;
mod origin;
mod personal_keys;
mod reserve;
mod rows;
mod scribe;
mod session_rows;
mod session_views;
mod sessions;
mod signing_keys;
pub(crate) mod statements;
mod tenants;
mod throttle;
mod tickets;
mod traces;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

pub(crate) use self::open::{OpenError, OpenOptions};
use self::{
    database::{Database, Weight},
    ends::Unsettled,
    erasure::Unfinished,
    journal::JournalWriter,
    nobody::Nobody,
    scribe::Scribe,
};
use super::{StoreError, StoreHealth, Stores, roster::Roster};
use crate::{entropy::Entropy, journal::tally::Tally, keyring::Keyring};

/// The store over one data directory, which it holds the lock of.
pub(crate) struct SqliteStore {
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
    database: Arc<Database>,
    scribe: Arc<Scribe>,
    journal: Arc<JournalWriter>,
    roster: Roster,
    tally: Mutex<Tally>,
    /// Tried again each minute.
    unsettled: Unsettled,
    /// Tried again each minute.
    unfinished: Unfinished,
    nobody: Nobody,
}

/// Opens the store of a data directory; makes it where there is none.
pub(crate) async fn open(
    options: OpenOptions,
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
) -> Result<Stores, OpenError> {
    let store = Arc::new(open::open(options, keyring, entropy).await?);
    Ok(Stores {
        accounts: store.clone(),
        tenants: store.clone(),
        invitations: store.clone(),
        sessions: store.clone(),
        tickets: store.clone(),
        throttle: store.clone(),
        signing_keys: store.clone(),
        journal: store.clone(),
        health: store,
    })
}

#[async_trait::async_trait]
impl StoreHealth for SqliteStore {
    fn fault(&self) -> Option<StoreError> {
        let database = self.database.fault();
        database.or_else(|| self.unsettled.fault())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let probed = self.database.probe().await;
        self.database.settled(Weight::Ordinary, probed)
    }
}
