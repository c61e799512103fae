//! What the management address tells of the whole.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{admin::management::Health, metrics::Metrics, store::StoreHealth};

/// Health of store and process, and all counters.
pub(super) struct Condition {
    store: Arc<dyn StoreHealth>,
    metrics: Arc<Metrics>,
    stopping: AtomicBool,
}

impl Condition {
    /// The condition of a gateway that is about to serve.
    pub(super) fn new(store: Arc<dyn StoreHealth>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            store,
            metrics,
            stopping: AtomicBool::new(false),
        })
    }

    /// From here on no new work should come.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl Health for Condition {
    fn unready(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::Relaxed) {
            Some("stopping")
        } else {
            self.store.fault().map(|_| "store")
        }
    }

    fn metrics(&self) -> String {
        self.metrics.text()
    }
}
