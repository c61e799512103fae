//! A store that is slow, fails, or knows nothing in memory, at the will of a test: what rests on a
//! store is run through it to see the door stay shut.

mod wrappers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use self::wrappers::Adversarial;
use super::{FaultText, StoreError, Stores};

/// What the store suffers from. Clones are the same weather.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather(Arc<Sky>);

#[derive(Debug, Default)]
struct Sky {
    delay_millis: AtomicU64,
    fails: AtomicBool,
    fails_to_write: AtomicBool,
    forgets: AtomicBool,
    calls: AtomicU64,
}

impl Weather {
    /// Each call takes this long.
    pub(crate) fn set_delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.0.delay_millis.store(millis, Ordering::SeqCst);
    }

    /// Each call fails.
    pub(crate) fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// Each call that writes fails.
    pub(crate) fn fail_writes(&self, fails: bool) {
        self.0.fails_to_write.store(fails, Ordering::SeqCst);
    }

    /// Nothing is ever found in memory.
    pub(crate) fn forget_all(&self, forgets: bool) {
        self.0.forgets.store(forgets, Ordering::SeqCst);
    }

    fn forgets(&self) -> bool {
        self.0.forgets.load(Ordering::SeqCst)
    }

    fn is_failing(&self) -> bool {
        self.0.fails.load(Ordering::SeqCst) || self.0.fails_to_write.load(Ordering::SeqCst)
    }

    async fn read(&self) -> Result<(), StoreError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let delay = self.0.delay_millis.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if self.0.fails.load(Ordering::SeqCst) {
            return Err(fault());
        }
        Ok(())
    }

    async fn write(&self) -> Result<(), StoreError> {
        self.read().await?;
        if self.0.fails_to_write.load(Ordering::SeqCst) {
            return Err(fault());
        }
        Ok(())
    }
}

/// The same store, in this weather.
pub(crate) fn wrap(inner: Stores, weather: Weather) -> Stores {
    let store = Arc::new(Adversarial { inner, weather });
    Stores {
        accounts: store.clone(),
        tenants: store.clone(),
        invitations: store.clone(),
        sessions: store.clone(),
        tickets: store.clone(),
        throttle: store.clone(),
        signing_keys: store.clone(),
        journal: store.clone(),
        health: store,
    }
}

fn fault() -> StoreError {
    StoreError::Unavailable(FaultText::new("the test wants it so"))
}
