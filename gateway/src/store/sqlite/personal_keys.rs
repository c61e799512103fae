//! The file of personal keys: each sealed with the keyring, gone for good once it is destroyed.

use std::{collections::HashMap, sync::Arc};

use octroi_policy::id::AccountId;
use sqlx::{Row as _, SqlitePool};

use super::{
    fault::{damaged, fault},
    rows::{Columns, list_of},
    statements::query,
    traces::Traces,
};
use crate::{
    entropy::{Entropy, EntropyUnavailable},
    keyring::{Keyring, Purpose, sealing::SealingKey},
    store::{StoreError, personal_keys::KeyName},
};

/// The keys that seal personal data.
pub(super) struct PersonalKeys {
    pool: SqlitePool,
    traces: Traces,
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
}

impl PersonalKeys {
    pub(super) fn new(pool: SqlitePool, keyring: Arc<Keyring>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            pool,
            traces: Traces::default(),
            keyring,
            entropy,
        }
    }

    /// The key of this name; `None` once it was destroyed.
    pub(super) async fn find(&self, name: KeyName) -> Result<Option<SealingKey>, StoreError> {
        let sealed = self.find_sealed(name).await?;
        let key = sealed.map(|sealed| self.unseal(name, &sealed));
        key.transpose()
    }

    /// The keys of these accounts, by one statement: sign-ins wait for the same connection. One that
    /// does not open says nothing of the others; one that was destroyed is not among them.
    pub(super) async fn of_accounts(
        &self,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, Result<SealingKey, StoreError>>, StoreError> {
        let rows = query(SELECT_OF_ACCOUNTS)
            .bind(list_of(accounts.iter().map(AccountId::as_bytes)))
            .fetch_all(&self.pool)
            .await
            .map_err(fault)?;
        let mut keys = HashMap::with_capacity(rows.len());
        for row in &rows {
            let row = Columns(row);
            let account = AccountId::from_bytes(row.fixed("id")?);
            let sealed = row.bytes("sealed")?;
            keys.insert(account, self.unseal(KeyName::Account(account), &sealed));
        }
        Ok(keys)
    }

    /// The key of this name, or the one that `stand_in` holds: the same work for both.
    pub(super) async fn find_or(
        &self,
        name: KeyName,
        stand_in: &[u8],
    ) -> Result<SealingKey, StoreError> {
        let sealed = self.find_sealed(name).await?;
        self.unseal(name, sealed.as_deref().unwrap_or(stand_in))
    }

    /// A new key of this name, and the same as it is kept.
    pub(super) fn make(&self, name: KeyName) -> Result<(SealingKey, Vec<u8>), EntropyUnavailable> {
        let entropy = &*self.entropy;
        let key = SealingKey::generate(entropy)?;
        let context = context(&name.to_bytes());
        let sealed = self
            .keyring
            .seal(Purpose::StoreRecord, &context, key.expose(), entropy)?;
        Ok((key, sealed))
    }

    /// The key of this name, made if there is none.
    pub(super) async fn find_or_create(&self, name: KeyName) -> Result<SealingKey, StoreError> {
        if let Some(key) = self.find(name).await? {
            return Ok(key);
        }
        let (_, sealed) = self.make(name)?;
        query("INSERT INTO personal_key (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(name.to_bytes())
            .bind(sealed)
            .execute(&self.pool)
            .await
            .map_err(fault)?;
        // Two may have made it at once: what is kept counts.
        let kept = self.find(name).await?;
        kept.ok_or_else(|| damaged("a personal key that was just made is gone"))
    }

    /// The key of this name as it is kept; `None` once it was destroyed.
    pub(super) async fn find_sealed(&self, name: KeyName) -> Result<Option<Vec<u8>>, StoreError> {
        let row = query("SELECT sealed FROM personal_key WHERE name = $1")
            .bind(name.to_bytes())
            .fetch_optional(&self.pool)
            .await
            .map_err(fault)?;
        let sealed = row.map(|row| row.try_get(0).map_err(fault));
        sealed.transpose()
    }

    fn unseal(&self, name: KeyName, sealed: &[u8]) -> Result<SealingKey, StoreError> {
        let context = context(&name.to_bytes());
        let opened = self
            .keyring
            .open(Purpose::StoreRecord, &context, sealed)
            .map_err(|_| damaged("a personal key does not open"))?;
        SealingKey::from_bytes(&opened)
            .ok_or_else(|| damaged("a personal key has the wrong length"))
    }

    /// Destroys a key. Its bytes leave the file, and its log too unless this answers `false`: a
    /// reader holds it, and [`PersonalKeys::forget_rest`] goes on.
    pub(super) async fn destroy(&self, name: KeyName) -> Result<bool, StoreError> {
        query("DELETE FROM personal_key WHERE name = $1")
            .bind(name.to_bytes())
            .execute(&self.pool)
            .await
            .map_err(fault)?;
        self.forget_deleted().await
    }

    /// Takes what was deleted out of the log too, as [`PersonalKeys::destroy`] does.
    pub(super) async fn forget_deleted(&self) -> Result<bool, StoreError> {
        self.traces.forget(&self.pool).await
    }

    /// Destroys the keys of the months before `month`.
    pub(super) async fn destroy_months_before(
        &self,
        month: crate::store::personal_keys::Month,
    ) -> Result<(), StoreError> {
        // The names of months begin with a letter and sort like the months.
        query("DELETE FROM personal_key WHERE name >= $1 AND name < $2")
            .bind(b"m".as_slice())
            .bind(KeyName::Month(month).to_bytes())
            .execute(&self.pool)
            .await
            .map_err(fault)?;
        self.forget_deleted().await?;
        Ok(())
    }

    /// Goes on with cutting the log where a reader held it. Whether no trace remains.
    pub(super) async fn forget_rest(&self) -> Result<bool, StoreError> {
        self.traces.forget_rest(&self.pool).await
    }

    #[cfg(test)]
    pub(super) async fn sealed_for_tests(&self) -> Vec<u8> {
        let row = query("SELECT sealed FROM personal_key WHERE substr(name, 1, 1) = x'61'");
        row.fetch_one(&self.pool).await.unwrap().get(0)
    }

    /// Deletes the key of an account, and goes no further.
    #[cfg(test)]
    pub(super) async fn delete_for_tests(&self, account: AccountId) {
        let delete = query("DELETE FROM personal_key WHERE name = $1")
            .bind(KeyName::Account(account).to_bytes())
            .execute(&self.pool);
        delete.await.unwrap();
    }

    /// Makes the key of an account one that does not open.
    #[cfg(test)]
    pub(super) async fn damage_for_tests(&self, account: AccountId) {
        let damage = query("UPDATE personal_key SET sealed = x'00' WHERE name = $1")
            .bind(KeyName::Account(account).to_bytes())
            .execute(&self.pool);
        damage.await.unwrap();
    }

    /// Makes the file one that cannot be written, or puts an end to that.
    #[cfg(test)]
    pub(super) async fn refuse_writes_for_tests(&self, refuses: bool) {
        let pragma = if refuses {
            "PRAGMA query_only = ON"
        } else {
            "PRAGMA query_only = OFF"
        };
        query(pragma).execute(&self.pool).await.unwrap();
    }

    #[cfg(test)]
    pub(super) const fn pool_for_tests(&self) -> &SqlitePool {
        &self.pool
    }

    #[cfg(test)]
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// The keys of the accounts of a list. Their names are a letter and the account.
pub(super) const SELECT_OF_ACCOUNTS: &str =
    "SELECT substr(personal_key.name, 2) AS id, personal_key.sealed
     FROM json_each($1) AS wanted
     CROSS JOIN personal_key ON personal_key.name = unhex('61' || wanted.value)";

fn context(name: &[u8]) -> Vec<u8> {
    [b"personal key ".as_slice(), name].concat()
}
