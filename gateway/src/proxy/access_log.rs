//! One JSON line for each request, through a buffer that is bounded and never waits for a disk.

#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
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

use super::ascii::{push_address, push_number};

/// What is said of a request. Nothing of a query, a cookie, a token or a body, and no login.
pub(crate) struct AccessLine<'a> {
    /// When the request's head was complete: RFC 3339, UTC, milliseconds.
    pub(super) at: Timestamp,
    /// The reference that the client and the upstream were told too.
    pub(super) request: RequestId,
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
    pub(super) account: Option<AccountId>,
    /// The session's public name.
    pub(super) session: Option<SessionId>,
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

    /// Writes the line with its end. The names stand in the order of the type.
    fn write_into(&self, text: &mut Vec<u8>) {
        let mut line = Line(text);
        line.text("{\"kind\":", Some("access"));
        line.time(",\"at\":", self.at);
        line.ascii(",\"request\":", Some(&self.request.to_ascii()));
        line.address(",\"client\":", self.client);
        line.text(",\"protocol\":", Some(self.protocol));
        line.text(",\"tls\":", Some(self.tls));
        line.text(",\"method\":", Some(self.method));
        line.text(",\"host\":", self.host);
        line.text(",\"path\":", self.path);
        line.number(",\"status\":", self.status.map(u64::from));
        line.text(",\"route\":", self.route);
        line.ascii(
            ",\"account\":",
            self.account.map(|id| id.to_ascii()).as_ref(),
        );
        line.ascii(
            ",\"session\":",
            self.session.map(|id| id.to_ascii()).as_ref(),
        );
        line.text(",\"refused\":", self.refused);
        line.text(",\"because\":", self.because);
        line.text(",\"ended\":", self.ended);
        line.number(",\"bytes_out\":", Some(self.bytes_out));
        line.number(",\"bytes_in\":", Some(self.bytes_in));
        line.number(",\"millis\":", Some(self.millis));
        text.extend_from_slice(b"}\n");
    }
}

/// Writes the members of one JSON object; an absent value is `null`. One such line is written for
/// each request, so what needs no escape is copied as it is.
struct Line<'a>(&'a mut Vec<u8>);

impl Line<'_> {
    /// A text that somebody else may have chosen.
    fn text(&mut self, name: &str, value: Option<&str>) {
        self.0.extend_from_slice(name.as_bytes());
        let Some(value) = value else {
            return self.null();
        };
        let needs_escape = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        if value.bytes().any(needs_escape) {
            // Writing to a vector cannot fail, and a text is always JSON.
            let _ = serde_json::to_writer(&mut *self.0, value);
        } else {
            self.quoted(value.as_bytes());
        }
    }

    /// A value of ours in characters which need no escape.
    fn ascii(&mut self, name: &str, value: Option<&[u8; 36]>) {
        self.0.extend_from_slice(name.as_bytes());
        match value {
            Some(value) => self.quoted(value),
            None => self.null(),
        }
    }

    fn address(&mut self, name: &str, value: Option<IpAddr>) {
        self.0.extend_from_slice(name.as_bytes());
        let Some(value) = value else {
            return self.null();
        };
        self.0.push(b'"');
        push_address(self.0, value);
        self.0.push(b'"');
    }

    /// A time in RFC 3339, to the millisecond.
    fn time(&mut self, name: &str, at: Timestamp) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'"');
        let second = at.as_unix_seconds();
        WRITTEN_SECOND.with_borrow_mut(|(written, text)| {
            if *written != Some(second) {
                *text = calendar(second);
                *written = Some(second);
            }
            self.0.extend_from_slice(text.as_bytes());
        });
        let millis = u64::try_from(at.as_unix_millis().rem_euclid(1000)).unwrap_or(0);
        self.0.push(b'.');
        // Three digits, zeros in front: those of the number a thousand higher without its one.
        let start = self.0.len();
        push_number(self.0, 1000 + millis);
        self.0.remove(start);
        self.0.extend_from_slice(b"Z\"");
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        self.0.extend_from_slice(name.as_bytes());
        match value {
            Some(value) => push_number(self.0, value),
            None => self.null(),
        }
    }

    fn quoted(&mut self, bytes: &[u8]) {
        self.0.push(b'"');
        self.0.extend_from_slice(bytes);
        self.0.push(b'"');
    }

    fn null(&mut self) {
        self.0.extend_from_slice(b"null");
    }
}

/// A second in RFC 3339, without the zone: the fraction comes before it. Beyond the calendar of the
/// format, the beginning of the count of seconds: a line without a time would be no JSON.
fn calendar(second: i64) -> String {
    let at = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut text = format!("{at:.0}");
    text.pop();
    text
}

thread_local! {
    /// The second that was written last: thousands of lines share it, and a calendar is slow.
    static WRITTEN_SECOND: RefCell<(Option<i64>, String)> = const { RefCell::new((None, String::new())) };
    /// Where a line is made, before the lock of the common buffer is taken.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
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
        let kept = LINE.with_borrow_mut(|text| {
            text.clear();
            line.write_into(text);
            self.append(text)
        });
        if !kept {
            self.0.dropped.inc();
        }
    }

    /// Whether there was room for a finished line.
    fn append(&self, line: &[u8]) -> bool {
        let mut pending = self.pending();
        let fits = pending.lines.len() < Self::PENDING_BYTES_MAX;
        if fits {
            pending.lines.extend_from_slice(line);
        }
        fits
    }

    /// Writes until [`Self::close`], in batches. For a thread of its own. A batch that could not be
    /// written whole counts as dropped with all its lines.
    pub(crate) fn write_to(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        let (mut closed, mut torn) = (false, false);
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
            if batch.is_empty() {
                continue;
            }
            // What a failed write left of a line must not become the beginning of a whole one.
            let begun = if torn { sink.write_all(b"\n") } else { Ok(()) };
            let written = begun.and_then(|()| sink.write_all(&batch));
            torn = written.and_then(|()| sink.flush()).is_err();
            if torn {
                let lines = batch.split(|byte| *byte == b'\n').count() - 1;
                self.0
                    .dropped
                    .inc_by(u64::try_from(lines).unwrap_or(u64::MAX));
            }
            batch.clear();
        }
    }

    /// Lets the writer write what is left and return.
    pub(crate) fn close(&self) {
        self.pending().closed = true;
        self.0.wake.notify_all();
    }

    /// Held for one copy of some hundred bytes; a poisoned buffer holds whole lines.
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a line may wait: short for who watches a log, long enough for one write of many.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
