//! Invitations in SQLite.

use octroi_policy::{id::AccountId, time::Timestamp};
use sqlx::sqlite::SqliteRow;

use super::{
    SqliteStore,
    accounts::exists,
    database::{Tx, Weight},
    fault::{fault, is_taken},
    rows::Columns,
    statements::query,
};
use crate::store::{
    Conflict, StoreError,
    invitations::{Invitation, InvitationHash, InvitationIssue, InvitationStore},
};

#[async_trait::async_trait]
impl InvitationStore for SqliteStore {
    async fn issue(&self, issue: InvitationIssue) -> Result<(), StoreError> {
        let issued = self.try_issue(&issue).await;
        self.database.settled(Weight::Ordinary, issued)
    }

    async fn find(&self, hash: &InvitationHash) -> Result<Option<Invitation>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = query("SELECT * FROM invitation WHERE hash = $1")
            .bind(hash.0.as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        row.as_ref().map(invitation).transpose()
    }
}

impl SqliteStore {
    async fn try_issue(&self, issue: &InvitationIssue) -> Result<(), StoreError> {
        let prepared = self.scribe.prepare(&issue.journal).await?;
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        let account = issue.invitation.account;
        let living = "SELECT 1 FROM account WHERE id = $1 AND erased_at IS NULL";
        if !exists(&mut tx, living, account.as_bytes()).await? {
            return Err(Conflict::Missing.into());
        }
        withdraw(&mut tx, account).await?;
        let inserted = query(
            "INSERT INTO invitation (hash, account, issued_at, expires_at)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(issue.hash.0.as_slice())
        .bind(account.as_bytes().as_slice())
        .bind(issue.invitation.issued_at.as_unix_millis())
        .bind(issue.invitation.expires_at.as_unix_millis())
        .execute(&mut *tx)
        .await;
        match inserted {
            Ok(_) => {}
            Err(error) if is_taken(&error) => return Err(Conflict::Duplicate.into()),
            Err(error) => return Err(fault(error)),
        }
        self.scribe.write(&mut tx, &prepared).await?;
        tx.commit().await
    }
}

/// Spends an invitation: one of many parallel uses finds it.
pub(super) async fn spend(
    tx: &mut Tx,
    hash: &InvitationHash,
    account: AccountId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let spent =
        query("DELETE FROM invitation WHERE hash = $1 AND account = $2 AND expires_at > $3")
            .bind(hash.0.as_slice())
            .bind(account.as_bytes().as_slice())
            .bind(at.as_unix_millis())
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
    if spent.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Conflict::Spent.into())
    }
}

/// Withdraws the account's invitation, if it has one.
pub(super) async fn withdraw(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    query("DELETE FROM invitation WHERE account = $1")
        .bind(account.as_bytes().as_slice())
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}

fn invitation(row: &SqliteRow) -> Result<Invitation, StoreError> {
    let row = Columns(row);
    Ok(Invitation {
        account: AccountId::from_bytes(row.fixed("account")?),
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
    })
}
