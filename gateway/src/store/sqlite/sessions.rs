//! Sessions in SQLite, with all that live in memory.

use std::sync::Arc;

use octroi_policy::{
    id::{AccountId, SessionId},
    session::{Over, SessionRecord},
    time::Timestamp,
};

use super::{
    SqliteStore,
    database::{Tx, Weight},
    ends::{self, End, Held},
    fault::fault,
    origin::origin_to_json,
    rows::Columns,
    session_rows,
    session_views::origin_context,
    statements::query,
    throttle,
};
use crate::store::{
    Conflict, StoreError,
    fail_point::fail_point,
    live::{LiveSession, LiveToken},
    sessions::{
        Cached, EndCause, EndReason, PasswordEffect, SESSIONS_PER_ACCOUNT_MAX, SessionEnding,
        SessionOpening, SessionStore, SessionView, TokenHash,
    },
    throttle::{THROTTLE_KEYS_MAX, THROTTLE_WINDOW},
};

#[async_trait::async_trait]
impl SessionStore for SqliteStore {
    fn cached(&self, token: &TokenHash) -> Cached {
        self.roster.cached(token)
    }

    async fn load(&self, token: &TokenHash) -> Result<Option<Arc<LiveToken>>, StoreError> {
        // All that live are in memory.
        match self.roster.cached(token) {
            Cached::Hit(live) => Ok(Some(live)),
            Cached::Miss | Cached::KnownAbsent => Ok(None),
        }
    }

    async fn open(&self, opening: SessionOpening) -> Result<Arc<LiveToken>, StoreError> {
        let held = self.unsettled.hold();
        let opened = self.try_open(opening, &held).await;
        held.settle(&opened);
        self.database.settled(Weight::Ordinary, opened)
    }

    async fn end(&self, ending: SessionEnding) -> Result<bool, StoreError> {
        let held = self.unsettled.hold();
        let live = self.roster.end(ending.session);
        held.extend([End::new(ending.session, live.as_deref(), ending.reason)]);
        let ends = held.list();
        let ended = self.database.essential(|| self.write_ends(&ends)).await;
        held.settle(&ended);
        let ended = self.database.settled(Weight::Essential, ended)?;
        Ok(!ended.is_empty())
    }

    async fn end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
        reason: EndReason,
    ) -> Result<Vec<SessionId>, StoreError> {
        let held = self.unsettled.hold();
        let uses = self.roster.end_all(account, except);
        // The journal line belongs to the ends as a whole: the first carries it.
        let mut journal = reason.journal.clone();
        held.extend(uses.iter().map(|live| {
            let (cause, at) = (reason.cause, reason.at);
            let journal = std::mem::take(&mut journal);
            End::new(live.record.id, Some(live), EndReason { cause, at, journal })
        }));
        let ended = self
            .database
            .essential(|| self.try_end_all(account, except, &reason, &uses))
            .await;
        held.settle(&ended);
        self.database.settled(Weight::Essential, ended)
    }

    fn live(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        self.roster.session(session)
    }

    fn live_of(&self, account: AccountId) -> Vec<Arc<LiveSession>> {
        self.roster.of_account(account)
    }

    async fn find(&self, session: SessionId) -> Result<Option<SessionView>, StoreError> {
        self.view_of(session).await
    }

    async fn of_account(&self, account: AccountId) -> Result<Vec<SessionView>, StoreError> {
        self.living_views_of(account).await
    }

    async fn past(&self, account: AccountId, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        self.past_views_of(account, limit).await
    }

    async fn list(&self, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        self.living_views(limit).await
    }

    async fn flush_last_used(&self) -> Result<(), StoreError> {
        let uses = self.roster.unflushed();
        if uses.is_empty() {
            return Ok(());
        }
        let flushed = self.database.essential(|| self.try_flush(&uses)).await;
        self.database.settled(Weight::Essential, flushed)?;
        self.roster.flushed(&uses);
        Ok(())
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.settle_last_ends().await.map(drop)
    }

    async fn sweep(
        &self,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let over = self.roster.over(now).into_iter();
        self.unsettled.extend(over.map(|(session, why)| {
            let cause = match why {
                Over::Expired => EndCause::Expired,
                Over::Idle => EndCause::Idle,
            };
            let (at, journal) = (now, Vec::new());
            let live = self.roster.end(session);
            End::new(session, live.as_deref(), EndReason { cause, at, journal })
        }));
        let taken_up = self.take_up_strays(now).await;
        let ended = self.settle_ends().await;
        let forgotten = self
            .database
            .essential(|| self.try_forget(now, forget_before))
            .await;
        let forgotten = self.database.settled(Weight::Essential, forgotten);
        // What is wrong with one of them keeps none of the others from being done.
        let finished = self.finish_erasures().await;
        taken_up.and(forgotten).and(finished).and(ended)
    }
}

impl SqliteStore {
    async fn try_open(
        &self,
        opening: SessionOpening,
        held: &Held<'_>,
    ) -> Result<Arc<LiveToken>, StoreError> {
        let prepared = self.scribe.prepare(&opening.journal).await?;
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        self.check_opening(&mut tx, &opening).await?;
        let outlived = self.insert_opening(&mut tx, &opening).await?;
        self.scribe.write(&mut tx, &prepared).await?;
        self.end_in_memory(outlived, opening.record.started_at, held);
        fail_point("session_open_before_commit");
        tx.commit_then(|| {
            fail_point("session_open_after_commit");
            self.enlist(opening)
        })
        .await?
    }

    /// Whether the account is as the sign-in found it.
    async fn check_opening(&self, tx: &mut Tx, opening: &SessionOpening) -> Result<(), StoreError> {
        let record = &opening.record;
        let row = query(
            "SELECT epoch FROM account
             WHERE id = $1 AND erased_at IS NULL AND locked_at IS NULL",
        )
        .bind(record.account.as_bytes().as_slice())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
        let row = row.ok_or(Conflict::AccountChanged)?;
        if Columns(&row).epoch("epoch")? == record.epoch {
            Ok(())
        } else {
            Err(Conflict::AccountChanged.into())
        }
    }

    /// Everything that a sign-in settles, besides its journal lines. Answers which sessions end for
    /// it; before the commit they have to end in memory.
    pub(super) async fn insert_opening(
        &self,
        tx: &mut Tx,
        opening: &SessionOpening,
    ) -> Result<Vec<(SessionId, EndCause)>, StoreError> {
        let record = &opening.record;
        apply_to_password(tx, opening).await?;
        throttle::forgive(tx, &opening.forgives).await?;
        let mut outlived = Vec::new();
        if let Some((replaced, cause)) = opening.replaces {
            if let Some(live) = self.roster.session(replaced) {
                session_rows::set_last_used(tx, replaced, live.last_used_at()).await?;
            }
            session_rows::end(tx, replaced, record.started_at, cause).await?;
            outlived.push((replaced, cause));
        }
        let crowded = self.make_room(tx, record).await?;
        outlived.extend(crowded.into_iter().map(|id| (id, EndCause::TooMany)));
        let origin = origin_to_json(&opening.origin);
        let context = origin_context(record.id);
        let sealed = self
            .seal_personal(record.account, &context, origin.as_bytes())
            .await?;
        session_rows::insert(tx, opening, sealed).await?;
        Ok(outlived)
    }

    /// Ends the account's longest unused sessions, as far as there would be too many with this one.
    async fn make_room(
        &self,
        tx: &mut Tx,
        record: &SessionRecord,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut living = session_rows::uses_of(tx, record.account).await?;
        let kept = SESSIONS_PER_ACCOUNT_MAX.saturating_sub(1);
        let excess = living.len().saturating_sub(kept);
        if excess == 0 {
            return Ok(Vec::new());
        }
        for live in self.roster.of_account(record.account) {
            // Memory knows of uses that are not written yet.
            let used = living.iter_mut().find(|(_, id)| *id == live.record.id);
            if let Some((last_used_at, _)) = used {
                *last_used_at = live.last_used_at();
            }
        }
        living.sort_unstable();
        living.truncate(excess);
        let (at, cause) = (record.started_at, EndCause::TooMany);
        for (last_used_at, session) in &living {
            session_rows::set_last_used(tx, *session, *last_used_at).await?;
            session_rows::end(tx, *session, at, cause).await?;
            let line = ends::line_of(record, *session, at, cause);
            let prepared = self.scribe.prepare(&[line]).await?;
            self.scribe.write(tx, &prepared).await?;
        }
        Ok(living.into_iter().map(|(_, session)| session).collect())
    }

    /// Ends sessions in memory that a transaction ends: before its commit, so that none outlives
    /// what the store may have kept.
    pub(super) fn end_in_memory(
        &self,
        sessions: impl IntoIterator<Item = (SessionId, EndCause)>,
        at: Timestamp,
        held: &Held<'_>,
    ) {
        for (session, cause) in sessions {
            let live = self.roster.end(session);
            held.extend(live.map(|live| End::along_with(&live, at, cause)));
        }
    }

    /// Puts a session that was committed into memory.
    pub(super) fn enlist(&self, opening: SessionOpening) -> Result<Arc<LiveToken>, StoreError> {
        let record = opening.record;
        let (session, started_at) = (record.id, record.started_at);
        self.roster.insert(record, started_at);
        let live = self.roster.issue(session, opening.token);
        live.ok_or(StoreError::Conflict(Conflict::Missing))
    }

    async fn try_end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
        reason: &EndReason,
        uses: &[Arc<LiveSession>],
    ) -> Result<Vec<SessionId>, StoreError> {
        let prepared = self.scribe.prepare_at_any_rate(&reason.journal).await?;
        let mut tx = self.database.begin(Weight::Essential).await?;
        let mut living = session_rows::living_of(&mut tx, account).await?;
        living.retain(|session| Some(*session) != except);
        for live in uses {
            session_rows::set_last_used(&mut tx, live.record.id, live.last_used_at()).await?;
        }
        for session in &living {
            session_rows::end(&mut tx, *session, reason.at, reason.cause).await?;
            self.roster.end(*session);
        }
        self.scribe.write(&mut tx, &prepared).await?;
        fail_point("session_end_before_commit");
        tx.commit().await?;
        fail_point("session_end_after_commit");
        Ok(living)
    }

    async fn try_flush(&self, uses: &[(SessionId, Timestamp)]) -> Result<(), StoreError> {
        let mut tx = self.database.begin(Weight::Essential).await?;
        for (session, last_used_at) in uses {
            session_rows::set_last_used(&mut tx, *session, *last_used_at).await?;
        }
        tx.commit().await
    }

    /// A caller that goes away in the very moment in which its sign-in commits leaves a session that
    /// memory does not know. Nobody holds its token, and it ends at its time like any other.
    async fn take_up_strays(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut connection = self.database.read().await?;
        let due = session_rows::due(&mut connection, now).await?;
        let (at, cause) = (now, EndCause::Expired);
        // What waits already ends for its own reason.
        let waiting = self.unsettled.sessions();
        let strays = due.into_iter().filter(|due| !waiting.contains(due));
        self.unsettled.extend(strays.map(|session| {
            let journal = Vec::new();
            End::new(session, None, EndReason { cause, at, journal })
        }));
        Ok(())
    }

    async fn try_forget(&self, now: Timestamp, before: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.database.begin(Weight::Essential).await?;
        for (sql, limit) in [
            (
                "DELETE FROM ticket WHERE expires_at <= $1",
                now.as_unix_millis(),
            ),
            (
                "DELETE FROM session WHERE ended_at < $1",
                before.as_unix_millis(),
            ),
            (
                "DELETE FROM throttle WHERE last_failed_at <= $1",
                now.before(THROTTLE_WINDOW).as_unix_millis(),
            ),
            (
                "DELETE FROM throttle WHERE key IN
                 (SELECT key FROM throttle ORDER BY last_failed_at DESC LIMIT -1 OFFSET $1)",
                i64::try_from(THROTTLE_KEYS_MAX).unwrap_or(i64::MAX),
            ),
        ] {
            query(sql)
                .bind(limit)
                .execute(&mut *tx)
                .await
                .map_err(fault)?;
        }
        tx.commit().await
    }
}

/// Rehashes the password that opened the session, or spends it.
async fn apply_to_password(tx: &mut Tx, opening: &SessionOpening) -> Result<(), StoreError> {
    let account = opening.record.account.as_bytes().as_slice();
    match &opening.password {
        PasswordEffect::Keep => {}
        PasswordEffect::Rehash(hash) => {
            query(
                "UPDATE account SET password_hash = $2
                 WHERE id = $1 AND password_hash IS NOT NULL",
            )
            .bind(account)
            .bind(hash.expose_phc())
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
        }
        PasswordEffect::SpendProvisional => {
            let spent = query(
                "UPDATE account SET provisional_spent = 1
                 WHERE id = $1 AND provisional_until > $2 AND provisional_spent = 0",
            )
            .bind(account)
            .bind(opening.record.started_at.as_unix_millis())
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
            if spent.rows_affected() == 0 {
                return Err(Conflict::Spent.into());
            }
        }
    }
    Ok(())
}
