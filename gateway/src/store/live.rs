//! What the request path sees of a session: facts that never change, and three numbers that do.

use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use octroi_policy::{
    session::{SessionEpoch, SessionRecord, Standing, TokenFacts},
    time::Timestamp,
};

use super::sessions::{NewToken, TokenHash};

/// A token that was presented and is known, with the session behind it.
pub(crate) struct LiveToken {
    /// The session.
    pub(crate) session: Arc<LiveSession>,
    /// The host on which the token counts, and what it proves.
    pub(crate) facts: TokenFacts,
    key: TokenKey,
}

impl LiveToken {
    /// A token of a session.
    pub(crate) fn new(session: Arc<LiveSession>, token: NewToken) -> Self {
        Self {
            session,
            facts: token.facts,
            key: TokenKey::of(&token.hash),
        }
    }

    /// What it is found by.
    pub(super) const fn key(&self) -> &TokenKey {
        &self.key
    }
}

/// Half of a token's hash: 128 bits that nobody guesses.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct TokenKey([u8; 16]);

impl TokenKey {
    /// The key of the token with this hash.
    pub(super) fn of(token: &TokenHash) -> Self {
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(token.0) {
            *to = from;
        }
        Self(key)
    }
}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// A session in memory.
pub(crate) struct LiveSession {
    /// What never changes.
    pub(crate) record: SessionRecord,
    last_used_at_millis: AtomicI64,
    ended: AtomicBool,
    /// Whether the store does not know the last use yet.
    is_unflushed: AtomicBool,
    account: Arc<AccountState>,
}

impl LiveSession {
    /// A session as it stands in the store.
    pub(crate) const fn new(
        record: SessionRecord,
        last_used_at: Timestamp,
        account: Arc<AccountState>,
    ) -> Self {
        Self {
            record,
            last_used_at_millis: AtomicI64::new(last_used_at.as_unix_millis()),
            ended: AtomicBool::new(false),
            is_unflushed: AtomicBool::new(false),
            account,
        }
    }

    /// What can be said of it at this moment.
    pub(crate) fn standing(&self) -> Standing {
        Standing {
            account_epoch: self.account.epoch(),
            last_used_at: self.last_used_at(),
            ended: self.ended.load(Ordering::Acquire),
        }
    }

    /// When it was last used.
    pub(crate) fn last_used_at(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.last_used_at_millis.load(Ordering::Relaxed))
    }

    /// Notes a use that renews the idle time. Never moves the time back.
    pub(crate) fn touch(&self, now: Timestamp) {
        // Most requests of a busy session fall into the same second: reading first keeps its
        // cache line shared between workers.
        if now.since(self.last_used_at()) >= TOUCH_GRAIN {
            self.last_used_at_millis
                .fetch_max(now.as_unix_millis(), Ordering::Relaxed);
            self.is_unflushed.store(true, Ordering::Release);
        }
    }

    /// The last use, while the store does not know it.
    pub(super) fn unflushed_use(&self) -> Option<Timestamp> {
        let is_unflushed = self.is_unflushed.load(Ordering::Acquire);
        is_unflushed.then(|| self.last_used_at())
    }

    /// The store knows the use at `known` now; a later one stays unflushed.
    pub(super) fn flushed(&self, known: Timestamp) {
        self.is_unflushed.store(false, Ordering::Release);
        if self.last_used_at() > known {
            self.is_unflushed.store(true, Ordering::Release);
        }
    }

    /// Ends it in memory. There is no way back: a session that could not be ended durably stays dead.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// The account's state, shared by all its sessions.
    pub(crate) const fn account(&self) -> &Arc<AccountState> {
        &self.account
    }
}

/// The one number by which all sessions of an account die at once.
pub(crate) struct AccountState {
    /// [`GONE`] once the account is locked or erased.
    epoch: AtomicU64,
}

impl AccountState {
    /// The state of an account that may have sessions.
    pub(crate) const fn at(epoch: SessionEpoch) -> Self {
        Self {
            epoch: AtomicU64::new(epoch.0),
        }
    }

    /// The epoch now; `None` once the account is locked or erased.
    pub(crate) fn epoch(&self) -> Option<SessionEpoch> {
        let epoch = self.epoch.load(Ordering::Acquire);
        (epoch != GONE).then_some(SessionEpoch(epoch))
    }

    /// The store has committed this epoch. Never lowers it, and never revives an account that is
    /// gone: a sign-in that comes late opens nothing.
    pub(crate) fn raise(&self, epoch: SessionEpoch) {
        self.epoch.fetch_max(epoch.0, Ordering::AcqRel);
    }

    /// No session of this account counts from here on.
    pub(crate) fn close(&self) {
        self.epoch.store(GONE, Ordering::Release);
    }
}

/// No account reaches it: an epoch rises by one a change.
const GONE: u64 = u64::MAX;

/// Uses closer together than this are one use.
const TOUCH_GRAIN: std::time::Duration = std::time::Duration::from_secs(1);
