//! The time that the journal goes by, as the database keeps it.

use std::time::Duration;

use octroi_policy::time::Timestamp;

use super::{
    database::{Database, Tx, Weight},
    fault::{damaged, fault},
    rows::{Columns, integer},
    statements::query,
};
use crate::{
    journal::time::{JournalTime, LAST_LINES, moved_on},
    store::StoreError,
};

/// Where none is kept yet: it begins with the last line, or now.
pub(super) async fn begin(database: &Database, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = database.begin(Weight::Essential).await?;
    if read(&mut tx).await?.is_none() {
        let row = query("SELECT at FROM journal ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(&mut *tx)
            .await
            .map_err(fault)?;
        let last = row.map(|row| Columns(&row).time("at")).transpose()?;
        write(&mut tx, last.unwrap_or(now)).await?;
    }
    tx.commit().await
}

/// Moves it on, and tells it.
pub(super) async fn tell(
    database: &Database,
    now: Timestamp,
    ran: Duration,
) -> Result<JournalTime, StoreError> {
    let mut tx = database.begin(Weight::Essential).await?;
    let known = read(&mut tx).await?.unwrap_or(now);
    let moved = moved_on(known, now, ran);
    if moved != known {
        write(&mut tx, moved).await?;
    }
    let row =
        query("SELECT max(at) AS at FROM (SELECT at FROM journal ORDER BY sequence DESC LIMIT $1)")
            .bind(integer(u64::try_from(LAST_LINES).unwrap_or(u64::MAX)))
            .fetch_one(&mut *tx)
            .await
            .map_err(fault)?;
    let last_line = Columns(&row).optional_time("at")?;
    tx.commit().await?;
    Ok(JournalTime {
        at: moved.min(now),
        last_line,
    })
}

async fn read(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    let row = query("SELECT value FROM meta WHERE name = 'journal_time'")
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    let Some(row) = row else { return Ok(None) };
    let millis = <[u8; 8]>::try_from(Columns(&row).bytes("value")?);
    let millis = millis.map_err(|_| damaged("the time of the journal is not one"))?;
    Ok(Some(Timestamp::from_unix_millis(i64::from_be_bytes(
        millis,
    ))))
}

async fn write(tx: &mut Tx, time: Timestamp) -> Result<(), StoreError> {
    query(
        "INSERT INTO meta (name, value) VALUES ('journal_time', $1)
         ON CONFLICT (name) DO UPDATE SET value = $1",
    )
    .bind(time.as_unix_millis().to_be_bytes().to_vec())
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
