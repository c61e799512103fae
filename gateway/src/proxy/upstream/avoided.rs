//! Addresses to which no connection came about a moment ago: others go first, so that not each
//! request waits for one that is dead.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use crate::listener::tunnel::dial::UpstreamAddress;

/// The addresses of one service that are avoided for a while. Asked on every request: without a
/// lock, and nearly always of nothing.
#[derive(Default)]
pub(super) struct Avoided(ArcSwapOption<Vec<(UpstreamAddress, Instant)>>);

impl Avoided {
    /// Avoids an address from now on.
    pub(super) fn add(&self, address: &UpstreamAddress) {
        let now = Instant::now();
        self.0.rcu(|known| {
            let known = known.iter().flat_map(|known| known.iter());
            let others = known.filter(|(other, since)| other != address && is_recent(*since, now));
            let mut next: Vec<_> = others.cloned().collect();
            next.push((address.clone(), now));
            Some(Arc::new(next))
        });
    }

    /// Whether an address is to wait for others.
    pub(super) fn contains(&self, address: &UpstreamAddress) -> bool {
        let known = self.0.load();
        let Some(known) = known.as_ref() else {
            return false;
        };
        let now = Instant::now();
        let mut known = known.iter();
        known.any(|(other, since)| other == address && is_recent(*since, now))
    }
}

fn is_recent(since: Instant, now: Instant) -> bool {
    now.duration_since(since) < AVOIDED_FOR
}

/// Long enough that a dead address costs few requests their time, short enough that one which comes
/// back has its share again at once.
const AVOIDED_FOR: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_avoided_for_five_seconds_after_it_failed_last() {
        let avoided = Avoided::default();
        let [one, other] = ["10.0.0.1:80", "10.0.0.2:80"]
            .map(|address| UpstreamAddress::Inet(address.parse().unwrap()));
        assert!(!avoided.contains(&one));
        avoided.add(&one);
        tokio::time::advance(Duration::from_secs(3)).await;
        avoided.add(&other);
        assert!(avoided.contains(&one) && avoided.contains(&other));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!avoided.contains(&one) && avoided.contains(&other));
        avoided.add(&one);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(avoided.contains(&one) && !avoided.contains(&other));
        assert_eq!(avoided.0.load().as_ref().map(|known| known.len()), Some(2));
        avoided.add(&one);
        assert_eq!(avoided.0.load().as_ref().map(|known| known.len()), Some(1));
    }
}
