//! Throttle counters in SQLite.

use octroi_policy::time::Timestamp;

use super::{
    SqliteStore,
    database::{Tx, Weight},
    fault::fault,
    rows::Columns,
};
use crate::store::{
    StoreError,
    fail_point::fail_point,
    throttle::{Reserved, ThrottleCounter, ThrottleJudge, ThrottleKey, ThrottleStore},
};

#[async_trait::async_trait]
impl ThrottleStore for SqliteStore {
    async fn reserve(
        &self,
        keys: &[ThrottleKey],
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        let reserved = self.try_reserve(keys, now, judge).await;
        self.database.settled(reserved)
    }

    async fn give_back(&self, keys: &[ThrottleKey]) -> Result<(), StoreError> {
        let given_back = self.try_give_back(keys).await;
        self.database.settled(given_back)
    }
}

impl SqliteStore {
    async fn try_reserve(
        &self,
        keys: &[ThrottleKey],
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        let mut counters = Vec::with_capacity(keys.len());
        for key in keys {
            counters.push(counter(&mut tx, *key).await?.at(now));
        }
        if let Some(retry_after) = judge(&counters) {
            return Ok(Reserved::Refused { retry_after });
        }
        for (key, counter) in keys.iter().zip(counters) {
            put(&mut tx, *key, counter.failed(now)).await?;
        }
        fail_point("throttle_before_commit");
        tx.commit().await.map_err(fault)?;
        fail_point("throttle_after_commit");
        Ok(Reserved::Granted)
    }

    async fn try_give_back(&self, keys: &[ThrottleKey]) -> Result<(), StoreError> {
        let mut tx = self.database.begin(Weight::Essential).await?;
        for key in keys {
            let current = counter(&mut tx, *key).await?;
            put(&mut tx, *key, current.given_back()).await?;
        }
        tx.commit().await.map_err(fault)
    }
}

/// Clears counters.
pub(super) async fn forgive(tx: &mut Tx, keys: &[ThrottleKey]) -> Result<(), StoreError> {
    for key in keys {
        sqlx::query("DELETE FROM throttle WHERE key = $1")
            .bind(key.0.as_slice())
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
    }
    Ok(())
}

async fn counter(tx: &mut Tx, key: ThrottleKey) -> Result<ThrottleCounter, StoreError> {
    let row = sqlx::query("SELECT * FROM throttle WHERE key = $1")
        .bind(key.0.as_slice())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    let Some(row) = row else {
        return Ok(ThrottleCounter::FRESH);
    };
    let row = Columns(&row);
    Ok(ThrottleCounter {
        failures: u32::try_from(row.count("failures")?).unwrap_or(u32::MAX),
        first_failed_at: row.time("first_failed_at")?,
        last_failed_at: row.time("last_failed_at")?,
    })
}

async fn put(tx: &mut Tx, key: ThrottleKey, counter: ThrottleCounter) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO throttle (key, failures, first_failed_at, last_failed_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE
         SET failures = excluded.failures, first_failed_at = excluded.first_failed_at,
             last_failed_at = excluded.last_failed_at",
    )
    .bind(key.0.as_slice())
    .bind(i64::from(counter.failures))
    .bind(counter.first_failed_at.as_unix_millis())
    .bind(counter.last_failed_at.as_unix_millis())
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
