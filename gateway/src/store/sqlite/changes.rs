//! Changes of an account after which none of its earlier sessions counts.

use octroi_policy::{
    id::{AccountId, SessionId},
    session::{SessionEpoch, TenantGrant},
    time::Timestamp,
};

use super::{
    SqliteStore,
    accounts::{exists, set_password},
    database::{Tx, Weight},
    fault::fault,
    invitations,
    rows::{Columns, integer, roles_to_json},
    session_rows, throttle,
};
use crate::{
    journal::Draft,
    store::{
        Conflict, StoreError,
        accounts::{AccountChange, AccountCommand, Changed},
        fail_point::fail_point,
        personal_keys::KeyName,
        sessions::EndCause,
    },
};

impl SqliteStore {
    pub(super) async fn change_account(
        &self,
        command: AccountCommand,
    ) -> Result<Changed, StoreError> {
        if is_revocation(&command.change) {
            // In memory first: even if the disk fails now, nobody goes on under these sessions.
            self.roster.close(command.account);
            let ended = self
                .database
                .essential(|| self.try_change(&command))
                .await?;
            return Ok(Changed { ended });
        }
        let ended = self.try_change(&command).await?;
        if let Some(opening) = command.opens {
            self.enlist(opening)?;
        }
        Ok(Changed { ended })
    }

    async fn try_change(&self, command: &AccountCommand) -> Result<Vec<SessionId>, StoreError> {
        let prepared = self.scribe.prepare(&command.drafts()).await?;
        let weight = if is_revocation(&command.change) {
            Weight::Essential
        } else {
            Weight::Ordinary
        };
        let mut tx = self.database.begin(weight).await?;
        check(&mut tx, command).await?;
        let epoch = AccountCommand::raised(command.expected_epoch);
        if let Some(hash) = &command.spends {
            invitations::spend(&mut tx, hash, command.account, command.at).await?;
        }
        apply(&mut tx, command).await?;
        raise_epoch(&mut tx, command.account, epoch).await?;
        let ended = self
            .end_sessions_of(&mut tx, command.account, command.at, command.ends_with)
            .await?;
        throttle::forgive(&mut tx, &command.forgives).await?;
        if let Some(opening) = &command.opens {
            self.insert_opening(&mut tx, opening).await?;
        }
        self.scribe.write(&mut tx, &prepared).await?;
        // Before the commit: whatever becomes of it, no old session outlives a change that the
        // store may have kept.
        self.roster.end_all(command.account, None);
        // The browser's earlier session may be somebody else's.
        if let Some((replaced, _)) = command.opens.as_ref().and_then(|opens| opens.replaces) {
            self.roster.end(replaced);
        }
        fail_point("account_change_before_commit");
        tx.commit().await.map_err(fault)?;
        fail_point("account_change_after_commit");
        Ok(ended)
    }

    pub(super) async fn erase_account(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: &[Draft],
    ) -> Result<Changed, StoreError> {
        self.roster.close(account);
        let ended = self
            .database
            .essential(|| self.erase_rows(account, at, journal))
            .await?;
        fail_point("erase_before_key_destroyed");
        self.scribe
            .personal_keys
            .destroy(KeyName::Account(account))
            .await?;
        fail_point("erase_after_key_destroyed");
        self.database.forget_deleted().await?;
        Ok(Changed { ended })
    }

    /// The part of an erasure that one transaction holds; the key is destroyed after it.
    pub(super) async fn erase_rows(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: &[Draft],
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
            sqlx::query(sql)
                .bind(account.as_bytes().as_slice())
                .bind(at.as_unix_millis())
                .execute(&mut *tx)
                .await
                .map_err(fault)?;
        }
        self.scribe.write(&mut tx, &prepared).await?;
        self.roster.end_all(account, None);
        fail_point("account_change_before_commit");
        tx.commit().await.map_err(fault)?;
        fail_point("account_change_after_commit");
        Ok(ended)
    }

    async fn end_sessions_of(
        &self,
        tx: &mut Tx,
        account: AccountId,
        at: Timestamp,
        cause: EndCause,
    ) -> Result<Vec<SessionId>, StoreError> {
        let living = session_rows::living_of(tx, account).await?;
        for session in &living {
            if let Some(live) = self.roster.session(*session) {
                session_rows::set_last_used(tx, *session, live.last_used_at()).await?;
            }
            session_rows::end(tx, *session, at, cause).await?;
        }
        Ok(living)
    }
}

/// Whether the change takes something away at once, also when the disk is full.
const fn is_revocation(change: &AccountChange) -> bool {
    matches!(change, AccountChange::Lock)
}

/// Whether the account is as the caller read it, and may have the session that it asks for.
async fn check(tx: &mut Tx, command: &AccountCommand) -> Result<(), StoreError> {
    if epoch_of(tx, command.account).await? != command.expected_epoch {
        return Err(Conflict::AccountChanged.into());
    }
    let Some(opening) = &command.opens else {
        return Ok(());
    };
    let locked = "SELECT 1 FROM account WHERE id = $1 AND locked_at IS NOT NULL";
    let is_locked = exists(tx, locked, command.account.as_bytes()).await?;
    let unlocks = matches!(command.change, AccountChange::Unlock);
    let fits = opening.record.account == command.account
        && opening.record.epoch == AccountCommand::raised(command.expected_epoch)
        && !is_revocation(&command.change)
        && (unlocks || !is_locked);
    if fits {
        Ok(())
    } else {
        Err(Conflict::AccountChanged.into())
    }
}

async fn epoch_of(tx: &mut Tx, account: AccountId) -> Result<SessionEpoch, StoreError> {
    let row = sqlx::query("SELECT epoch FROM account WHERE id = $1 AND erased_at IS NULL")
        .bind(account.as_bytes().as_slice())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    Columns(&row.ok_or(Conflict::Missing)?).epoch("epoch")
}

async fn raise_epoch(
    tx: &mut Tx,
    account: AccountId,
    epoch: SessionEpoch,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE account SET epoch = $2 WHERE id = $1")
        .bind(account.as_bytes().as_slice())
        .bind(integer(epoch.0))
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}

async fn apply(tx: &mut Tx, command: &AccountCommand) -> Result<(), StoreError> {
    let account = command.account;
    match &command.change {
        AccountChange::Password(password) => {
            set_password(tx, account, Some(password)).await?;
            invitations::withdraw(tx, account).await?;
        }
        AccountChange::Lock => set_locked(tx, account, Some(command.at)).await?,
        AccountChange::Unlock => set_locked(tx, account, None).await?,
        AccountChange::Roles(roles) => {
            sqlx::query("UPDATE account SET roles = $2 WHERE id = $1")
                .bind(account.as_bytes().as_slice())
                .bind(roles_to_json(roles))
                .execute(&mut **tx)
                .await
                .map_err(fault)?;
        }
        AccountChange::Grants(grants) => set_grants(tx, account, grants).await?,
    }
    Ok(())
}

async fn set_locked(
    tx: &mut Tx,
    account: AccountId,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE account SET locked_at = $2 WHERE id = $1")
        .bind(account.as_bytes().as_slice())
        .bind(at.map(Timestamp::as_unix_millis))
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}

async fn set_grants(
    tx: &mut Tx,
    account: AccountId,
    grants: &[TenantGrant],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM tenant_grant WHERE account = $1")
        .bind(account.as_bytes().as_slice())
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    for grant in grants {
        let inserted = sqlx::query(
            "INSERT INTO tenant_grant (account, tenant, roles, ends_at)
             SELECT $1, id, $3, $4 FROM tenant WHERE name = $2",
        )
        .bind(account.as_bytes().as_slice())
        .bind(grant.tenant.as_str())
        .bind(roles_to_json(&grant.roles))
        .bind(grant.ends_at.as_unix_millis())
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
        if inserted.rows_affected() == 0 {
            return Err(Conflict::Missing.into());
        }
    }
    Ok(())
}
