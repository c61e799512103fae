//! Throttle counters in SQLite.

use octroi_policy::time::Timestamp;

use super::{
    SqliteStore,
    database::{Tx, Weight},
    fault::fault,
    rows::Columns,
    statements::query,
};
use crate::store::{
    StoreError,
    fail_point::fail_point,
    throttle::{
        PerCounter, Reservation, Reserved, ThrottleCounter, ThrottleJudge, ThrottleKey,
        ThrottleStore,
    },
};

#[async_trait::async_trait]
impl ThrottleStore for SqliteStore {
    async fn reserve(
        &self,
        keys: PerCounter<ThrottleKey>,
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        let reserved = self.try_reserve(keys, now, judge).await;
        self.database.settled(Weight::Ordinary, reserved)
    }

    async fn give_back(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let given_back = self.try_give_back(reservation).await;
        self.database.settled(Weight::Essential, given_back)
    }
}

impl SqliteStore {
    async fn try_reserve(
        &self,
        keys: PerCounter<ThrottleKey>,
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        let before = PerCounter {
            source: counter(&mut tx, keys.source).await?.at(now),
            account: counter(&mut tx, keys.account).await?.at(now),
            net: match keys.net {
                Some(key) => Some(counter(&mut tx, key).await?.at(now)),
                None => None,
            },
        };
        if let Some(retry_after) = judge(&before) {
            return Ok(Reserved::Refused { retry_after });
        }
        for (key, counter) in keys.into_each().zip(before.into_each()) {
            put(&mut tx, key, counter.failed(now)).await?;
        }
        fail_point("throttle_before_commit");
        tx.commit().await?;
        fail_point("throttle_after_commit");
        let at = now;
        Ok(Reserved::Granted(Reservation { keys, before, at }))
    }

    async fn try_give_back(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let mut tx = self.database.begin(Weight::Essential).await?;
        for (key, undo) in reservation.undone() {
            let undone = undo(counter(&mut tx, key).await?);
            if undone == ThrottleCounter::FRESH {
                forgive(&mut tx, &[key]).await?;
            } else {
                put(&mut tx, key, undone).await?;
            }
        }
        tx.commit().await
    }
}

/// Clears counters.
pub(super) async fn forgive(tx: &mut Tx, keys: &[ThrottleKey]) -> Result<(), StoreError> {
    for key in keys {
        query("DELETE FROM throttle WHERE key = $1")
            .bind(key.0.as_slice())
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
    }
    Ok(())
}

async fn counter(tx: &mut Tx, key: ThrottleKey) -> Result<ThrottleCounter, StoreError> {
    let row = query("SELECT * FROM throttle WHERE key = $1")
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
    query(
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
