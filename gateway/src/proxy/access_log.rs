//! One JSON line for each request, through a buffer that is bounded and never waits for a disk.

#[cfg(test)]
mod tests;

use std::{
    io::Write,
    net::IpAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use octroi_policy::{
    id::{AccountId, RequestId, SessionId},
    time::Timestamp,
};
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

/// What is said of a request. Nothing of a query, a cookie, a token or a body, and no login.
#[derive(Serialize)]
pub(crate) struct AccessLine<'a> {
    /// Always `access`.
    pub(super) kind: &'static str,
    /// When the request's head was complete: RFC 3339, UTC, milliseconds.
    pub(super) at: Rfc3339,
    /// The reference that the client and the upstream were told too.
    pub(super) request: Displayed<RequestId>,
    /// Where from.
    pub(super) client: Option<IpAddr>,
    /// `h1` or `h2`.
    pub(super) protocol: &'static str,
    /// TLS version.
    pub(super) tls: &'static str,
    /// The method.
    pub(super) method: &'a str,
    /// The host, canonical.
    pub(super) host: Option<&'a str>,
    /// The canonical path, cut at [`AccessLine::PATH_BYTES_MAX`].
    pub(super) path: Option<&'a str>,
    /// The status; none where the client went away before it was known.
    pub(super) status: Option<u16>,
    /// The route.
    pub(super) route: Option<&'a str>,
    /// The account.
    pub(super) account: Option<Displayed<AccountId>>,
    /// The session's public name.
    pub(super) session: Option<Displayed<SessionId>>,
    /// Why it was refused.
    pub(super) refused: Option<&'static str>,
    /// What the refusal rests on, which the client is not told.
    pub(super) because: Option<&'static str>,
    /// Why it was ended before its time.
    pub(super) ended: Option<&'static str>,
    /// Bytes of body to the client.
    pub(super) bytes_out: u64,
    /// Bytes of body from the client.
    pub(super) bytes_in: u64,
    /// How long it took.
    pub(super) millis: u64,
}

impl AccessLine<'_> {
    /// Longer paths are cut in the log: 8 KiB a line would make a log a weapon.
    pub(super) const PATH_BYTES_MAX: usize = 512;
}

/// A time in RFC 3339.
pub(super) struct Rfc3339(pub(super) Timestamp);

impl Serialize for Rfc3339 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0.as_unix_millis()) {
            Ok(at) => serializer.collect_str(&format_args!("{at:.3}")),
            Err(_) => serializer.serialize_none(),
        }
    }
}

/// An identifier, as text.
pub(super) struct Displayed<T>(pub(super) T);

impl<T: std::fmt::Display> Serialize for Displayed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Where access lines go.
#[derive(Clone)]
pub(crate) struct AccessLog(Arc<Shared>);

struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
    dropped: Counter,
}

#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    closed: bool,
}

impl AccessLog {
    /// At most so many bytes wait for the writer; what comes beyond is dropped and counted.
    pub(crate) const PENDING_BYTES_MAX: usize = 1 << 20;

    /// A log that counts in `dropped` what it loses.
    pub(crate) fn new(dropped: Counter) -> Self {
        Self(Arc::new(Shared {
            pending: Mutex::default(),
            wake: Condvar::new(),
            dropped,
        }))
    }

    /// Adds a line. Never waits for the writer.
    pub(super) fn write(&self, line: &AccessLine<'_>) {
        let mut pending = self.pending();
        let before = pending.lines.len();
        let fits = before < Self::PENDING_BYTES_MAX;
        if !fits || serde_json::to_writer(&mut pending.lines, line).is_err() {
            pending.lines.truncate(before);
            drop(pending);
            self.0.dropped.inc();
            return;
        }
        pending.lines.push(b'\n');
    }

    /// Writes until [`Self::close`], in batches. For a thread of its own.
    pub(crate) fn write_to(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        let mut closed = false;
        while !closed {
            let pending = self.pending();
            let waited = self
                .0
                .wake
                .wait_timeout_while(pending, FLUSH_EVERY, |pending| !pending.closed);
            let mut pending = match waited {
                Ok((pending, _)) => pending,
                Err(poisoned) => poisoned.into_inner().0,
            };
            std::mem::swap(&mut batch, &mut pending.lines);
            closed = pending.closed;
            drop(pending);
            if sink.write_all(&batch).and_then(|()| sink.flush()).is_err() {
                self.0.dropped.inc();
            }
            batch.clear();
        }
    }

    /// Lets the writer write what is left and return.
    pub(crate) fn close(&self) {
        self.pending().closed = true;
        self.0.wake.notify_all();
    }

    /// Held for one copy of some hundred bytes; a poisoned buffer holds whole lines or is cut later.
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a line may wait: short for who watches a log, long enough for one write of many.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
