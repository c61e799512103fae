//! The connections to one SQLite file: one that writes, some that read.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{
    Connection as _, Sqlite, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{fault::fault, reserve::Reserve};
use crate::store::StoreError;

/// A transaction of the writer.
pub(super) type Tx = Transaction<'static, Sqlite>;

/// The database of accounts, sessions and journal.
pub(super) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    reserve: Reserve,
    /// The last fault of a command, until one succeeds.
    fault: Mutex<Option<StoreError>>,
    /// Released when the store is dropped.
    _directory_lock: std::fs::File,
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
    pub(super) const fn new(
        writer: SqlitePool,
        readers: SqlitePool,
        reserve: Reserve,
        directory_lock: std::fs::File,
    ) -> Self {
        Self {
            writer,
            readers,
            reserve,
            fault: Mutex::new(None),
            _directory_lock: directory_lock,
        }
    }

    /// A connection that reads.
    pub(super) async fn read(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(fault)
    }

    /// Waits for the writer and begins a transaction that no other can cross.
    pub(super) async fn begin(&self, weight: Weight) -> Result<Tx, StoreError> {
        if weight == Weight::Ordinary && !self.reserve.restore() {
            return Err(StoreError::Full);
        }
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(fault)
    }

    /// Runs an essential command; where the disk is full, gives up the reserve and runs it again.
    pub(super) async fn essential<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        match attempt().await {
            Err(StoreError::Full) if self.reserve.give_up() => attempt().await,
            other => other,
        }
    }

    /// Writes one row, and reads it back on another connection.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let mut tx = self.begin(Weight::Ordinary).await?;
        sqlx::query("INSERT INTO meta (name, value) VALUES ('probe', x'01') ON CONFLICT (name) DO UPDATE SET value = x'01'")
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let mut connection = self.read().await?;
        sqlx::query("SELECT value FROM meta WHERE name = 'probe'")
            .fetch_one(&mut *connection)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Writes the log back and cuts it: pages as they were before a deletion are gone from it.
    pub(super) async fn forget_deleted(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_all(&self.writer)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// The last fault, until a command succeeds.
    pub(super) fn fault(&self) -> Option<StoreError> {
        self.last_fault().clone()
    }

    /// Remembers for readiness how a command went, and passes its outcome on.
    pub(super) fn settled<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        match &outcome {
            Ok(_) => *self.last_fault() = None,
            // The store works; it was asked for what cannot be.
            Err(StoreError::Conflict(_)) => {}
            Err(fault) => *self.last_fault() = Some(fault.clone()),
        }
        outcome
    }

    fn last_fault(&self) -> MutexGuard<'_, Option<StoreError>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
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
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
