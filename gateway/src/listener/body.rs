//! A request body must keep coming.

use std::{
    future::pending,
    pin::pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::limits::BodyLimits;

/// How far a request's body has come: Pingora has no deadline for a body that comes in drops, and
/// none at all on HTTP/2.
#[derive(Debug, Default)]
pub(crate) struct BodyProgress {
    /// A [`Stage`].
    stage: AtomicU8,
    /// The stage has changed.
    moved: Notify,
    flow: Mutex<Flow>,
}

/// What is asked of the client at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// Nothing: there is no body, or all of it has come.
    Over,
    /// The body, at its lowest rate and within its time.
    Awaited,
    /// The answer has begun before the body's end: a stream both ways may pause as long as it
    /// likes, within the body's time.
    BothWays,
    /// The answer is over before the body's end: nobody waits for the rest.
    AnswerOver,
}

/// What has come, and how long we waited for it.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    received: u64,
    /// The client waits for a word of the service before it sends (RFC 9110, section 10.1.1).
    is_held_back: bool,
    waited: Waited,
}

/// How long the client was waited for.
#[derive(Clone, Copy, Debug, Default)]
enum Waited {
    /// Nobody measures it: for as long as the body is awaited. HTTP/2 does not tell when the
    /// proxy reads.
    #[default]
    Always,
    /// As long as a read waited for bytes, and not while the service was slow to take them.
    Measured {
        before: Duration,
        since: Option<Instant>,
    },
}

impl Stage {
    const fn code(self) -> u8 {
        match self {
            Self::Over => 0,
            Self::Awaited => 1,
            Self::BothWays => 2,
            Self::AnswerOver => 3,
        }
    }
}

impl BodyProgress {
    /// A body is to come.
    pub(super) fn expect(&self) {
        self.move_to(Stage::Awaited);
    }

    /// The client sends it once the service has said 100, which is the service's time and not the
    /// client's.
    pub(crate) fn hold_back(&self) {
        if self.stage() == Stage::Awaited {
            self.flow().is_held_back = true;
        }
    }

    /// From here on the time counts in which a read waits.
    pub(super) fn measure_waits(&self) {
        self.flow().waited = Waited::Measured {
            before: Duration::ZERO,
            since: None,
        };
    }

    /// A read of the body found bytes, or waits for them.
    pub(super) fn note_read(&self, is_waiting: bool) {
        let mut flow = self.flow();
        let Waited::Measured { before, since } = &mut flow.waited else {
            return;
        };
        match (is_waiting, *since) {
            (true, None) => *since = Some(Instant::now()),
            (false, Some(began)) => {
                *before += began.elapsed();
                *since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// `bytes` more have come; the last ones if `is_last`.
    pub(crate) fn received(&self, bytes: usize, is_last: bool) {
        if self.stage() == Stage::Over {
            return;
        }
        let mut flow = self.flow();
        flow.received += u64::try_from(bytes).unwrap_or(u64::MAX);
        flow.is_held_back &= bytes == 0;
        drop(flow);
        if is_last {
            self.move_to(Stage::Over);
        }
    }

    /// An interim answer was passed on: the client need not hold its body back any longer.
    pub(crate) fn told_to_go_on(&self) {
        if self.stage() == Stage::Awaited {
            self.flow().is_held_back = false;
        }
    }

    /// The answer has begun.
    pub(crate) fn answer_began(&self) {
        if self.stage() == Stage::Awaited {
            self.move_to(Stage::BothWays);
        }
    }

    /// The answer is over: the rest of the body has a moment to come, so that the client finds its
    /// answer, and no longer.
    pub(crate) fn answer_over(&self) {
        if self.stage() != Stage::Over {
            self.move_to(Stage::AnswerOver);
        }
    }

    /// Completes when the body has come too slowly, and never otherwise. `rest_timeout` is the time
    /// that a body has which outlives the answer.
    pub(super) async fn too_slow(&self, limits: BodyLimits, rest_timeout: Duration) {
        let over_at = Instant::now() + limits.total_timeout;
        let mut window = Window::default();
        loop {
            let mut moved = pin!(self.moved.notified());
            // Listening starts before the look, so that no change is missed in between.
            moved.as_mut().enable();
            let look_at = match self.stage() {
                Stage::Over => return pending().await,
                Stage::AnswerOver => {
                    return self
                        .not_over_by(over_at.min(Instant::now() + rest_timeout))
                        .await;
                }
                Stage::BothWays => over_at,
                Stage::Awaited => over_at.min(Instant::now() + window.left(&limits)),
            };
            // A change begins the look anew.
            if timeout_at(look_at, moved).await.is_ok() {
                continue;
            }
            if Instant::now() >= over_at || window.is_too_slow(self.seen(), &limits) {
                return;
            }
        }
    }

    /// Completes at `deadline` where the body has not come until then, and never otherwise.
    async fn not_over_by(&self, deadline: Instant) {
        if timeout_at(deadline, self.over()).await.is_ok() {
            pending::<()>().await;
        }
    }

    /// Waits until all of the body has come.
    async fn over(&self) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.stage() == Stage::Over {
                return;
            }
            moved.await;
        }
    }

    fn seen(&self) -> Flow {
        *self.flow()
    }

    fn stage(&self) -> Stage {
        let code = self.stage.load(Ordering::Relaxed);
        let stages = [Stage::Awaited, Stage::BothWays, Stage::AnswerOver];
        let stage = stages.into_iter().find(|stage| stage.code() == code);
        stage.unwrap_or(Stage::Over)
    }

    fn move_to(&self, stage: Stage) {
        self.stage.store(stage.code(), Ordering::Relaxed);
        self.moved.notify_waiters();
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time over which the rate is taken.
#[derive(Debug)]
struct Window {
    began: Instant,
    received: u64,
    waited: Duration,
    /// How much of it has been waited through.
    passed: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            received: 0,
            waited: Duration::ZERO,
            passed: Duration::ZERO,
        }
    }
}

impl Window {
    /// When to look again at the earliest. Not at once where little is left: the client may not be
    /// waited for at the moment.
    fn left(&self, limits: &BodyLimits) -> Duration {
        let left = limits.window.saturating_sub(self.passed);
        left.max(limits.window / 8)
    }

    /// Whether too little came while the window was waited through; begins the next one if not.
    fn is_too_slow(&mut self, seen: Flow, limits: &BodyLimits) -> bool {
        let (waited, passed) = match seen.waited {
            Waited::Always => (Duration::ZERO, self.began.elapsed()),
            Waited::Measured { before, since } => {
                let waited = before + since.map_or(Duration::ZERO, |since| since.elapsed());
                (waited, waited.saturating_sub(self.waited))
            }
        };
        self.passed = passed;
        if passed < limits.window && !seen.is_held_back {
            return false;
        }
        let came = seen.received.saturating_sub(self.received);
        *self = Self {
            began: Instant::now(),
            received: seen.received,
            waited,
            passed: Duration::ZERO,
        };
        !seen.is_held_back && came < limits.bytes_per_window()
    }
}
