//! Everything that happened, append-only, chained, erasable by key.

pub(crate) mod entry;
pub(crate) mod event;

pub(crate) mod chain;
pub(crate) mod line;
pub(crate) mod tally;
pub(crate) mod time;
mod words;

use std::time::Duration;

use octroi_policy::time::Timestamp;

pub(crate) use self::event::Draft;
use self::{
    entry::{JournalPage, JournalQuery, SignedHead, Verification},
    time::JournalTime,
};
use crate::store::StoreError;

/// The journal. Lines that belong to a change travel inside the change's own command; these
/// methods are for what changes nothing, and for reading.
#[async_trait::async_trait]
pub(crate) trait JournalStore: Send + Sync + 'static {
    /// Appends lines; durable when it answers. Lines of several callers share a commit.
    async fn append(&self, drafts: Vec<Draft>) -> Result<(), StoreError>;

    /// Appends the line of a failure. Past [`FAILURES_PER_MINUTE_MAX`] a minute of the same source
    /// with the same answer it is counted instead, and one line for each reason with count, first
    /// and last time is written when the minute is over.
    async fn append_failure(&self, draft: Draft, source: FailureSource) -> Result<(), StoreError>;

    /// Writes the lines of counted failures whose minute is over. Called every few seconds, and
    /// with the end of time at shutdown.
    async fn flush_failures(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Lines, newest first.
    async fn search(&self, query: &JournalQuery) -> Result<JournalPage, StoreError>;

    /// The last line's place and authentication code, for the log stream: whoever cuts the
    /// journal's end off cannot also take back what was logged.
    async fn head(&self) -> Result<SignedHead, StoreError>;

    /// Checks the whole chain, and that it still holds `witness`, a head that was logged earlier.
    async fn verify(&self, witness: Option<&SignedHead>) -> Result<Verification, StoreError>;

    /// Moves the time on that the journal goes by, and tells it; `ran` is how long the gateway has
    /// run since it last asked. It outlives the process.
    async fn tell_time(&self, now: Timestamp, ran: Duration) -> Result<JournalTime, StoreError>;

    /// Removes the lines before `before`, leaving a signed checkpoint. Answers how many.
    async fn purge(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError>;
}

/// Failures of one source with one answer a minute that get a line each.
pub(crate) const FAILURES_PER_MINUTE_MAX: u32 = 10;

/// Where a failure came from: a keyed hash of the client's address or network, made by the caller.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct FailureSource(pub(crate) [u8; 16]);
