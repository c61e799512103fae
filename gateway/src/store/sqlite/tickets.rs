//! Enter tickets in SQLite.

use std::sync::Arc;

use octroi_policy::{id::SessionId, session::TokenFacts};

use super::{
    SqliteStore,
    database::Weight,
    fault::{fault, is_taken},
    rows::{self, Columns},
    session_rows,
    statements::{query, query_scalar},
};
use crate::store::{
    Conflict, StoreError,
    fail_point::fail_point,
    live::{LiveSession, LiveToken},
    sessions::NewToken,
    tickets::{TICKETS_PER_SESSION_MAX, Ticket, TicketRedemption, TicketStore},
};

#[async_trait::async_trait]
impl TicketStore for SqliteStore {
    async fn insert(&self, ticket: Ticket) -> Result<(), StoreError> {
        let inserted = self.try_insert_ticket(&ticket).await;
        self.database.settled(Weight::Ordinary, inserted)
    }

    async fn redeem(
        &self,
        redemption: TicketRedemption,
    ) -> Result<Option<Arc<LiveToken>>, StoreError> {
        match self.try_redeem(&redemption).await {
            // Nothing was written, which says nothing of the disk.
            Ok(None) => Ok(None),
            redeemed => self.database.settled(Weight::Ordinary, redeemed),
        }
    }
}

impl SqliteStore {
    async fn try_insert_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        if !session_rows::lives(&mut tx, ticket.session).await? {
            return Err(Conflict::Missing.into());
        }
        let open: i64 = query_scalar("SELECT count(*) FROM ticket WHERE session = $1")
            .bind(ticket.session.as_bytes().as_slice())
            .fetch_one(&mut *tx)
            .await
            .map_err(fault)?;
        if usize::try_from(open).unwrap_or(usize::MAX) >= TICKETS_PER_SESSION_MAX {
            return Err(Conflict::LimitReached.into());
        }
        let inserted = query(
            "INSERT INTO ticket (hash, session, host, nonce_hash, assurance, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(ticket.hash.as_slice())
        .bind(ticket.session.as_bytes().as_slice())
        .bind(ticket.host.as_str())
        .bind(ticket.nonce_hash.as_slice())
        .bind(ticket.assurance.as_str())
        .bind(ticket.expires_at.as_unix_millis())
        .execute(&mut *tx)
        .await;
        match inserted {
            Ok(_) => tx.commit().await,
            Err(error) if is_taken(&error) => Err(Conflict::Duplicate.into()),
            Err(error) => Err(fault(error)),
        }
    }

    async fn try_redeem(
        &self,
        redemption: &TicketRedemption,
    ) -> Result<Option<Arc<LiveToken>>, StoreError> {
        let Some(owner) = self.owner_of(&redemption.hash).await? else {
            return Ok(None);
        };
        let drafts = redemption.drafts(&owner.record);
        let prepared = self.scribe.prepare(&drafts).await?;
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        // The one statement that finds it takes it: of many parallel redemptions one wins.
        let spent = query(
            "DELETE FROM ticket
             WHERE hash = $1 AND host = $2 AND nonce_hash = $3 AND expires_at > $4
             RETURNING session, assurance",
        )
        .bind(redemption.hash.as_slice())
        .bind(redemption.host.as_str())
        .bind(redemption.nonce_hash.as_slice())
        .bind(redemption.at.as_unix_millis())
        .fetch_optional(&mut *tx)
        .await
        .map_err(fault)?;
        let Some(row) = spent else { return Ok(None) };
        let row = Columns(&row);
        let session = SessionId::from_bytes(row.fixed("session")?);
        let facts = TokenFacts {
            host: redemption.host.clone(),
            assurance: row.word("assurance", rows::assurance)?,
            issued_at: redemption.at,
        };
        if session != owner.record.id || !session_rows::lives(&mut tx, session).await? {
            return Ok(None);
        }
        session_rows::put_token(&mut tx, session, redemption.token, &facts).await?;
        self.scribe.write(&mut tx, &prepared).await?;
        fail_point("ticket_redeem_before_commit");
        let hash = redemption.token;
        tx.commit_then(|| {
            fail_point("ticket_redeem_after_commit");
            self.roster.issue(session, NewToken { hash, facts })
        })
        .await
    }

    /// The live session of a ticket: the journal's line about it is sealed with that person's key,
    /// which is fetched before the transaction begins.
    async fn owner_of(&self, ticket: &[u8; 32]) -> Result<Option<Arc<LiveSession>>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = query("SELECT session FROM ticket WHERE hash = $1")
            .bind(ticket.as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        let Some(row) = row else { return Ok(None) };
        let session = SessionId::from_bytes(Columns(&row).fixed("session")?);
        Ok(self.roster.session(session))
    }
}
