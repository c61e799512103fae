//! Every limit of the door in one place, with the figure it has unless the operator says otherwise.

use std::time::Duration;

use super::facts::Protocol;

/// The limits of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections open at once, from everybody.
    pub(crate) connections_max: usize,
    /// Connections open at once from one client: an IPv4 address, or an IPv6 /64, which is what one
    /// subscriber commonly holds.
    pub(crate) connections_per_client_max: usize,
    /// Requests over HTTP/2 that are being answered at once, for one client over all of its
    /// connections. One whose answer is not read keeps up to half a MiB.
    pub(crate) streams_per_client_max: usize,
    /// How long a listed peer has to send its PROXY header.
    pub(crate) proxy_header_timeout: Duration,
    /// How long the TLS handshake may take in all.
    pub(crate) handshake_timeout: Duration,
    /// How long a whole request head may take from its first byte; on HTTP/2 also how long the
    /// preface, and then the first request, may take from the end of the handshake.
    pub(crate) head_timeout: Duration,
    /// How long a connection may rest between two requests (and before the first one on HTTP/1.1).
    pub(crate) idle_timeout: Duration,
    /// The longest request head in bytes: request line and fields on HTTP/1.1, the decoded list
    /// (RFC 9113, section 6.5.2) on HTTP/2.
    pub(crate) head_bytes_max: usize,
    /// The most fields in a request head.
    pub(crate) head_fields_max: usize,
    /// How long a client may take nothing of an answer that waits for it. Pingora also gives it
    /// [`Self::head_timeout`] to finish a body that nobody wants any more.
    pub(crate) write_timeout: Duration,
    /// What a request body must bring.
    pub(crate) body: BodyLimits,
    /// What HTTP/2 adds.
    pub(crate) http2: Http2Limits,
    /// How long what is being answered when the door closes may go on.
    pub(crate) drain_timeout: Duration,
}

/// A request body must keep coming, or the request ends with 408.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// How long a body may take in all, however fast it comes.
    pub(crate) total_timeout: Duration,
    /// The time over which the rate is taken, again and again from the head's end on. Only time
    /// in which we waited for the client counts.
    pub(crate) window: Duration,
    /// The same on HTTP/2, where it is not told whether the client or the service is waited for:
    /// longer than a service usually has to take a piece of the body, so that a slow service is
    /// found out first.
    pub(crate) http2_window: Duration,
    /// The slowest rate that is borne in each window, in bytes a second.
    pub(crate) bytes_per_second_min: u64,
}

impl BodyLimits {
    /// The limits of a body that comes over `protocol`.
    pub(super) const fn over(self, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Http1 => self,
            Protocol::Http2 => Self {
                window: self.http2_window,
                ..self
            },
        }
    }

    /// What must come in one window, in bytes.
    pub(super) fn bytes_per_window(&self) -> u64 {
        let millis = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        self.bytes_per_second_min.saturating_mul(millis) / 1000
    }
}

/// Limits of one HTTP/2 connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Http2Limits {
    /// Streams open at once (RFC 9113, section 5.1.2).
    pub(crate) streams_max: u32,
    /// Streams that the client reset before they were answered, held at once: the bound against
    /// rapid resets.
    pub(crate) pending_resets_max: usize,
    /// Requests that are refused as malformed before the connection ends.
    pub(crate) rejected_streams_max: usize,
    /// `RST_STREAM` frames borne in one [`Self::window`].
    pub(crate) resets_max: u32,
    /// Frames that carry nothing (SETTINGS, PING, PRIORITY, `WINDOW_UPDATE`, empty DATA, unknown
    /// ones) borne in one [`Self::window`], beside one for each KiB that went either way.
    pub(crate) control_frames_max: u32,
    /// CONTINUATION frames in one header block.
    pub(crate) continuations_max: u32,
    /// The time over which frames are counted.
    pub(crate) window: Duration,
    /// How much a client may send on one stream before it is read, in bytes.
    pub(crate) stream_window_bytes: u32,
    /// How much a client may send on all streams before it is read, in bytes.
    pub(crate) connection_window_bytes: u32,
}

/// Limits of one WebSocket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TunnelLimits {
    /// How long it may take until a connection to the upstream stands, TLS included, however many
    /// addresses are tried for it.
    pub(crate) dial_timeout: Duration,
    /// How long the upstream may take to answer the upgrade.
    pub(crate) answer_timeout: Duration,
    /// The longest response head of the upstream, in bytes.
    pub(crate) answer_head_bytes_max: usize,
    /// How long both sides may be silent.
    pub(crate) idle_timeout: Duration,
    /// How long a socket that must end has to come to a frame's end and take the close frame.
    pub(crate) close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            connections_per_client_max: 256,
            streams_per_client_max: 512,
            proxy_header_timeout: Duration::from_secs(2),
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            write_timeout: Duration::from_mins(1),
            head_bytes_max: 32 * 1024,
            head_fields_max: 100,
            body: BodyLimits::default(),
            http2: Http2Limits::default(),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            total_timeout: Duration::from_hours(1),
            window: Duration::from_secs(20),
            http2_window: Duration::from_secs(90),
            bytes_per_second_min: 512,
        }
    }
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            streams_max: 100,
            pending_resets_max: 20,
            rejected_streams_max: 32,
            resets_max: 200,
            control_frames_max: 1_000,
            continuations_max: 8,
            window: Duration::from_secs(10),
            stream_window_bytes: 1 << 20,
            connection_window_bytes: 4 << 20,
        }
    }
}

impl Default for TunnelLimits {
    fn default() -> Self {
        Self {
            dial_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(30),
            answer_head_bytes_max: 32 * 1024,
            idle_timeout: Duration::from_hours(1),
            close_timeout: Duration::from_millis(500),
        }
    }
}
