//! How often one address is answered while nobody is signed in.

#[cfg(test)]
mod tests;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use octroi_policy::throttle::Source;
use tokio::time::Instant;

/// Counts answers by address. An IPv6 client counts by its /64, which is what one subscriber holds.
pub(crate) struct AddressLimit {
    figures: Figures,
    limiter: Limiter,
    clock: SinceStart,
}

/// What a limit allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Figures {
    count: NonZeroU32,
    period: Duration,
    burst: NonZeroU32,
}

type Limiter = RateLimiter<Source, DashMapStateStore<Source>, SinceStart, NoOpMiddleware<Duration>>;

impl AddressLimit {
    /// `count` answers each `period` in the long run, `burst` at once. `None` when the period is
    /// too short to be told in nanoseconds.
    pub(crate) fn new(count: NonZeroU32, period: Duration, burst: NonZeroU32) -> Option<Self> {
        let clock = SinceStart(Instant::now());
        let quota = Quota::with_period(period / count.get())?.allow_burst(burst);
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock);
        let figures = Figures {
            count,
            period,
            burst,
        };
        Some(Self {
            figures,
            limiter,
            clock,
        })
    }

    /// Puts `next` in the place of the limit in force, unless it allows the same: a reload that
    /// changes something else forgives nobody.
    pub(crate) fn replace(in_force: &ArcSwap<Self>, next: Self) {
        if in_force.load().figures != next.figures {
            in_force.store(Arc::new(next));
        }
    }

    /// Counts an answer to `address`.
    ///
    /// # Errors
    ///
    /// How long the address has to wait, at least a second.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Duration> {
        self.limiter
            .check_key(&Source::of(address))
            .map_err(|refused| {
                let wait = refused.wait_time_from(self.clock.now());
                wait.max(Duration::from_secs(1))
            })
    }

    /// Forgets addresses that are as good as new. Called once a minute.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// How many addresses are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// Time that only goes forward: a wall clock that is set back would shut out every address that
/// is remembered for as long as it was set back.
#[derive(Clone, Copy)]
struct SinceStart(Instant);

impl GovernorClock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
