//! At start: what a crash left half done is finished, and the living sessions go into memory.

use octroi_policy::{id::AccountId, time::Timestamp};

use super::super::{
    SqliteStore, accounts::all_grants, database::Weight, fault::fault, journal_time, rows::Columns,
    session_rows, statements::query,
};
use crate::store::{StoreError, personal_keys::KeyName, sessions::EndCause};

impl SqliteStore {
    /// Brings memory in line with the files.
    pub(super) async fn load(&self, now: Timestamp) -> Result<(), StoreError> {
        // Before anything is written by a clock that may be wrong.
        journal_time::begin(&self.database, now).await?;
        self.finish_cut_erasures().await?;
        self.end_expired(now).await?;
        self.enlist_living().await
    }

    /// A crash may fall between the commit of an erasure and the end of its key.
    async fn finish_cut_erasures(&self) -> Result<(), StoreError> {
        let mut connection = self.database.read().await?;
        let erased = query("SELECT id FROM account WHERE erased_at IS NOT NULL")
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        for row in &erased {
            let account = AccountId::from_bytes(Columns(row).fixed("id")?);
            let name = KeyName::Account(account);
            // Whether it opens does not matter any more.
            if self.scribe.personal_keys.find_sealed(name).await?.is_some() {
                self.scribe.personal_keys.destroy(name).await?;
            }
        }
        // Or between that and the end of what the logs hold.
        self.scribe.personal_keys.forget_deleted().await?;
        self.database.forget_deleted().await?;
        Ok(())
    }

    async fn end_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.database.begin(Weight::Essential).await?;
        for session in session_rows::due(&mut tx, now).await? {
            session_rows::end(&mut tx, session, now, EndCause::Expired).await?;
        }
        tx.commit().await
    }

    /// A page at a time, so that a start needs no more memory than what it fills.
    async fn enlist_living(&self) -> Result<(), StoreError> {
        let mut connection = self.database.read().await?;
        let grants = all_grants(&mut connection).await?;
        let mut after = None;
        loop {
            let page = session_rows::living(&mut connection, &grants, after).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.id);
            for (record, last_used_at) in page {
                self.roster.insert(record, last_used_at);
            }
        }
        let mut after = None;
        loop {
            let page = session_rows::tokens(&mut connection, after.as_ref()).await?;
            let Some((last, token)) = page.last() else {
                return Ok(());
            };
            after = Some((*last, token.facts.host.clone()));
            for (session, token) in page {
                // A token whose session has ended meanwhile counts for nothing.
                self.roster.issue(session, token);
            }
        }
    }
}
