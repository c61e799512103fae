//! Places at which a test build can be made to die, to prove that nothing acknowledged is lost.
//!
//! Active only in builds with debug assertions, and only where the environment says
//! `OCTROI_FAIL_POINT=<name>` (dies there at the first time) or `<name>:<n>` (at the n-th time).

/// The places, in the order in which a command passes them. The kill tests iterate over this list.
pub(crate) const FAIL_POINTS: &[&str] = &[
    "account_change_before_commit",
    "account_change_after_commit",
    "session_open_before_commit",
    "session_open_after_commit",
    "session_end_before_commit",
    "session_end_after_commit",
    "ticket_redeem_before_commit",
    "ticket_redeem_after_commit",
    "throttle_before_commit",
    "throttle_after_commit",
    "journal_before_commit",
    "journal_after_commit",
    "erase_before_key_destroyed",
    "erase_after_key_destroyed",
];

/// Dies here, without any chance to tidy up, if the environment asks for it.
#[cfg(debug_assertions)]
pub(crate) fn fail_point(name: &'static str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };
    static ASKED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let asked = std::env::var("OCTROI_FAIL_POINT").ok()?;
        Some(match asked.split_once(':') {
            Some((name, count)) => (name.to_owned(), count.parse().unwrap_or(1)),
            None => (asked, 1),
        })
    });
    static PASSED: AtomicU32 = AtomicU32::new(0);
    debug_assert!(FAIL_POINTS.contains(&name), "{name} is not in the list");
    #[cfg(test)]
    watching::passed(name);
    if let Some((asked, count)) = &*ASKED
        && asked == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *count
    {
        // SIGKILL: no destructor runs, no buffer is flushed.
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Does nothing in builds that ship.
#[cfg(not(debug_assertions))]
pub(crate) const fn fail_point(_name: &'static str) {}

/// What a test does when one of the places is passed, on the thread that passes it.
#[cfg(test)]
pub(crate) mod watching {
    use std::sync::{Arc, Mutex, PoisonError};

    type Watcher = (&'static str, Arc<dyn Fn() + Send + Sync>);

    static WATCHERS: Mutex<Vec<Watcher>> = Mutex::new(Vec::new());

    /// From here on, `watcher` runs whenever the place is passed.
    pub(crate) fn watch(name: &'static str, watcher: impl Fn() + Send + Sync + 'static) {
        let mut watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.push((name, Arc::new(watcher)));
    }

    pub(super) fn passed(name: &'static str) {
        let watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
        let watchers: Vec<Watcher> = watchers
            .iter()
            .filter(|(at, _)| *at == name)
            .cloned()
            .collect();
        for (_, watcher) in watchers {
            watcher();
        }
    }
}
