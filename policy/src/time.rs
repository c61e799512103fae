//! A point in time as a value: policy is handed `now`, and never asks for it.

use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC, leap seconds ignored.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch itself; of use as "before everything" in tests and migrations.
    pub const EPOCH: Self = Self(0);

    /// The time that is `millis` milliseconds after the Unix epoch.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down, as JWT and HTTP want them.
    pub const fn as_unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time plus `duration`; stops at the last time that can be told instead of wrapping.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This time minus `duration`; stops at the first time that can be told instead of wrapping.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long ago `earlier` was, seen from here. Zero when it lies ahead: a clock that was set
    /// back must never make something look older than it is.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_yields_no_age() {
        let later = Timestamp::from_unix_millis(5_000);
        assert_eq!(Timestamp::EPOCH.since(later), Duration::ZERO);
        assert_eq!(later.since(Timestamp::EPOCH), Duration::from_secs(5));
    }

    #[test]
    fn arithmetic_stops_at_the_ends_instead_of_wrapping() {
        let last = Timestamp::from_unix_millis(i64::MAX);
        assert_eq!(last.after(Duration::from_secs(1)), last);
        let first = Timestamp::from_unix_millis(i64::MIN);
        assert_eq!(first.before(Duration::from_secs(1)), first);
    }

    #[test]
    fn seconds_round_down_before_the_epoch_too() {
        assert_eq!(Timestamp::from_unix_millis(-1).as_unix_seconds(), -1);
        assert_eq!(Timestamp::from_unix_millis(1_999).as_unix_seconds(), 1);
    }
}
