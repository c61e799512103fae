//! What has to be done again and again: ending what is over, writing down last uses, keeping the
//! journal in its bounds. Each task stops when the gateway does.

use std::{
    fmt,
    future::Future,
    mem::{self, Discriminant},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use octroi_policy::{session::over, time::Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::live::Live;
use crate::{
    assertion::{Passports, SigningKeys},
    clock::Clock,
    identity::Identity,
    journal::time::Concern,
    lifecycle::Tasks,
    listener::open_requests::{EndReason, OpenRequests},
    store::{StoreError, Stores, live::LiveSession},
};

/// What upkeep works on.
#[derive(Clone)]
pub(super) struct Upkeep {
    /// Who people are.
    pub(super) identity: Identity,
    /// Everything that is kept.
    pub(super) stores: Stores,
    /// What is being answered.
    pub(super) open_requests: Arc<OpenRequests>,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
    /// Keys that sign assertions.
    pub(super) signing_keys: Arc<SigningKeys>,
    /// Identity fields and assertions that are kept.
    pub(super) passports: Arc<Passports>,
    /// The configuration in force.
    pub(super) live: Arc<Live>,
    /// What was last said of the clock.
    pub(super) told: Arc<Mutex<Option<Discriminant<Concern>>>>,
}

impl Upkeep {
    /// Starts every task.
    pub(super) fn start(self, tasks: &Tasks) {
        let own = self.clone();
        repeat(tasks, "expiry", EXPIRY_EVERY, move || {
            own.end_what_is_over();
            async { Ok::<_, StoreError>(()) }
        });
        let own = self.clone();
        repeat(tasks, "counts by address", LIMIT_EVERY, move || {
            own.live.limit.load().forget_idle();
            own.live.public_limit.load().forget_idle();
            async { Ok::<_, StoreError>(()) }
        });
        let own = self.clone();
        repeat(tasks, "assertions", PASSPORTS_EVERY, move || {
            own.passports.forget_due();
            async { Ok::<_, StoreError>(()) }
        });
        let own = self.clone();
        repeat(tasks, "store", PROBE_EVERY, move || {
            let own = own.clone();
            async move { own.probe_store().await }
        });
        let own = self.clone();
        repeat(tasks, "signing keys", KEYS_EVERY, move || {
            let own = own.clone();
            async move { own.signing_keys.rotate(own.clock.now()).await }
        });
        let own = self.clone();
        repeat(tasks, "counted failures", FAILURES_EVERY, move || {
            let own = own.clone();
            async move { own.stores.journal.flush_failures(own.clock.now()).await }
        });
        let own = self.clone();
        repeat(tasks, "password hashes", HASHES_EVERY, move || {
            let own = own.clone();
            async move { own.identity.look_at_hashes().await }
        });
        let own = self.clone();
        repeat(tasks, "sessions", SESSIONS_EVERY, move || {
            let own = own.clone();
            async move { own.settle_sessions().await }
        });
        let own = self.clone();
        repeat(tasks, "journal head", HEAD_EVERY, move || {
            let own = own.clone();
            async move { own.tell_head().await }
        });
        let own = self.clone();
        let mut asked_at = Instant::now();
        repeat(tasks, "clock", CLOCK_EVERY, move || {
            let own = own.clone();
            let ran = asked_at.elapsed();
            asked_at = Instant::now();
            async move { own.look_at_clock(ran).await.map(drop) }
        });
        let own = self;
        repeat(tasks, "journal purge", PURGE_EVERY, move || {
            let own = own.clone();
            async move { own.purge().await }
        });
    }

    /// Writes down what only memory knows, before the process ends.
    pub(super) async fn finish(&self) -> Result<(), StoreError> {
        let journal = &self.stores.journal;
        let end_of_time = Timestamp::from_unix_millis(i64::MAX);
        let flushed = journal.flush_failures(end_of_time).await;
        let used = self.stores.sessions.flush_last_used().await;
        // Whoever was told "the session stays dead" meant more than this process.
        let settled = self.stores.sessions.settle().await;
        settled.and(flushed).and(used)
    }

    /// Ends requests whose session is over: a socket or stream that outlives it asks for nothing,
    /// so that nothing else would notice.
    fn end_what_is_over(&self) -> usize {
        let now = self.clock.now();
        let live = |session| self.stores.sessions.live(session);
        let sessions = self.open_requests.sessions().into_iter();
        sessions
            .filter(|session| live(*session).is_none_or(|live| is_over(&live, now)))
            .map(|session| {
                self.open_requests
                    .end_session(session, EndReason::SessionExpired)
            })
            .sum()
    }

    /// Readiness comes back as soon as the store can be relied on again, and not with the next
    /// change that somebody happens to make.
    async fn probe_store(&self) -> Result<(), StoreError> {
        match self.stores.health.fault() {
            Some(_) => {
                self.stores.health.probe().await?;
                // What waits to be written is what keeps readiness off from here on.
                self.stores.sessions.settle().await
            }
            None => Ok(()),
        }
    }

    async fn settle_sessions(&self) -> Result<(), StoreError> {
        let sessions = &self.stores.sessions;
        let used = sessions.flush_last_used().await;
        let now = self.clock.now();
        let kept_since = now.before(self.retention());
        for session in sessions.sweep(now, kept_since).await? {
            self.open_requests
                .end_session(session, EndReason::SessionExpired);
        }
        used
    }

    /// Whoever cuts the journal's end off cannot also take back what the log stream has.
    async fn tell_head(&self) -> Result<(), StoreError> {
        let head = self.stores.journal.head().await?;
        tracing::info!(journal_head = %format_args!("{}:{}", head.sequence, head.code));
        Ok(())
    }

    /// How long lines of the journal, and facts of ended sessions, are kept: as the configuration
    /// says now, and not as it said at the start.
    pub(super) fn retention(&self) -> Duration {
        let months = self.live.settings().journal.keep_months;
        MONTH.saturating_mul(months.into())
    }

    /// Says once what is wrong with the clock, for as long as that is so. Gives what was said.
    async fn look_at_clock(&self, ran: Duration) -> Result<Option<Concern>, StoreError> {
        let now = self.clock.now();
        let time = self.stores.journal.tell_time(now, ran).await?;
        let concern = time.concern(now);
        let kind = concern.as_ref().map(mem::discriminant);
        let told = mem::replace(
            &mut *self.told.lock().unwrap_or_else(PoisonError::into_inner),
            kind,
        );
        let concern = concern.filter(|_| kind != told);
        if let Some(concern) = &concern {
            tracing::warn!("{concern}");
        }
        Ok(concern)
    }

    async fn purge(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        // By a clock that leapt ahead, all lines would be old at once, and gone for good.
        let believed = self.stores.journal.tell_time(now, Duration::ZERO).await?.at;
        let kept_since = believed.before(self.retention());
        let lines = self.stores.journal.purge(kept_since, now).await?;
        if lines > 0 {
            tracing::info!(lines, "old lines of the journal were purged");
        }
        Ok(())
    }
}

/// Whether a session has ended in any way, whatever the host it is used on.
fn is_over(live: &LiveSession, now: Timestamp) -> bool {
    let standing = live.standing();
    standing.ended
        || standing.account_epoch != Some(live.record.epoch)
        || over(&live.record, standing.last_used_at, now).is_some()
}

/// Does `work` at once and then every `period`, until tasks are told to stop. What fails is logged
/// and tried again the next time.
fn repeat<F, W, E>(tasks: &Tasks, name: &'static str, period: Duration, mut work: W)
where
    W: FnMut() -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send,
    E: fmt::Display + Send,
{
    let stopping = tasks.clone();
    tasks.spawn(name, async move {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stopping.stopping() => return,
            }
            if let Err(error) = work().await {
                tracing::error!(task = name, %error, "upkeep failed; it is tried again");
            }
        }
    });
}

/// A session's end closes what it has open within a second.
const EXPIRY_EVERY: Duration = Duration::from_millis(500);
/// How soon after its minute a count of failures is written.
const FAILURES_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked what password hashes are kept: it reads the accounts once, some 0.1 s for 100,000.
const HASHES_EVERY: Duration = Duration::from_mins(10);
/// After a crash a session may end this much early, never late.
const SESSIONS_EVERY: Duration = Duration::from_mins(1);
/// How often the log stream learns the journal's head.
const HEAD_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether the clock can be right.
const CLOCK_EVERY: Duration = Duration::from_hours(1);
/// How often old lines are looked for.
const PURGE_EVERY: Duration = Duration::from_hours(24);
/// A month of the journal's keeping: a twelfth of 365 days.
const MONTH: Duration = Duration::from_hours(365 * 24 / 12);
/// How soon a store that works again is noticed.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// How often assertions that are due are dropped.
const PASSPORTS_EVERY: Duration = Duration::from_mins(1);
/// How often addresses that asked long ago are forgotten.
const LIMIT_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether a signing key is due; keys are published two days before they sign.
const KEYS_EVERY: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests;
