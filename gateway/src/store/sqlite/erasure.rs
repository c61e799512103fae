//! Erasing a person: the rows in one transaction, then the key, then what the logs still hold.
//! What a fault or a crash leaves half done is finished by upkeep, or at the next start.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use octroi_policy::{
    id::{AccountId, SessionId},
    time::Timestamp,
};

use super::{
    SqliteStore,
    accounts::exists,
    changes::{ends_of, epoch_of, raise_epoch},
    database::{Tx, Weight},
    ends::Held,
    fault::fault,
    statements::query,
};
use crate::{
    journal::Draft,
    store::{
        Conflict, StoreError,
        accounts::{AccountCommand, Erased},
        fail_point::fail_point,
        personal_keys::KeyName,
        sessions::EndCause,
    },
};

/// Accounts whose erasure began and may not have come to its end.
#[derive(Default)]
pub(super) struct Unfinished(Mutex<BTreeSet<AccountId>>);

/// An erasure under way; unfinished if it is dropped before its end.
struct UnderWay<'a> {
    account: AccountId,
    unfinished: &'a Unfinished,
}

impl Unfinished {
    fn accounts(&self) -> MutexGuard<'_, BTreeSet<AccountId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay<'_> {
    /// Nothing is left to do.
    fn finished(self) {
        std::mem::forget(self);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.unfinished.accounts().insert(self.account);
    }
}

impl SqliteStore {
    pub(super) async fn erase_account(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: &[Draft],
    ) -> Result<Erased, StoreError> {
        let held = self.unsettled.hold();
        held.extend(ends_of(
            &self.roster.revoke(account, None),
            at,
            EndCause::AccountErased,
        ));
        let under_way = UnderWay {
            account,
            unfinished: &self.unfinished,
        };
        let erased = self
            .database
            .essential(|| self.erase_rows(account, at, journal, &held))
            .await;
        held.settle(&erased);
        let ended = match self.database.settled(Weight::Essential, erased) {
            // Asked again, it goes on where it stopped.
            Err(StoreError::Conflict(Conflict::Missing)) if self.has_key(account).await? => {
                Vec::new()
            }
            Err(StoreError::Conflict(conflict)) => {
                under_way.finished();
                return Err(conflict.into());
            }
            other => other?,
        };
        fail_point("erase_before_key_destroyed");
        let destroyed = self.destroy_key(account).await;
        if let Err(error) = &destroyed {
            tracing::error!(%account, %error, "an account is erased, and its key could not be destroyed; it is tried again each minute");
        }
        let is_complete = destroyed.unwrap_or(false);
        if is_complete {
            under_way.finished();
        }
        Ok(Erased { ended, is_complete })
    }

    /// The part of an erasure that one transaction holds; the key is destroyed after it.
    pub(super) async fn erase_rows(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: &[Draft],
        held: &Held<'_>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let prepared = self.scribe.prepare(journal).await?;
        let mut tx = self.database.begin(Weight::Essential).await?;
        let epoch = AccountCommand::raised(epoch_of(&mut tx, account).await?);
        let ended = self
            .end_sessions_of(&mut tx, account, at, EndCause::AccountErased)
            .await?;
        raise_epoch(&mut tx, account, epoch).await?;
        for sql in [
            "UPDATE account SET login_index = NULL, login = NULL, profile = NULL,
                    password_hash = NULL, password_set_at = NULL, provisional_until = NULL,
                    roles = '[]', erased_at = $2
             WHERE id = $1",
            "UPDATE session SET origin = NULL WHERE account = $1 AND $2 IS NOT NULL",
            "DELETE FROM tenant_grant WHERE account = $1 AND $2 IS NOT NULL",
            "DELETE FROM invitation WHERE account = $1 AND $2 IS NOT NULL",
        ] {
            query(sql)
                .bind(account.as_bytes().as_slice())
                .bind(at.as_unix_millis())
                .execute(&mut *tx)
                .await
                .map_err(fault)?;
        }
        self.scribe.write(&mut tx, &prepared).await?;
        let gone = self.roster.end_all(account, None);
        held.extend(ends_of(&gone, at, EndCause::AccountErased));
        fail_point("account_change_before_commit");
        tx.commit().await?;
        fail_point("account_change_after_commit");
        Ok(ended)
    }

    /// Finishes the erasures that could not be, and cuts the logs that a reader held.
    pub(super) async fn finish_erasures(&self) -> Result<(), StoreError> {
        let accounts: Vec<AccountId> = self.unfinished.accounts().iter().copied().collect();
        for account in accounts {
            if self.is_erased(account).await? {
                self.destroy_key(account).await?;
            }
            // Where the rows were not erased, the erasure was refused, and whoever asked was told.
            self.unfinished.accounts().remove(&account);
        }
        self.scribe.personal_keys.forget_rest().await?;
        self.database.forget_rest().await?;
        Ok(())
    }

    /// Destroys the key of an erased account. Whether nothing of it, and of what it sealed, is left
    /// in the logs either.
    async fn destroy_key(&self, account: AccountId) -> Result<bool, StoreError> {
        let personal_keys = &self.scribe.personal_keys;
        let keys_are_cut = personal_keys.destroy(KeyName::Account(account)).await?;
        fail_point("erase_after_key_destroyed");
        let rows_are_cut = self.database.forget_deleted().await?;
        Ok(keys_are_cut && rows_are_cut)
    }

    async fn has_key(&self, account: AccountId) -> Result<bool, StoreError> {
        let name = KeyName::Account(account);
        Ok(self.is_erased(account).await? && self.scribe.personal_keys.find(name).await?.is_some())
    }

    async fn is_erased(&self, account: AccountId) -> Result<bool, StoreError> {
        // Behind whatever is being written: an erasure that is just committing has its turn first.
        let mut tx: Tx = self.database.begin(Weight::Essential).await?;
        let sql = "SELECT 1 FROM account WHERE id = $1 AND erased_at IS NOT NULL";
        exists(&mut tx, sql, account.as_bytes()).await
    }
}
