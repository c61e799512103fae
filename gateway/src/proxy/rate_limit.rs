//! How often one address is answered while nobody is signed in.

#[cfg(test)]
mod tests;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use octroi_policy::throttle::{Net, SOURCES_OF_A_NET, Source};
use tokio::time::Instant;

/// Counts answers by address. An IPv6 client counts by its /64, which is what one subscriber holds at
/// least, and together with others by its /48, which is what many are given.
pub(crate) struct AddressLimit {
    figures: Figures,
    limiter: Limiter<Source>,
    of_nets: Limiter<Net>,
    clock: SinceStart,
}

/// What a limit allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Figures {
    count: NonZeroU32,
    period: Duration,
    burst: NonZeroU32,
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, SinceStart, NoOpMiddleware<Duration>>;

impl AddressLimit {
    /// `count` answers each `period` in the long run, `burst` at once. `None` when the period is
    /// too short to be told in nanoseconds.
    pub(crate) fn new(count: NonZeroU32, period: Duration, burst: NonZeroU32) -> Option<Self> {
        let clock = SinceStart(Instant::now());
        let each = period / count.get();
        let quota = Quota::with_period(each)?.allow_burst(burst);
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock);
        let burst_of_net = burst.saturating_mul(NonZeroU32::new(SOURCES_OF_A_NET)?);
        let quota = Quota::with_period(each / SOURCES_OF_A_NET)?.allow_burst(burst_of_net);
        let of_nets = RateLimiter::new(quota, DashMapStateStore::default(), clock);
        let figures = Figures {
            count,
            period,
            burst,
        };
        Some(Self {
            figures,
            limiter,
            of_nets,
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
        // What a source is refused does not count to its net: one must not use up what is for all.
        let checked = self.limiter.check_key(&Source::of(address));
        let checked = checked.and_then(|()| match Net::of(address) {
            Some(net) => self.of_nets.check_key(&net),
            None => Ok(()),
        });
        checked.map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            wait.max(Duration::from_secs(1))
        })
    }

    /// Forgets addresses that are as good as new. Called once a minute.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.of_nets.retain_recent();
        self.of_nets.shrink_to_fit();
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
