//! The only place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};
#[cfg(test)]
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use octroi_policy::time::Timestamp;

/// Tells the time. Not required to be monotonic: callers compare with the later of two times
/// where going back would open a door.
pub(crate) trait Clock: Send + Sync + 'static {
    /// The time now, UTC.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one source of time")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        // A clock before 1970 is a broken clock; the epoch makes certificates and sessions invalid, which is the safe side.
        let millis = since_epoch.map_or(0, |elapsed| {
            i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
        });
        Timestamp::from_unix_millis(millis)
    }
}

/// A clock that stands still until it is told to move, for tests.
#[cfg(test)]
#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

#[cfg(test)]
impl ManualClock {
    /// A clock that stands at `now`.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_unix_millis())))
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now().after(by));
    }

    /// Sets the clock, backwards too, as an operator might.
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.as_unix_millis(), Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::at(Timestamp::EPOCH);
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_unix_millis(1_000));
    }

    #[test]
    fn the_system_clock_tells_a_time_after_this_was_written() {
        assert!(SystemClock.now() > Timestamp::from_unix_millis(1_700_000_000_000));
    }
}
