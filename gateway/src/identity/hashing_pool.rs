//! Threads of their own for hashing passwords, so that no worker that proxies ever waits for one.
//!
//! The queue is bounded: what does not fit is refused at once, and the caller says when to come
//! back; and neither one source fills it nor one net ([`Turns`]). Each thread keeps one arena for Argon2id's memory, wiped after each use.

use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use argon2::Block;
use octroi_policy::throttle::{Net, Source};
use tokio::sync::oneshot;
use zeroize::Zeroize;

use super::turns::{Turn, Turns};

/// How many threads hash, and how many requests may wait for them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HashingCapacity {
    /// Threads. Each holds one arena, 19 MiB at the least cost.
    pub(crate) threads: NonZeroUsize,
    /// Requests that wait beside those being hashed; one more is refused. As many of one source, and
    /// of one net, may wait for the few places that it can hold.
    pub(crate) waiting_max: usize,
}

/// What the pool has done and has to do; for metrics and for tests.
#[derive(Debug, Default)]
pub(crate) struct HashingLoad {
    waiting: AtomicUsize,
    refused: AtomicU64,
    kib_passes: AtomicU64,
}

impl HashingLoad {
    /// Requests that wait for a thread now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Requests that found the queue full.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The work done, in KiB of memory passed over: what a hash costs.
    pub(crate) fn kib_passes(&self) -> u64 {
        self.kib_passes.load(Ordering::Relaxed)
    }
}

/// The threads and their queue. Dropping the last handle ends them once the queue is empty.
pub(super) struct HashingPool {
    queue: SyncSender<Job>,
    sources: Arc<Turns<Source>>,
    nets: Arc<Turns<Net>>,
    load: Arc<HashingLoad>,
}

impl HashingPool {
    /// Starts the threads.
    pub(super) fn start(capacity: HashingCapacity) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(capacity.waiting_max);
        let jobs = Arc::new(Mutex::new(jobs));
        let load = Arc::<HashingLoad>::default();
        for number in 0..capacity.threads.get() {
            let (jobs, load) = (Arc::clone(&jobs), Arc::clone(&load));
            thread::Builder::new()
                .name(format!("hashing-{number}"))
                .spawn(move || work_off(&jobs, &load))?;
        }
        let waiting_max = capacity.waiting_max;
        let places_of_net = PLACES_OF_SOURCE.max(waiting_max / NETS_THAT_FILL);
        Ok(Self {
            queue,
            sources: Turns::new(PLACES_OF_SOURCE, waiting_max),
            nets: Turns::new(places_of_net, waiting_max),
            load,
        })
    }

    /// What it has done and has to do.
    pub(super) const fn load(&self) -> &Arc<HashingLoad> {
        &self.load
    }

    /// Runs `work` on one of the threads, after what waits already. Without a source it is an
    /// operator's, who waits behind nobody else's share.
    pub(super) async fn run<T, W>(&self, source: Option<Source>, work: W) -> Result<T, NotHashed>
    where
        T: Send + 'static,
        W: FnOnce(&mut Arena) -> T + Send + 'static,
    {
        let turn = match source {
            Some(source) => Some(self.turn(source).await.ok_or_else(|| self.busy())?),
            None => None,
        };
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |arena| {
            let _turn = turn;
            // Whoever asked may have gone while the job waited.
            if !answer.is_closed() {
                let _ = answer.send(work(arena));
            }
        });
        self.load.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(refused) = self.queue.try_send(job) {
            self.load.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(match refused {
                TrySendError::Full(_) => self.busy(),
                TrySendError::Disconnected(_) => NotHashed::Failed,
            });
        }
        answered.await.map_err(|_| NotHashed::Failed)
    }

    /// A place of the queue for a source; for one that is a part of a net, one of the net's places
    /// too. What a source waits for by itself takes no place of its net.
    async fn turn(&self, source: Source) -> Option<(Turn<Source>, Option<Turn<Net>>)> {
        let of_source = self.sources.take(source).await?;
        let of_net = match source.net() {
            Some(net) => Some(self.nets.take(net).await?),
            None => None,
        };
        Some((of_source, of_net))
    }

    fn busy(&self) -> NotHashed {
        self.load.refused.fetch_add(1, Ordering::Relaxed);
        NotHashed::Busy
    }
}

/// Why nothing was hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotHashed {
    /// The queue is full.
    Busy,
    /// The threads are gone, or the work failed in a way that it should not.
    Failed,
}

/// One thread's memory for Argon2id.
pub(super) struct Arena {
    blocks: Vec<Block>,
    load: Arc<HashingLoad>,
}

impl Arena {
    /// The memory for so many KiB, and a note that it is passed over `passes` times.
    pub(super) fn blocks(&mut self, memory_kib: usize, passes: u32) -> &mut [Block] {
        if self.blocks.len() < memory_kib {
            self.blocks.resize(memory_kib, Block::new());
        }
        let kib = u64::try_from(memory_kib).unwrap_or(u64::MAX);
        let kib_passes = kib.saturating_mul(u64::from(passes));
        self.load
            .kib_passes
            .fetch_add(kib_passes, Ordering::Relaxed);
        self.blocks.get_mut(..memory_kib).unwrap_or_default()
    }
}

/// Places of the queue that one source holds at a time: as many as a small office needs at nine
/// o'clock, and few beside the 64 that the queue has by default.
const PLACES_OF_SOURCE: usize = 4;

/// It takes so many nets to fill the queue: each holds a quarter of it at most. Sixteen sources'
/// places, as for other limits, would be the whole of it.
const NETS_THAT_FILL: usize = 4;

type Job = Box<dyn FnOnce(&mut Arena) + Send>;

fn work_off(jobs: &Mutex<Receiver<Job>>, load: &Arc<HashingLoad>) {
    let mut arena = Arena {
        blocks: Vec::new(),
        load: Arc::clone(load),
    };
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        load.waiting.fetch_sub(1, Ordering::Relaxed);
        // A job that panics drops its answer, which its caller sees; the thread goes on.
        if catch_unwind(AssertUnwindSafe(|| job(&mut arena))).is_err() {
            tracing::error!("hashing a password failed unexpectedly");
        }
        arena.blocks.iter_mut().for_each(Zeroize::zeroize);
    }
}

#[cfg(test)]
mod tests;
