//! The file of personal keys: each sealed with the keyring, gone for good once it is destroyed.

use std::sync::Arc;

use sqlx::{Row as _, SqlitePool};

use super::fault::{damaged, fault};
use crate::{
    entropy::Entropy,
    keyring::{Keyring, Purpose, sealing::SealingKey},
    store::{StoreError, personal_keys::KeyName},
};

/// The keys that seal personal data.
pub(super) struct PersonalKeys {
    pool: SqlitePool,
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
}

impl PersonalKeys {
    pub(super) const fn new(
        pool: SqlitePool,
        keyring: Arc<Keyring>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            pool,
            keyring,
            entropy,
        }
    }

    /// The key of this name; `None` once it was destroyed.
    pub(super) async fn find(&self, name: KeyName) -> Result<Option<SealingKey>, StoreError> {
        let name = name.to_bytes();
        let row = sqlx::query("SELECT sealed FROM personal_key WHERE name = $1")
            .bind(&name)
            .fetch_optional(&self.pool)
            .await
            .map_err(fault)?;
        let Some(row) = row else { return Ok(None) };
        let sealed: &[u8] = row.try_get(0).map_err(fault)?;
        let opened = self
            .keyring
            .open(Purpose::StoreRecord, &context(&name), sealed)
            .map_err(|_| damaged("a personal key does not open"))?;
        let key = SealingKey::from_bytes(&opened);
        key.map(Some)
            .ok_or_else(|| damaged("a personal key has the wrong length"))
    }

    /// The key of this name, made if there is none.
    pub(super) async fn find_or_create(&self, name: KeyName) -> Result<SealingKey, StoreError> {
        if let Some(key) = self.find(name).await? {
            return Ok(key);
        }
        let key = SealingKey::generate(&*self.entropy)?;
        let bytes = name.to_bytes();
        let entropy = &*self.entropy;
        let context = context(&bytes);
        let sealed = self
            .keyring
            .seal(Purpose::StoreRecord, &context, key.expose(), entropy)?;
        sqlx::query(
            "INSERT INTO personal_key (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(bytes)
        .bind(sealed)
        .execute(&self.pool)
        .await
        .map_err(fault)?;
        // Two may have made it at once: what is kept counts.
        let kept = self.find(name).await?;
        kept.ok_or_else(|| damaged("a personal key that was just made is gone"))
    }

    /// Destroys a key. Its bytes leave the file and its log before this answers.
    pub(super) async fn destroy(&self, name: KeyName) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM personal_key WHERE name = $1")
            .bind(name.to_bytes())
            .execute(&self.pool)
            .await
            .map_err(fault)?;
        self.forget_deleted().await
    }

    /// Destroys the keys of the months before `month`.
    pub(super) async fn destroy_months_before(
        &self,
        month: crate::store::personal_keys::Month,
    ) -> Result<(), StoreError> {
        // The names of months begin with a letter and sort like the months.
        sqlx::query("DELETE FROM personal_key WHERE name >= $1 AND name < $2")
            .bind(b"m".as_slice())
            .bind(KeyName::Month(month).to_bytes())
            .execute(&self.pool)
            .await
            .map_err(fault)?;
        self.forget_deleted().await
    }

    #[cfg(test)]
    pub(super) async fn sealed_for_tests(&self) -> Vec<u8> {
        let row = sqlx::query("SELECT sealed FROM personal_key WHERE substr(name, 1, 1) = x'61'");
        row.fetch_one(&self.pool).await.unwrap().get(0)
    }

    #[cfg(test)]
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// The write-ahead log still holds pages as they were: it is written back and cut.
    async fn forget_deleted(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_all(&self.pool)
            .await
            .map_err(fault)?;
        Ok(())
    }
}

fn context(name: &[u8]) -> Vec<u8> {
    [b"personal key ".as_slice(), name].concat()
}
