//! A service that is given by name: its addresses, asked for again and again, and what is done when
//! nobody answers.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// A name and what is known of it.
pub(super) struct Name {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    known: ArcSwapOption<Resolved>,
    failed: ArcSwapOption<Failure>,
    /// Held by the one request that asks.
    asking: Mutex<()>,
}

/// The addresses of a name, as they were answered at a moment.
pub(super) struct Resolved {
    addresses: Box<[SocketAddr]>,
    at: Instant,
    next: AtomicUsize,
}

/// The last look-up, where it failed.
struct Failure {
    fault: Arc<io::Error>,
    at: Instant,
}

impl Name {
    /// A name of which nothing is known yet.
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            known: ArcSwapOption::empty(),
            failed: ArcSwapOption::empty(),
            asking: Mutex::new(()),
        }
    }

    /// How many addresses it is known to have; one where nothing is known.
    pub(super) fn len(&self) -> usize {
        let known = self.known.load();
        known
            .as_ref()
            .map_or(1, |known| known.addresses.len().max(1))
    }

    /// Its addresses: those of a moment ago, or those that `ask` brings. One request asks and others
    /// wait for it. Where nobody answers, the last answer holds for a while longer: what went well a
    /// minute ago is not to end with a name server's pause.
    ///
    /// # Errors
    ///
    /// Why they could not be had, where none are known either.
    pub(super) async fn resolve<F>(
        &self,
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<Resolved>, Arc<io::Error>>
    where
        F: Future<Output = io::Result<Box<[SocketAddr]>>>,
    {
        if let Some(known) = self.known_within(FRESH_FOR) {
            return Ok(known);
        }
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            // It has failed before: nobody else waits for what may fail again.
            Err(_) if self.failed.load().is_some() => match self.known_within(STALE_FOR) {
                Some(stale) => return Ok(stale),
                None => self.asking.lock().await,
            },
            Err(_) => self.asking.lock().await,
        };
        // Whoever asked before us may have done our work.
        if let Some(known) = self.known_within(FRESH_FOR) {
            return Ok(known);
        }
        let stale = self.known_within(STALE_FOR);
        let failed = self.failed.load_full();
        let fault = match failed.filter(|failed| failed.at.elapsed() < FAILED_FOR) {
            Some(failed) => Arc::clone(&failed.fault),
            None => match self.look_up(ask(), stale.is_some()).await {
                Ok(resolved) => return Ok(resolved),
                Err(fault) => fault,
            },
        };
        stale.ok_or(fault)
    }

    async fn look_up(
        &self,
        answer: impl Future<Output = io::Result<Box<[SocketAddr]>>>,
        has_stale: bool,
    ) -> Result<Arc<Resolved>, Arc<io::Error>> {
        let patience = if has_stale {
            PATIENCE_WITH_STALE
        } else {
            PATIENCE
        };
        let answer = timeout(patience, answer).await;
        let at = Instant::now();
        match answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(addresses) => {
                let resolved = Arc::new(Resolved {
                    addresses,
                    at,
                    next: AtomicUsize::new(0),
                });
                self.known.store(Some(Arc::clone(&resolved)));
                self.failed.store(None);
                Ok(resolved)
            }
            Err(fault) => {
                tracing::warn!(name = %self.host, %fault, has_stale, "a name cannot be resolved");
                let fault = Arc::new(fault);
                self.failed.store(Some(Arc::new(Failure {
                    fault: Arc::clone(&fault),
                    at,
                })));
                Err(fault)
            }
        }
    }

    /// What another one of the same name and port knows, as far as `may_use` lets its addresses be
    /// used, and no longer than that one would have used it.
    pub(super) fn learn_from(&self, other: &Self, may_use: impl Fn(SocketAddr) -> bool) {
        let Some(known) = other.known.load_full() else {
            return;
        };
        let own = self.known.load();
        if own.as_ref().is_some_and(|own| own.at >= known.at) {
            return;
        }
        let usable = known.addresses.iter().copied().filter(|one| may_use(*one));
        let addresses: Box<[_]> = usable.collect();
        if (&*self.host, self.port) == (&*other.host, other.port) && !addresses.is_empty() {
            let (at, next) = (known.at, AtomicUsize::new(0));
            self.known.store(Some(Arc::new(Resolved {
                addresses,
                at,
                next,
            })));
        }
    }

    fn known_within(&self, age: Duration) -> Option<Arc<Resolved>> {
        let known = self.known.load_full();
        known.filter(|known| known.at.elapsed() < age)
    }
}

/// The names of a configuration that have addresses, by host and port: of those that are written several times, the one
/// that was answered last. Thousands of routes may lead to one name.
#[derive(Default)]
pub(in crate::proxy) struct KnownNames<'a>(HashMap<(&'a str, u16), (Instant, &'a Name)>);

impl<'a> KnownNames<'a> {
    pub(super) fn add(&mut self, name: &'a Name) {
        let Some(at) = name.known.load().as_ref().map(|known| known.at) else {
            return;
        };
        let newest = self.0.entry((&name.host, name.port)).or_insert((at, name));
        if newest.0 < at {
            *newest = (at, name);
        }
    }

    /// The name like this one.
    pub(super) fn like(&self, name: &Name) -> Option<&'a Name> {
        let found = self.0.get(&(&*name.host, name.port));
        found.map(|(_, name)| *name)
    }
}

impl Resolved {
    /// The next address in turn, one that `is_avoided` only where all are. `None` where there is none.
    pub(super) fn pick(&self, is_avoided: impl Fn(SocketAddr) -> bool) -> Option<SocketAddr> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let first = turn.checked_rem(self.addresses.len())?;
        let (before, after) = self.addresses.split_at_checked(first)?;
        let in_turn = || after.iter().chain(before).copied();
        let good = in_turn().find(|address| !is_avoided(*address));
        good.or_else(|| in_turn().next())
    }
}

/// `getaddrinfo` tells no time to live: short enough to follow a move, long enough to cost nothing.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// How long a last answer holds where there is no newer one. After that the address may well have
/// been given to somebody else, who would be sent what is meant for the service; and that nobody
/// answers cannot be told from an answer that there is no such name.
const STALE_FOR: Duration = Duration::from_mins(2);

/// How long a look-up that failed is not tried again.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// How long a request waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The same, where it can go on without.
const PATIENCE_WITH_STALE: Duration = Duration::from_secs(1);
