//! Counters of failed attempts. What they mean is policy's business; here they only count, atomically.

use std::time::Duration;

use octroi_policy::time::Timestamp;

use super::StoreError;

/// Counters. An attempt is counted as failed before it is made and forgiven when it succeeds, so
/// that fifty parallel attempts are fifty, and a crash forgives none.
#[async_trait::async_trait]
pub(crate) trait ThrottleStore: Send + Sync + 'static {
    /// Shows `judge` the counters of all `keys` (fresh ones as [`ThrottleCounter::FRESH`]); where it
    /// lets the attempt go on, counts one failure on each.
    async fn reserve(
        &self,
        keys: PerCounter<ThrottleKey>,
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError>;

    /// Takes the counted failures of a reservation back: the attempt was not made. Nobody waits
    /// for it afterwards, and what others failed meanwhile stays counted.
    async fn give_back(&self, reservation: &Reservation) -> Result<(), StoreError>;
}

/// Says of the counters whether the attempt must wait, and for how long.
pub(crate) type ThrottleJudge<'a> =
    dyn Fn(&PerCounter<ThrottleCounter>) -> Option<Duration> + Send + Sync + 'a;

/// The most counters kept: above, those whose last failure is longest ago go first.
pub(crate) const THROTTLE_KEYS_MAX: usize = 200_000;

/// How long failures are remembered after the first of them.
pub(crate) const THROTTLE_WINDOW: Duration = Duration::from_hours(24);

/// One thing for each counter that an attempt draws on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PerCounter<T> {
    /// Of the account and the source together.
    pub(crate) source: T,
    /// Of the account, wherever attempts come from.
    pub(crate) account: T,
    /// Of the account and the net around the source; none where a source counts by itself alone.
    pub(crate) net: Option<T>,
}

impl<T> PerCounter<T> {
    /// Each of them, always in the same order.
    pub(crate) fn into_each(self) -> impl Iterator<Item = T> {
        [Some(self.source), Some(self.account), self.net]
            .into_iter()
            .flatten()
    }

    /// The same for other things.
    #[cfg(test)]
    pub(crate) fn map<U>(self, mut to: impl FnMut(T) -> U) -> PerCounter<U> {
        PerCounter {
            source: to(self.source),
            account: to(self.account),
            net: self.net.map(to),
        }
    }
}

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

    /// Without the failure that was counted on top of `before` at `at`: as it was before, where
    /// nothing was counted since; else with one failure less. Unchanged where that failure is no
    /// longer in it, because it was forgiven or forgotten: then what stands is somebody else's.
    #[must_use]
    fn given_back(self, before: Self, at: Timestamp) -> Self {
        let counted = before.failed(at);
        if self == counted {
            return before;
        }
        let is_within = self.failures > 0 && self.first_failed_at == counted.first_failed_at;
        match self.failures {
            _ if !is_within => self,
            1 => Self::FRESH,
            failures => Self {
                failures: failures.saturating_sub(1),
                ..self
            },
        }
    }
}

/// An attempt that is counted as failed, and what the counters were before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Reservation {
    /// The counters.
    pub(crate) keys: PerCounter<ThrottleKey>,
    /// As the judge saw them.
    pub(crate) before: PerCounter<ThrottleCounter>,
    /// When the attempt was counted.
    pub(crate) at: Timestamp,
}

impl Reservation {
    /// Each key with what its counter has to become, shown what it is.
    pub(crate) fn undone(
        &self,
    ) -> impl Iterator<Item = (ThrottleKey, impl Fn(ThrottleCounter) -> ThrottleCounter)> {
        let at = self.at;
        self.keys
            .into_each()
            .zip(self.before.into_each())
            .map(move |(key, before)| (key, move |now: ThrottleCounter| now.given_back(before, at)))
    }
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reserved {
    /// It may; it is counted as failed until it is forgiven or given back.
    Granted(Reservation),
    /// It must wait; it is not counted.
    Refused {
        /// For so long.
        retry_after: Duration,
    },
}
