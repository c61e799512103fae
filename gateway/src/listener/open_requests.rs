//! Requests that are being answered, so that the end of a session ends them too.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::Response;
use octroi_policy::id::SessionId;
use tokio::sync::Notify;

use super::{body::BodyProgress, facts::ConnectionFacts, tunnel::Takeover};

tokio::task_local! {
    static CURRENT: Arc<OpenRequest>;
}

/// The request that this task is answering; `None` outside the door's loops. Whoever asks has taken
/// it on: what Pingora writes before that is a refusal of its own, which nobody is shown.
pub(crate) fn current() -> Option<Arc<OpenRequest>> {
    let request = CURRENT.try_with(Arc::clone).ok()?;
    request.is_taken.store(true, Ordering::Relaxed);
    Some(request)
}

/// Runs `future` with `request` as its [`current`] one.
pub(crate) async fn within<F: Future>(request: Arc<OpenRequest>, future: F) -> F::Output {
    CURRENT.scope(request, future).await
}

/// One request from its head to the last byte of its answer, the life of a WebSocket included.
pub(crate) struct OpenRequest {
    /// The connection on which it came.
    pub(crate) facts: Arc<ConnectionFacts>,
    /// How far its body has come. The proxy reports to it what it reads, and how far the answer is.
    pub(crate) body: BodyProgress,
    is_taken: AtomicBool,
    end: EndSignal,
    takeover: Mutex<Option<Takeover>>,
    last_answer: Mutex<Option<Response<Bytes>>>,
}

impl OpenRequest {
    /// A request that has just begun.
    pub(crate) fn new(facts: Arc<ConnectionFacts>) -> Arc<Self> {
        Arc::new(Self {
            facts,
            body: BodyProgress::default(),
            is_taken: AtomicBool::new(false),
            end: EndSignal::default(),
            takeover: Mutex::new(None),
            last_answer: Mutex::new(None),
        })
    }

    /// Whether the proxy has begun with this request.
    pub(super) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Relaxed)
    }

    /// Ends this request at once, wherever it stands. The first reason given is the one that counts.
    pub(crate) fn end(&self, reason: EndReason) {
        self.end.raise(reason);
    }

    /// Why this request was ended; `None` while nobody has asked for it.
    pub(crate) fn end_reason(&self) -> Option<EndReason> {
        self.end.raised()
    }

    /// Waits until somebody asks for the end.
    pub(crate) async fn ended(&self) -> EndReason {
        self.end.wait().await
    }

    /// Asks the door to leave Pingora and splice a WebSocket once `request_filter` has returned
    /// `true` without having written an answer. HTTP/1.1 only.
    pub(crate) fn take_over(&self, takeover: Takeover) {
        *lock(&self.takeover) = Some(takeover);
    }

    /// What [`Self::take_over`] left.
    pub(crate) fn take_takeover(&self) -> Option<Takeover> {
        lock(&self.takeover).take()
    }

    /// Leaves the answer that the door gives if it ended this request before any was begun. HTTP/1.1
    /// only: over HTTP/2 nobody is left to write it.
    pub(crate) fn leave_last_answer(&self, answer: Response<Bytes>) {
        *lock(&self.last_answer) = Some(answer);
    }

    /// What [`Self::leave_last_answer`] left.
    pub(super) fn take_last_answer(&self) -> Option<Response<Bytes>> {
        lock(&self.last_answer).take()
    }
}

/// Why something open was ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum EndReason {
    /// The session was ended: logout, lock, erasure, a changed password or role.
    SessionEnded,
    /// The session's absolute or idle time is over.
    SessionExpired,
    /// The route is gone, or the person may no longer use it.
    RouteGone,
    /// Its body came too slowly; only the door itself ends a request so.
    BodyTooSlow,
    /// The gateway stops.
    Stopping,
}

impl EndReason {
    const ALL: [Self; 5] = [
        Self::SessionEnded,
        Self::SessionExpired,
        Self::RouteGone,
        Self::BodyTooSlow,
        Self::Stopping,
    ];

    /// As access lines, metrics and journal write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SessionEnded => "session_ended",
            Self::SessionExpired => "session_expired",
            Self::RouteGone => "route_gone",
            Self::BodyTooSlow => "body_too_slow",
            Self::Stopping => "stopping",
        }
    }
}

/// Under what a request is open.
pub(crate) struct OpenLabel {
    /// The session that it uses.
    pub(crate) session: SessionId,
    /// What let it in.
    pub(crate) tenure: Arc<dyn Tenure>,
}

/// What let a request in, kept so that it can be judged anew when the configuration has changed.
pub(crate) trait Tenure: Send + Sync {
    /// Whether the same request of the same person would be let in now.
    fn holds(&self) -> bool;
}

/// The registry from sessions to what they have open, for the whole process.
///
/// A request is registered once it is authenticated. To leave no gap, the caller registers first
/// and then looks once more whether the session has ended: an end that came before the
/// registration is seen by that look, one that comes after finds the request here.
pub(crate) struct OpenRequests {
    shards: Box<[Mutex<Shard>]>,
    next: AtomicU64,
}

type Shard = HashMap<SessionId, Vec<Entry>>;

struct Entry {
    number: u64,
    label: OpenLabel,
    request: Arc<OpenRequest>,
}

impl OpenRequests {
    /// A registry with nothing in it.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            next: AtomicU64::new(0),
        })
    }

    /// Keeps `request` under `label` until the registration is dropped.
    pub(crate) fn register(
        self: &Arc<Self>,
        label: OpenLabel,
        request: Arc<OpenRequest>,
    ) -> Registration {
        let session = label.session;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = Entry {
            number,
            label,
            request,
        };
        if let Some(mut shard) = self.shard(session) {
            shard.entry(session).or_default().push(entry);
        }
        Registration {
            registry: Arc::clone(self),
            session,
            number,
        }
    }

    /// Ends all that `session` has open; tells how many requests that were.
    pub(crate) fn end_session(&self, session: SessionId, reason: EndReason) -> usize {
        let shard = self.shard(session);
        let open = shard.as_ref().and_then(|shard| shard.get(&session));
        let open = open.map_or(&[][..], Vec::as_slice);
        for entry in open {
            entry.request.end(reason);
        }
        open.len()
    }

    /// Ends all whose [`Tenure`] holds no more; tells how many requests that were.
    pub(crate) fn end_lapsed(&self, reason: EndReason) -> usize {
        let mut ended = 0;
        for shard in &self.shards {
            let shard = lock(shard);
            let over = shard
                .values()
                .flatten()
                .filter(|entry| !entry.label.tenure.holds());
            for entry in over {
                entry.request.end(reason);
                ended += 1;
            }
        }
        ended
    }

    /// The sessions that have something open, so that those whose time is over can be found.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).keys().copied().collect::<Vec<_>>())
            .collect()
    }

    /// How many requests are open under a session.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).values().map(Vec::len).sum::<usize>())
            .sum()
    }

    fn remove(&self, session: SessionId, number: u64) {
        let Some(mut shard) = self.shard(session) else {
            return;
        };
        let Some(entries) = shard.get_mut(&session) else {
            return;
        };
        entries.retain(|entry| entry.number != number);
        if entries.is_empty() {
            shard.remove(&session);
        }
    }

    fn shard(&self, session: SessionId) -> Option<MutexGuard<'_, Shard>> {
        let [first, ..] = session.as_bytes();
        let position = usize::from(*first) % SHARDS;
        self.shards.get(position).map(lock)
    }
}

/// Keeps a request in the registry; dropping it takes the request out.
#[must_use = "a dropped registration leaves the request open when its session ends"]
pub(crate) struct Registration {
    registry: Arc<OpenRequests>,
    session: SessionId,
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.remove(self.session, self.number);
    }
}

/// A reason that is raised once and then stands.
#[derive(Default)]
struct EndSignal {
    /// 0, or 1 + the position of the reason in [`EndReason::ALL`].
    raised: AtomicU8,
    wake: Notify,
}

impl EndSignal {
    fn raise(&self, reason: EndReason) {
        let code = (1_u8..)
            .zip(EndReason::ALL)
            .find_map(|(code, known)| (known == reason).then_some(code))
            .unwrap_or(1);
        // The first reason stands; who comes later has nothing left to end.
        let _ = self
            .raised
            .compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire);
        self.wake.notify_waiters();
    }

    fn raised(&self) -> Option<EndReason> {
        let code = self.raised.load(Ordering::Acquire);
        let position = usize::from(code).checked_sub(1)?;
        EndReason::ALL.get(position).copied()
    }

    async fn wait(&self) -> EndReason {
        loop {
            let mut woken = std::pin::pin!(self.wake.notified());
            // Listening starts before the look, so that a reason raised in between is not missed.
            woken.as_mut().enable();
            if let Some(reason) = self.raised() {
                return reason;
            }
            woken.await;
        }
    }
}

/// A lock is held for a few map operations that cannot panic; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enough that two workers seldom meet, few enough that a walk over all of them is short.
const SHARDS: usize = 64;
