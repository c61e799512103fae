//! What was deleted must also leave the write-ahead log, which holds pages as they were.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::{SqliteConnection, SqlitePool};

use super::{database::BUSY_TIMEOUT, fault::fault};
use crate::store::StoreError;

/// Whether the log of a file may still hold what was deleted.
#[derive(Default)]
pub(super) struct Traces {
    remain: AtomicBool,
}

impl Traces {
    /// Writes the log back and cuts it. `false` where a reader, such as a backup or a check of the
    /// journal, holds the log: then the traces remain, and [`Traces::forget_rest`] has work.
    pub(super) async fn forget(&self, pool: &SqlitePool) -> Result<bool, StoreError> {
        self.remain.store(true, Ordering::SeqCst);
        let mut connection = pool.acquire().await.map_err(fault)?;
        // It is the connection that sign-ins wait for: better to come back than to hold it.
        wait_at_most(&mut connection, WAIT).await?;
        let cut = cut_log(&mut connection).await;
        wait_at_most(&mut connection, BUSY_TIMEOUT).await?;
        let is_cut = cut?;
        if is_cut {
            self.remain.store(false, Ordering::SeqCst);
        } else {
            tracing::warn!(
                "a reader of the database, such as a backup, holds what was erased in its log; it is tried again each minute"
            );
        }
        Ok(is_cut)
    }

    /// Tries again where the last time did not succeed. Whether no trace remains.
    pub(super) async fn forget_rest(&self, pool: &SqlitePool) -> Result<bool, StoreError> {
        if self.remain.load(Ordering::SeqCst) {
            self.forget(pool).await
        } else {
            Ok(true)
        }
    }
}

/// Whether the log is empty afterwards. SQLite tells in a row, and not as an error, that a reader
/// kept it from cutting.
async fn cut_log(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let (is_busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await
        .map_err(fault)?;
    Ok(is_busy == 0)
}

async fn wait_at_most(connection: &mut SqliteConnection, wait: Duration) -> Result<(), StoreError> {
    let millis = wait.as_millis();
    let pragma = sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {millis}"));
    sqlx::raw_sql(pragma)
        .execute(connection)
        .await
        .map_err(fault)?;
    Ok(())
}

/// How long cutting waits for readers.
const WAIT: Duration = Duration::from_millis(250);
