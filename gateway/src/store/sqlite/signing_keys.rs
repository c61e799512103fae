//! Signing keys in SQLite, sealed with the keyring.

use zeroize::Zeroizing;

use super::{
    SqliteStore,
    database::Weight,
    fault::fault,
    rows::Columns,
    statements::{query, query_scalar},
};
use crate::{
    journal::Draft,
    keyring::Purpose,
    store::{
        Conflict, StoreError,
        signing_keys::{SIGNING_KEYS_MAX, SigningKey, SigningKeyStore},
    },
};

#[async_trait::async_trait]
impl SigningKeyStore for SqliteStore {
    async fn list(&self) -> Result<Vec<SigningKey>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query("SELECT * FROM signing_key ORDER BY created_at, key_id")
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            let row = Columns(row);
            let key_id = row.text("key_id")?;
            let sealed = row.bytes("pkcs8")?;
            let opened = self
                .keyring
                .open(Purpose::Assertion, &context(&key_id), &sealed);
            keys.push(SigningKey {
                pkcs8: opened.map_err(|_| row.wrong("pkcs8"))?,
                created_at: row.time("created_at")?,
                signs_from: row.time("signs_from")?,
                key_id,
            });
        }
        Ok(keys)
    }

    async fn insert(&self, key: SigningKey, journal: Vec<Draft>) -> Result<(), StoreError> {
        let inserted = self.try_insert_key(&key, &journal).await;
        self.database.settled(Weight::Ordinary, inserted)
    }

    async fn remove(&self, key_id: &str, journal: Vec<Draft>) -> Result<bool, StoreError> {
        let removed = self
            .database
            .essential(|| self.try_remove_key(key_id, &journal))
            .await;
        self.database.settled(Weight::Essential, removed)
    }
}

impl SqliteStore {
    async fn try_insert_key(&self, key: &SigningKey, journal: &[Draft]) -> Result<(), StoreError> {
        let pkcs8: &Zeroizing<Vec<u8>> = &key.pkcs8;
        let context = context(&key.key_id);
        let sealed = self
            .keyring
            .seal(Purpose::Assertion, &context, pkcs8, &*self.entropy)?;
        let prepared = self.scribe.prepare(journal).await?;
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        let ids: Vec<String> = query_scalar("SELECT key_id FROM signing_key")
            .fetch_all(&mut *tx)
            .await
            .map_err(fault)?;
        if ids.contains(&key.key_id) {
            return Err(Conflict::Duplicate.into());
        }
        if ids.len() >= SIGNING_KEYS_MAX {
            return Err(Conflict::LimitReached.into());
        }
        query(
            "INSERT INTO signing_key (key_id, pkcs8, created_at, signs_from)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(&key.key_id)
        .bind(sealed)
        .bind(key.created_at.as_unix_millis())
        .bind(key.signs_from.as_unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        self.scribe.write(&mut tx, &prepared).await?;
        tx.commit().await
    }

    async fn try_remove_key(&self, key_id: &str, journal: &[Draft]) -> Result<bool, StoreError> {
        let prepared = self.scribe.prepare(journal).await?;
        let mut tx = self.database.begin(Weight::Essential).await?;
        let removed = query("DELETE FROM signing_key WHERE key_id = $1")
            .bind(key_id)
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        self.scribe.write(&mut tx, &prepared).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn context(key_id: &str) -> Vec<u8> {
    [b"signing key ".as_slice(), key_id.as_bytes()].concat()
}
