//! Changes of an account after which none of its earlier sessions counts.

use std::sync::Arc;

use octroi_policy::{
    id::{AccountId, SessionId},
    session::{SessionEpoch, TenantGrant},
    time::Timestamp,
};

use super::{
    SqliteStore,
    accounts::{exists, set_password},
    database::{Tx, Weight},
    ends::{End, Held},
    fault::fault,
    invitations,
    rows::{Columns, integer, roles_to_json},
    session_rows,
    statements::query,
    throttle,
};
use crate::store::{
    Conflict, StoreError,
    accounts::{AccountChange, AccountCommand, Changed},
    fail_point::fail_point,
    live::LiveSession,
    sessions::{EndCause, SessionOpening},
};

impl SqliteStore {
    pub(super) async fn change_account(
        &self,
        mut command: AccountCommand,
    ) -> Result<Changed, StoreError> {
        let held = self.unsettled.hold();
        let opens = command.opens.take();
        let changed = if is_revocation(&command.change) {
            // In memory first: even if the disk fails now, nobody goes on under these sessions. A
            // command that rests on what is no longer so ends nothing.
            let expected = Some(command.expected_epoch);
            let revoked = self.roster.revoke(command.account, expected);
            held.extend(ends_of(&revoked, command.at, command.ends_with));
            self.database
                .essential(|| self.try_change(&command, None, &held))
                .await
        } else {
            self.try_change(&command, opens, &held).await
        };
        held.settle(&changed);
        let weight = weight_of(&command.change);
        let ended = self.database.settled(weight, changed)?;
        Ok(Changed { ended })
    }

    async fn try_change(
        &self,
        command: &AccountCommand,
        opens: Option<SessionOpening>,
        held: &Held<'_>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let drafts = command.drafts(opens.as_ref());
        let prepared = self.scribe.prepare(&drafts).await?;
        let mut tx = self.database.begin(weight_of(&command.change)).await?;
        check(&mut tx, command, opens.as_ref()).await?;
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
        let mut outlived = Vec::new();
        if let Some(opening) = &opens {
            outlived = self.insert_opening(&mut tx, opening).await?;
        }
        self.scribe.write(&mut tx, &prepared).await?;
        // Before the commit: whatever becomes of it, no old session outlives a change that the
        // store may have kept. The browser's earlier session may be somebody else's.
        let gone = self.roster.end_all(command.account, None);
        held.extend(ends_of(&gone, command.at, command.ends_with));
        self.end_in_memory(outlived, command.at, held);
        fail_point("account_change_before_commit");
        let enlisted = tx
            .commit_then(|| {
                fail_point("account_change_after_commit");
                opens.map(|opening| self.enlist(opening))
            })
            .await?;
        enlisted.transpose()?;
        Ok(ended)
    }

    pub(super) async fn end_sessions_of(
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

/// Ends that a change of their account brings about.
pub(super) fn ends_of(
    sessions: &[Arc<LiveSession>],
    at: Timestamp,
    cause: EndCause,
) -> impl Iterator<Item = End> {
    let ends = sessions.iter();
    ends.map(move |live| End::along_with(live, at, cause))
}

const fn weight_of(change: &AccountChange) -> Weight {
    if is_revocation(change) {
        Weight::Essential
    } else {
        Weight::Ordinary
    }
}

/// Whether the change takes something away at once, also when the disk is full.
const fn is_revocation(change: &AccountChange) -> bool {
    matches!(change, AccountChange::Lock)
}

/// Whether the account is as the caller read it, and may have the session that it asks for.
async fn check(
    tx: &mut Tx,
    command: &AccountCommand,
    opens: Option<&SessionOpening>,
) -> Result<(), StoreError> {
    if epoch_of(tx, command.account).await? != command.expected_epoch {
        return Err(Conflict::AccountChanged.into());
    }
    let Some(opening) = opens else {
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

pub(super) async fn epoch_of(tx: &mut Tx, account: AccountId) -> Result<SessionEpoch, StoreError> {
    let row = query("SELECT epoch FROM account WHERE id = $1 AND erased_at IS NULL")
        .bind(account.as_bytes().as_slice())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    Columns(&row.ok_or(Conflict::Missing)?).epoch("epoch")
}

pub(super) async fn raise_epoch(
    tx: &mut Tx,
    account: AccountId,
    epoch: SessionEpoch,
) -> Result<(), StoreError> {
    query("UPDATE account SET epoch = $2 WHERE id = $1")
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
            query("UPDATE account SET roles = $2 WHERE id = $1")
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
    query("UPDATE account SET locked_at = $2 WHERE id = $1")
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
    query("DELETE FROM tenant_grant WHERE account = $1")
        .bind(account.as_bytes().as_slice())
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    for grant in grants {
        let inserted = query(
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
