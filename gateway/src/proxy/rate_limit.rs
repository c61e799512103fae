//! How often one address is answered while nobody is signed in.

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

use crate::clock::Clock;

/// Counts answers by address. An IPv6 client counts by its /64, which is what one subscriber holds.
pub(crate) struct AddressLimit {
    limiter: Limiter,
    clock: SinceEpoch,
}

type Limiter = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, SinceEpoch, NoOpMiddleware<Duration>>;

impl AddressLimit {
    /// `count` answers each `period` in the long run, `burst` at once. `None` when the period is
    /// too short to be told in nanoseconds.
    pub(crate) fn new(
        count: NonZeroU32,
        period: Duration,
        burst: NonZeroU32,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let clock = SinceEpoch(clock);
        let quota = Quota::with_period(period / count.get())?.allow_burst(burst);
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Some(Self { limiter, clock })
    }

    /// Counts an answer to `address`.
    ///
    /// # Errors
    ///
    /// How long the address has to wait, at least a second.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Duration> {
        self.limiter
            .check_key(&subscriber(address))
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

/// Our clock as `governor` wants it: the time since the Unix epoch. A clock set back makes it
/// wait, never forgive.
#[derive(Clone)]
struct SinceEpoch(Arc<dyn Clock>);

impl GovernorClock for SinceEpoch {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let millis = self.0.now().as_unix_millis();
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
