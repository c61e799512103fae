//! Turns at the hashing threads: whoever sends many passwords from one place waits for itself.
//!
//! One source holds at most [`PLACES_MAX`] places of the queue that everybody shares; what more it
//! sends waits for those, in order. So no source, whatever it sends, keeps another one out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use octroi_policy::throttle::Source;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places of the queue that one source holds at a time: as many as a small office needs at nine
/// o'clock, and few beside the 64 that the queue has by default.
pub(super) const PLACES_MAX: usize = 4;

/// Who waits, by source.
pub(super) struct Turns {
    /// Requests of one source that may wait for its places; one more is refused.
    waiting_max: usize,
    sources: Mutex<HashMap<Source, OfSource>>,
}

struct OfSource {
    places: Arc<Semaphore>,
    asked: usize,
}

/// A place of the queue; free again when dropped.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _asked: Asked,
}

impl Turns {
    /// Nobody waits.
    pub(super) fn new(waiting_max: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting_max,
            sources: Mutex::default(),
        })
    }

    /// Waits for a place of this source; `None` at once where too many of it wait already.
    pub(super) async fn take(self: &Arc<Self>, source: Source) -> Option<Turn> {
        let places = {
            let mut sources = self.sources();
            let of_source = sources.entry(source).or_insert_with(|| OfSource {
                places: Arc::new(Semaphore::new(PLACES_MAX)),
                asked: 0,
            });
            if of_source.asked >= self.waiting_max.saturating_add(PLACES_MAX) {
                return None;
            }
            of_source.asked = of_source.asked.saturating_add(1);
            Arc::clone(&of_source.places)
        };
        let asked = Asked {
            turns: Arc::clone(self),
            source,
        };
        let place = places.acquire_owned().await.ok()?;
        Some(Turn {
            _place: place,
            _asked: asked,
        })
    }

    fn sources(&self) -> MutexGuard<'_, HashMap<Source, OfSource>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits or has a place; the last one of a source forgets the source.
struct Asked {
    turns: Arc<Turns>,
    source: Source,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut sources = self.turns.sources();
        if let Some(of_source) = sources.get_mut(&self.source) {
            of_source.asked = of_source.asked.saturating_sub(1);
            if of_source.asked == 0 {
                sources.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use tokio::time::timeout;

    use super::*;

    fn source(address: &str) -> Source {
        Source::of(address.parse::<IpAddr>().unwrap())
    }

    /// Whether a turn comes without anybody giving one back.
    async fn at_once(turns: &Arc<Turns>, of: Source) -> Option<Turn> {
        timeout(Duration::from_millis(20), turns.take(of))
            .await
            .ok()
            .flatten()
    }

    #[tokio::test]
    async fn one_source_holds_four_places_and_another_has_its_own() {
        let turns = Turns::new(8);
        let mut held = Vec::new();
        for host in 1..=PLACES_MAX {
            let one_subscriber = source(&format!("2001:db8::{host}"));
            held.push(at_once(&turns, one_subscriber).await.unwrap());
        }
        assert!(at_once(&turns, source("2001:db8::9")).await.is_none());
        assert!(at_once(&turns, source("2001:db8:0:1::1")).await.is_some());
        held.pop();
        assert!(at_once(&turns, source("2001:db8::9")).await.is_some());
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_forgotten_with_its_caller() {
        let turns = Turns::new(1);
        let one = source("192.0.2.1");
        let mut held = Vec::new();
        for _ in 0..PLACES_MAX {
            held.push(at_once(&turns, one).await.unwrap());
        }
        let behind = Arc::clone(&turns);
        let waiting = tokio::spawn(async move { behind.take(one).await.is_some() });
        while turns.sources().get(&one).unwrap().asked <= PLACES_MAX {
            tokio::task::yield_now().await;
        }
        let beyond = timeout(Duration::from_mins(1), turns.take(one)).await;
        assert!(beyond.unwrap().is_none(), "refused, and not after a wait");
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        held.clear();
        assert!(turns.sources().is_empty(), "nothing is kept of who is gone");
    }
}
