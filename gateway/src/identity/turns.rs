//! Turns at what there is little of: whoever asks often waits for itself.
//!
//! Each key holds so many places at a time; what more it asks for waits for those, in order. So
//! nobody, whatever it sends, keeps another one out.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who waits, by key.
pub(super) struct Turns<K: Eq + Hash + Copy> {
    /// Places that one key holds at a time.
    places_max: usize,
    /// Requests of one key that may wait for its places; one more is refused.
    waiting_max: usize,
    keys: Mutex<HashMap<K, OfKey>>,
}

struct OfKey {
    places: Arc<Semaphore>,
    asked: usize,
}

/// A place; free again when dropped.
pub(super) struct Turn<K: Eq + Hash + Copy> {
    _place: OwnedSemaphorePermit,
    _asked: Asked<K>,
}

impl<K: Eq + Hash + Copy> Turns<K> {
    /// Nobody waits.
    pub(super) fn new(places_max: usize, waiting_max: usize) -> Arc<Self> {
        Arc::new(Self {
            places_max,
            waiting_max,
            keys: Mutex::default(),
        })
    }

    /// Waits for a place of this key; `None` at once where too many of it wait already.
    pub(super) async fn take(self: &Arc<Self>, key: K) -> Option<Turn<K>> {
        let places = {
            let mut keys = self.keys();
            let of_key = keys.entry(key).or_insert_with(|| OfKey {
                places: Arc::new(Semaphore::new(self.places_max)),
                asked: 0,
            });
            if of_key.asked >= self.waiting_max.saturating_add(self.places_max) {
                return None;
            }
            of_key.asked = of_key.asked.saturating_add(1);
            Arc::clone(&of_key.places)
        };
        let asked = Asked {
            turns: Arc::clone(self),
            key,
        };
        let place = places.acquire_owned().await.ok()?;
        Some(Turn {
            _place: place,
            _asked: asked,
        })
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<K, OfKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait for this key or have one of its places.
    #[cfg(test)]
    pub(super) fn asked(&self, key: K) -> usize {
        self.keys().get(&key).map_or(0, |of_key| of_key.asked)
    }
}

/// A request that waits or has a place; the last one of a key forgets the key.
struct Asked<K: Eq + Hash + Copy> {
    turns: Arc<Turns<K>>,
    key: K,
}

impl<K: Eq + Hash + Copy> Drop for Asked<K> {
    fn drop(&mut self) {
        let mut keys = self.turns.keys();
        if let Some(of_key) = keys.get_mut(&self.key) {
            of_key.asked = of_key.asked.saturating_sub(1);
            if of_key.asked == 0 {
                keys.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Whether a turn comes without anybody giving one back.
    async fn at_once(turns: &Arc<Turns<u8>>, key: u8) -> Option<Turn<u8>> {
        timeout(Duration::from_millis(20), turns.take(key))
            .await
            .ok()
            .flatten()
    }

    #[tokio::test]
    async fn one_key_holds_its_places_and_another_has_its_own() {
        let turns = Turns::new(4, 8);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(at_once(&turns, 1).await.unwrap());
        }
        assert!(at_once(&turns, 1).await.is_none());
        assert!(at_once(&turns, 2).await.is_some());
        held.pop();
        assert!(at_once(&turns, 1).await.is_some());
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_forgotten_with_its_caller() {
        let turns = Turns::new(2, 1);
        let held = [
            at_once(&turns, 1).await.unwrap(),
            at_once(&turns, 1).await.unwrap(),
        ];
        let behind = Arc::clone(&turns);
        let waiting = tokio::spawn(async move { behind.take(1).await.is_some() });
        while turns.asked(1) < 3 {
            tokio::task::yield_now().await;
        }
        let beyond = timeout(Duration::from_mins(1), turns.take(1)).await;
        assert!(beyond.unwrap().is_none(), "refused, and not after a wait");
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        drop(held);
        assert!(turns.keys().is_empty(), "nothing is kept of who is gone");
    }
}
