//! Ends of sessions: they hold in memory first. What could not be made durable, because the disk
//! failed or the caller went away, waits here and is tried again until it is.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use octroi_policy::{id::SessionId, session::SessionRecord, time::Timestamp};

use super::{SqliteStore, database::Weight, session_rows};
use crate::{
    journal::{
        Draft,
        event::{Actor, Event},
    },
    store::{
        StoreError,
        fail_point::fail_point,
        live::LiveSession,
        sessions::{EndCause, EndReason},
    },
};

/// Ends that hold in memory alone.
#[derive(Default)]
pub(super) struct Unsettled(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    ends: Vec<Arc<End>>,
    /// What kept some of them from being written; over once all are.
    fault: Option<StoreError>,
}

/// The end of one session.
pub(super) struct End {
    session: SessionId,
    /// When it was last used, where memory knew.
    last_used_at: Option<Timestamp>,
    reason: EndReason,
}

/// Ends that are being made durable. Dropped before [`Held::settled`], they are unsettled: there is
/// no way back to life for what has ended in memory.
pub(super) struct Held<'a> {
    ends: Mutex<Vec<Arc<End>>>,
    unsettled: &'a Unsettled,
}

impl End {
    /// An end for this reason.
    pub(super) fn new(session: SessionId, live: Option<&LiveSession>, reason: EndReason) -> Self {
        Self {
            session,
            last_used_at: live.map(LiveSession::last_used_at),
            reason,
        }
    }

    /// An end that a larger change brings about. Where that change comes to nothing, the end stays,
    /// and this is the line that tells of it.
    pub(super) fn along_with(live: &LiveSession, at: Timestamp, cause: EndCause) -> Self {
        let journal = vec![line_of(&live.record, live.record.id, at, cause)];
        let reason = EndReason { cause, at, journal };
        Self::new(live.record.id, Some(live), reason)
    }
}

/// The line of a session that octroi itself ended, of the account that `owner` is a session of.
pub(super) fn line_of(
    owner: &SessionRecord,
    session: SessionId,
    at: Timestamp,
    cause: EndCause,
) -> Draft {
    Draft {
        tenant: Some(owner.tenant_id),
        account: Some(owner.account),
        session: Some(session),
        ..Draft::new(at, Actor::System, Event::SessionEnded { cause })
    }
}

impl Unsettled {
    /// Room for ends that are about to be made durable.
    pub(super) fn hold(&self) -> Held<'_> {
        Held {
            ends: Mutex::default(),
            unsettled: self,
        }
    }

    /// Adds ends; the next sweep makes them durable.
    pub(super) fn extend(&self, ends: impl IntoIterator<Item = End>) {
        let ends = ends.into_iter().map(Arc::new);
        self.waiting().ends.extend(ends);
    }

    /// The sessions whose ends wait.
    pub(super) fn sessions(&self) -> HashSet<SessionId> {
        self.waiting().ends.iter().map(|end| end.session).collect()
    }

    /// What keeps an end from being durable. A caller that went away is no fault.
    pub(super) fn fault(&self) -> Option<StoreError> {
        self.waiting().fault.clone()
    }

    /// Takes up some of them.
    fn take(&self) -> Held<'_> {
        let mut waiting = self.waiting();
        let count = waiting.ends.len().min(ENDS_AT_ONCE);
        Held {
            ends: Mutex::new(waiting.ends.drain(..count).collect()),
            unsettled: self,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// Adds ends that hold in memory now.
    pub(super) fn extend(&self, ends: impl IntoIterator<Item = End>) {
        self.ends().extend(ends.into_iter().map(Arc::new));
    }

    /// The store holds them too.
    pub(super) fn settled(self) {
        self.ends().clear();
    }

    /// The command that makes them durable came to this: where the store failed, they wait. What is
    /// damaged about one account is no fault that keeps anybody else waiting.
    pub(super) fn settle<T>(self, outcome: &Result<T, StoreError>) {
        match outcome {
            Ok(_) => self.settled(),
            Err(StoreError::Conflict(_) | StoreError::Corrupt(_)) => {}
            Err(_) if self.ends().is_empty() => {}
            Err(fault) => self.unsettled.waiting().fault = Some(fault.clone()),
        }
    }

    /// What is held.
    pub(super) fn list(&self) -> Vec<Arc<End>> {
        self.ends().clone()
    }

    /// Each of them on its own.
    fn split(self) -> Vec<Self> {
        let unsettled = self.unsettled;
        let ends = mem::take(&mut *self.ends());
        let alone = |end| Held {
            ends: Mutex::new(vec![end]),
            unsettled,
        };
        ends.into_iter().map(alone).collect()
    }

    fn ends(&self) -> MutexGuard<'_, Vec<Arc<End>>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let ends = mem::take(&mut *self.ends());
        self.unsettled.waiting().ends.extend(ends);
    }
}

impl SqliteStore {
    /// Makes ends durable in one transaction. Answers which sessions had not ended before.
    pub(super) async fn write_ends(&self, ends: &[Arc<End>]) -> Result<Vec<SessionId>, StoreError> {
        let mut prepared = Vec::with_capacity(ends.len());
        for end in ends {
            let journal = &end.reason.journal;
            prepared.push(self.scribe.prepare_at_any_rate(journal).await?);
        }
        let mut tx = self.database.begin(Weight::Essential).await?;
        let mut ended = Vec::with_capacity(ends.len());
        for (end, lines) in ends.iter().zip(&prepared) {
            let EndReason { cause, at, .. } = end.reason;
            if let Some(last_used_at) = end.last_used_at {
                session_rows::set_last_used(&mut tx, end.session, last_used_at).await?;
            }
            if session_rows::end(&mut tx, end.session, at, cause).await? {
                self.scribe.write(&mut tx, lines).await?;
                // It may have been opened after memory was asked.
                self.roster.end(end.session);
                ended.push(end.session);
            }
        }
        if ended.is_empty() {
            return Ok(ended);
        }
        fail_point("session_end_before_commit");
        tx.commit().await?;
        fail_point("session_end_after_commit");
        Ok(ended)
    }

    /// Makes durable what holds in memory alone, some hundred at a time: between two transactions a
    /// sign-in has its turn. Answers which sessions had not ended before.
    pub(super) async fn settle_ends(&self) -> Result<Vec<SessionId>, StoreError> {
        let mut settled = Vec::new();
        // They wait again once this is done, or they would be taken up for ever.
        let mut stuck = Vec::new();
        loop {
            let batch = self.unsettled.take();
            if batch.list().is_empty() {
                break;
            }
            let outcome = self.settle_batch(batch.list()).await;
            if matches!(outcome, Err(StoreError::Corrupt(_))) {
                settled.extend(self.settle_each(batch, &mut stuck).await);
            } else {
                batch.settle(&outcome);
                settled.extend(outcome?);
            }
        }
        let damaged = |fault: &StoreError| matches!(fault, StoreError::Corrupt(_));
        let mut waiting = self.unsettled.waiting();
        if waiting.ends.is_empty() && stuck.iter().all(|(_, fault)| damaged(fault)) {
            waiting.fault = None;
        }
        drop(waiting);
        let mut outcome = Ok(settled);
        for (alone, fault) in stuck {
            let fault = Err(fault);
            alone.settle(&fault);
            outcome = outcome.and(fault);
        }
        outcome
    }

    /// Makes durable what holds in memory alone, for the last time before the process ends.
    pub(super) async fn settle_last_ends(&self) -> Result<Vec<SessionId>, StoreError> {
        let settled = self.settle_ends().await;
        let waiting = self.unsettled.waiting().ends.len();
        if waiting > 0 {
            tracing::error!(
                waiting,
                "ends of sessions could not be written: these sessions live again after the next start; end them once more then"
            );
        }
        settled
    }

    /// The line of one cannot be written: the others do not wait for it.
    async fn settle_each<'a>(
        &self,
        batch: Held<'a>,
        stuck: &mut Vec<(Held<'a>, StoreError)>,
    ) -> Vec<SessionId> {
        let mut settled = Vec::new();
        for alone in batch.split() {
            match self.settle_batch(alone.list()).await {
                Ok(ended) => {
                    settled.extend(ended);
                    alone.settled();
                }
                Err(fault) => stuck.push((alone, fault)),
            }
        }
        settled
    }

    async fn settle_batch(&self, ends: Vec<Arc<End>>) -> Result<Vec<SessionId>, StoreError> {
        let settled = self.database.essential(|| self.write_ends(&ends)).await;
        self.database.settled(Weight::Essential, settled)
    }
}

/// Ends that one transaction makes durable: everybody who signed in at nine expires at nine.
const ENDS_AT_ONCE: usize = 256;
