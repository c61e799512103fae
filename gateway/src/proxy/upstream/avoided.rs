//! Addresses to which no connection came about a moment ago: others go first, so that not each
//! request waits for one that is dead.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use crate::listener::tunnel::dial::UpstreamAddress;

/// The addresses of one service that are avoided for a while. Asked on every request: without a
/// lock, and nearly always of nothing.
#[derive(Default)]
pub(super) struct Avoided(ArcSwapOption<Vec<Failed>>);

/// An address that failed.
#[derive(Clone)]
struct Failed {
    address: UpstreamAddress,
    /// When it failed last.
    since: Instant,
    /// When the log was last told of it.
    told: Instant,
}

impl Avoided {
    /// Avoids an address from now on. Says whether the log is to be told why: once in the time for
    /// which an address is avoided, however many requests try it.
    pub(super) fn add(&self, address: &UpstreamAddress) -> bool {
        let now = Instant::now();
        let mut is_news = true;
        self.0.rcu(|known| {
            let known = || known.iter().flat_map(|known| known.iter());
            let before = known().find(|one| one.address == *address);
            let told = before.map(|one| one.told);
            let told = told.filter(|told| is_recent(*told, now));
            is_news = told.is_none();
            let others = known().filter(|one| one.address != *address && is_recent(one.since, now));
            let mut next: Vec<_> = others.cloned().collect();
            next.push(Failed {
                address: address.clone(),
                since: now,
                told: told.unwrap_or(now),
            });
            Some(Arc::new(next))
        });
        is_news
    }

    /// Whether an address is to wait for others.
    pub(super) fn contains(&self, address: &UpstreamAddress) -> bool {
        let known = self.0.load();
        let Some(known) = known.as_ref() else {
            return false;
        };
        let now = Instant::now();
        let mut known = known.iter();
        known.any(|one| one.address == *address && is_recent(one.since, now))
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

    #[tokio::test(start_paused = true)]
    async fn why_an_address_failed_is_told_once_in_five_seconds_and_of_each_address() {
        let avoided = Avoided::default();
        let [one, other] = ["10.0.0.1:80", "10.0.0.2:80"]
            .map(|address| UpstreamAddress::Inet(address.parse().unwrap()));
        assert!(avoided.add(&one));
        assert!(avoided.add(&other));
        for _ in 0..4 {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(!avoided.add(&one));
        }
        // It went on failing: that it is avoided all the time does not make it silent for good.
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(avoided.add(&one));
        assert!(!avoided.add(&one));
    }
}
