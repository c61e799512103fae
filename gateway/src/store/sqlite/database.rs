//! The connections to one SQLite file: one that writes, some that read.

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{sync::OwnedMutexGuard, time::timeout};

use super::{fault::fault, reserve::Reserve, statements::query, traces::Traces};
use crate::store::StoreError;

/// The database of accounts, sessions and journal.
pub(super) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Whose turn it is to write: held from the begin of a transaction until memory is in line
    /// with its commit.
    turn: Arc<tokio::sync::Mutex<()>>,
    reserve: Reserve,
    traces: Traces,
    faults: Mutex<Faults>,
    /// Released when the store is dropped.
    _directory_lock: std::fs::File,
}

/// The last fault of each weight, until a command shows that it is over.
#[derive(Default)]
struct Faults {
    ordinary: Option<StoreError>,
    essential: Option<StoreError>,
}

/// A transaction of the writer, and its turn.
pub(super) struct Tx {
    // In this order: the roll-back is under way before the next one has its turn.
    transaction: Transaction<'static, Sqlite>,
    turn: OwnedMutexGuard<()>,
}

/// Whether a command may use the reserve when the disk is full.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    /// Sign-ins and changes: they wait for space.
    Ordinary,
    /// Revocations and the journal: they go on.
    Essential,
}

impl Database {
    pub(super) fn new(
        writer: SqlitePool,
        readers: SqlitePool,
        reserve: Reserve,
        directory_lock: std::fs::File,
    ) -> Self {
        Self {
            writer,
            readers,
            turn: Arc::default(),
            reserve,
            traces: Traces::default(),
            faults: Mutex::default(),
            _directory_lock: directory_lock,
        }
    }

    /// A connection that reads.
    pub(super) async fn read(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(fault)
    }

    /// Waits for the writer and begins a transaction that no other can cross.
    pub(super) async fn begin(&self, weight: Weight) -> Result<Tx, StoreError> {
        if weight == Weight::Ordinary && !self.reserve.restore().await {
            return Err(StoreError::Full);
        }
        let turn = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.turn).lock_owned()).await;
        let turn = turn.map_err(|_| fault(sqlx::Error::PoolTimedOut))?;
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await;
        Ok(Tx {
            transaction: transaction.map_err(fault)?,
            turn,
        })
    }

    /// Runs an essential command; where the disk is full, gives up the reserve and runs it again.
    pub(super) async fn essential<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        match attempt().await {
            Err(StoreError::Full) if self.reserve.give_up().await => attempt().await,
            other => other,
        }
    }

    /// Writes one row, and reads it back on another connection.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let mut tx = self.begin(Weight::Ordinary).await?;
        query("INSERT INTO meta (name, value) VALUES ('probe', x'01') ON CONFLICT (name) DO UPDATE SET value = x'01'")
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        tx.commit().await?;
        let mut connection = self.read().await?;
        query("SELECT value FROM meta WHERE name = 'probe'")
            .fetch_one(&mut *connection)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Takes what was deleted out of the write-ahead log too. `false` where a reader still holds it:
    /// then [`Database::forget_rest`] goes on.
    pub(super) async fn forget_deleted(&self) -> Result<bool, StoreError> {
        self.traces.forget(&self.writer).await
    }

    /// Goes on with what [`Database::forget_deleted`] could not finish.
    pub(super) async fn forget_rest(&self) -> Result<bool, StoreError> {
        self.traces.forget_rest(&self.writer).await
    }

    /// The last fault, until a command shows that it is over.
    pub(super) fn fault(&self) -> Option<StoreError> {
        let faults = self.faults();
        let last = faults.ordinary.as_ref().or(faults.essential.as_ref());
        last.cloned()
    }

    /// Remembers for readiness how a command went, and passes its outcome on.
    pub(super) fn settled<T>(
        &self,
        weight: Weight,
        outcome: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut faults = self.faults();
        match (&outcome, weight) {
            // What can wait went through: so does everything.
            (Ok(_), Weight::Ordinary) => *faults = Faults::default(),
            // It may have lived on the reserve: sign-ins are refused as before.
            (Ok(_), Weight::Essential) => faults.essential = None,
            // The store works; it was asked for what cannot be.
            (Err(StoreError::Conflict(_)), _) => {}
            (Err(fault), Weight::Ordinary) => faults.ordinary = Some(fault.clone()),
            (Err(fault), Weight::Essential) => faults.essential = Some(fault.clone()),
        }
        drop(faults);
        outcome
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    #[cfg(test)]
    pub(super) const fn writer(&self) -> &SqlitePool {
        &self.writer
    }
}

impl Tx {
    /// Commits.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.commit_then(|| ()).await
    }

    /// Commits, and brings memory in line before anybody else writes: whoever comes next finds in
    /// memory what it finds in the database.
    pub(super) async fn commit_then<T>(self, then: impl FnOnce() -> T) -> Result<T, StoreError> {
        let Self { transaction, turn } = self;
        transaction.commit().await.map_err(fault)?;
        let done = then();
        drop(turn);
        Ok(done)
    }
}

impl Deref for Tx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

/// How each connection to a file is set up.
pub(super) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the last commits at a power cut: acknowledged changes would be undone.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
}

/// The pool whose one connection writes.
pub(super) async fn writer_pool(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .before_acquire(|connection, _| {
            Box::pin(async move {
                // Where SQLite has rolled back by itself (disk full, input or output error), the
                // driver still counts a transaction, and would refuse every later one: such a
                // connection is replaced. The ping waits for a roll-back that is under way.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options)
        .await
}

/// The pool whose connections read.
pub(super) async fn reader_pool(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.read_only(true).create_if_missing(false))
        .await
}

/// Requests never read the database: pages and the command line do.
const READERS: u32 = 3;

/// How long a command waits for its turn before the store counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long SQLite waits for a lock of another process, such as a backup's.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
