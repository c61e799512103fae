//! Counters of failed attempts. What they mean is policy's business; here they only count, atomically.

use std::time::Duration;

use octroi_policy::time::Timestamp;

use super::StoreError;

/// Counters. An attempt is counted as failed before it is made and forgiven when it succeeds, so
/// that fifty parallel attempts are fifty, and a crash forgives none.
#[async_trait::async_trait]
pub(crate) trait ThrottleStore: Send + Sync + 'static {
    /// Shows `judge` the counters of all `keys` (in their order, fresh ones as
    /// [`ThrottleCounter::FRESH`]); where it lets the attempt go on, counts one failure on each.
    async fn reserve(
        &self,
        keys: &[ThrottleKey],
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError>;

    /// Takes one counted failure back from each: the attempt was not made.
    async fn give_back(&self, keys: &[ThrottleKey]) -> Result<(), StoreError>;
}

/// Says of the counters whether the attempt must wait, and for how long.
pub(crate) type ThrottleJudge<'a> =
    dyn Fn(&[ThrottleCounter]) -> Option<Duration> + Send + Sync + 'a;

/// The most counters kept: above, those whose last failure is longest ago go first.
pub(crate) const THROTTLE_KEYS_MAX: usize = 200_000;

/// How long failures are remembered after the first of them.
pub(crate) const THROTTLE_WINDOW: Duration = Duration::from_hours(24);

/// What is counted: a keyed hash of account and source, computed by the caller.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct ThrottleKey(pub(crate) [u8; 16]);

/// Failures within [`THROTTLE_WINDOW`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ThrottleCounter {
    /// How many.
    pub(crate) failures: u32,
    /// When the first of them was.
    pub(crate) first_failed_at: Timestamp,
    /// When the last of them was.
    pub(crate) last_failed_at: Timestamp,
}

impl ThrottleCounter {
    /// No failure yet.
    pub(crate) const FRESH: Self = Self {
        failures: 0,
        first_failed_at: Timestamp::EPOCH,
        last_failed_at: Timestamp::EPOCH,
    };

    /// As it stands at `now`: fresh again once the window is over.
    #[must_use]
    pub(crate) fn at(self, now: Timestamp) -> Self {
        if now.since(self.first_failed_at) >= THROTTLE_WINDOW {
            Self::FRESH
        } else {
            self
        }
    }

    /// With one more failure, at `now`.
    #[must_use]
    pub(crate) fn failed(self, now: Timestamp) -> Self {
        let current = self.at(now);
        Self {
            failures: current.failures.saturating_add(1),
            first_failed_at: if current.failures == 0 {
                now
            } else {
                current.first_failed_at
            },
            last_failed_at: now.max(current.last_failed_at),
        }
    }

    /// With one failure less.
    #[must_use]
    pub(crate) const fn given_back(self) -> Self {
        Self {
            failures: self.failures.saturating_sub(1),
            ..self
        }
    }
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reserved {
    /// It may; it is counted as failed until it is forgiven.
    Granted,
    /// It must wait; it is not counted.
    Refused {
        /// For so long.
        retry_after: Duration,
    },
}
