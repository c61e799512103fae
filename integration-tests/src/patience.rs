//! The only clock of the tests: waiting for something to become true, and measuring how long it took.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(10);

/// Lets `duration` go by. For what must *not* happen meanwhile; for what must happen, wait for it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test thread has nothing else to do"
)]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Waits until `condition` gives something, and says how long that took. `None` after `limit`.
pub fn wait_for<T>(
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> Option<(T, Duration)> {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = condition() {
            return Some((found, watch.elapsed()));
        }
        if watch.elapsed() > limit {
            return None;
        }
        pause(STEP);
    }
}

/// Measures what a client of the gateway would measure.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests measure the product with a clock of their own"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
