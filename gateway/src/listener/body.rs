//! A request body must keep coming.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::{Instant, sleep};

use super::limits::BodyLimits;

/// How far a request's body has come, as the proxy sees it: Pingora has no deadline for a body that
/// comes in drops, and none at all on HTTP/2.
#[derive(Debug, Default)]
pub(crate) struct BodyProgress {
    received: AtomicU64,
    is_over: AtomicBool,
}

impl BodyProgress {
    /// `bytes` more have come; the last ones if `is_last`.
    pub(crate) fn received(&self, bytes: usize, is_last: bool) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.received.fetch_add(bytes, Ordering::Relaxed);
        if is_last {
            self.no_longer_awaited();
        }
    }

    /// The answer has begun: a stream in both directions may pause as long as it likes.
    pub(crate) fn no_longer_awaited(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Completes when the body has come too slowly, and never otherwise.
    pub(super) async fn too_slow(&self, limits: BodyLimits) {
        let began = Instant::now();
        let wanted = limits.bytes_per_window();
        let mut seen = 0;
        loop {
            let left = limits.total_timeout.saturating_sub(began.elapsed());
            sleep(limits.window.min(left)).await;
            if self.is_over.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            let received = self.received.load(Ordering::Relaxed);
            let is_overdue = began.elapsed() >= limits.total_timeout;
            if is_overdue || received.saturating_sub(seen) < wanted {
                return;
            }
            seen = received;
        }
    }
}
