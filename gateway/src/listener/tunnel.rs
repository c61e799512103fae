//! A WebSocket leaves Pingora: dial, upgrade, splice, and end at a frame's boundary.

use std::{fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use pingora::server::ShutdownWatch;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    connection::Connection,
    limits::TunnelLimits,
    open_requests::{EndReason, OpenRequest},
};

pub(crate) mod dial;

mod relay;
mod server_frames;
mod splice;
mod upgrade;

use splice::Splice;
use upgrade::Upgraded;

/// What the proxy must fill in for the door to carry a WebSocket to its upstream.
pub(crate) struct Takeover {
    /// How the upstream is reached.
    pub(crate) dial: Box<dyn Dial>,
    /// The finished upgrade request, target in origin form and `Host` included. The proxy's rules
    /// have been applied to it; the door sends it as it is.
    pub(crate) request: http::Request<()>,
    /// The client's `Sec-WebSocket-Key`, against which the upstream's accept value is checked.
    pub(crate) key: WebSocketKey,
    /// The route's limits.
    pub(crate) limits: TunnelLimits,
    /// Filters the answer, writes the access line, counts.
    pub(crate) watch: Box<dyn TunnelWatch>,
}

/// Opens a connection to an upstream.
#[async_trait::async_trait]
pub(crate) trait Dial: Send + Sync {
    /// Connects, TLS included. The door puts [`TunnelLimits::dial_timeout`] around it; an error of
    /// the kind `TimedOut` means the same as that.
    async fn dial(&self) -> io::Result<Box<dyn UpstreamStream>>;
}

/// A connection to an upstream, whatever it runs over.
pub(crate) trait UpstreamStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> UpstreamStream for S {}

/// The proxy's part in a WebSocket that it no longer carries. Dropped when the socket is gone, in
/// whichever way: what must happen then belongs in its `Drop`.
pub(crate) trait TunnelWatch: Send {
    /// Applies the route's rules for answers to the upstream's head, 101 or other. The door takes
    /// care of `Connection`, `Upgrade`, `Content-Length` and `Transfer-Encoding`.
    fn answer(&mut self, status: StatusCode, headers: &mut HeaderMap);

    /// The whole answer for an upgrade that did not come about.
    fn refuse(&mut self, fault: TunnelFault) -> Response<Bytes>;

    /// What became of it; called once before the drop, unless the door's own task is dropped.
    fn finished(&mut self, outcome: &TunnelOutcome);
}

/// The client's `Sec-WebSocket-Key` (RFC 6455, section 4.1): 16 bytes in base64.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WebSocketKey([u8; 24]);

impl WebSocketKey {
    /// Reads the field's value; `None` unless it is base64 of 16 bytes.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let key: [u8; 24] = value.try_into().ok()?;
        let decoded = data_encoding::BASE64.decode(&key).ok()?;
        (decoded.len() == 16).then_some(Self(key))
    }

    /// The value that the upstream must answer with (RFC 6455, section 4.2.2, item 5.4).
    pub(crate) fn accept(&self) -> String {
        let mut context =
            aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(&self.0);
        context.update(ACCEPT_GUID);
        data_encoding::BASE64.encode(context.finish().as_ref())
    }
}

/// Why an upgrade did not come about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TunnelFault {
    /// The upstream could not be reached, or its certificate did not hold.
    Unreachable,
    /// The upstream took too long to accept or to answer.
    TimedOut,
    /// What the upstream answered is not HTTP/1.1, or a 101 that accepts another handshake.
    BadAnswer,
    /// The client sent bytes after its upgrade request before it was answered.
    EarlyBytes,
}

/// What became of a takeover.
#[derive(Debug)]
pub(crate) struct TunnelOutcome {
    /// The status that the client was sent; `None` where it ended before any.
    pub(crate) status: Option<StatusCode>,
    /// Bytes of the client that went to the upstream after the upgrade.
    pub(crate) bytes_from_client: u64,
    /// Bytes that went to the client after the head: of the socket, or of an answer's body.
    pub(crate) bytes_to_client: u64,
    /// Why it ended.
    pub(crate) end: TunnelEnd,
}

/// Why a takeover ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TunnelEnd {
    /// The upgrade did not come about.
    Refused(TunnelFault),
    /// The upstream gave another answer than 101, which was relayed.
    Answered,
    /// One side closed.
    Closed,
    /// Both sides were silent for too long; or, while another answer was relayed, the upstream gave
    /// or the client took nothing for too long.
    Idle,
    /// The gateway ended it.
    Ended(EndReason),
}

/// Whether `Connection` names `upgrade` (RFC 6455, sections 4.1 and 4.2.1): what a client must ask
/// and a service must answer.
pub(crate) fn connection_upgrades(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        let mut options = value.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    })
}

/// Carries a WebSocket from the moment Pingora gave the connection back to its end.
pub(super) async fn run(
    mut client: Box<Connection>,
    takeover: Takeover,
    open: &Arc<OpenRequest>,
    write_timeout: Duration,
    mut shutdown: ShutdownWatch,
) {
    let Takeover {
        dial,
        request,
        key,
        limits,
        mut watch,
    } = takeover;
    if !client.ahead().is_empty() {
        return relay::refuse(client, TunnelFault::EarlyBytes, &mut *watch).await;
    }
    client.begin_raw();
    let upgrade = upgrade::upgrade(&*dial, request, key, limits);
    let upgraded = tokio::select! {
        upgraded = upgrade => upgraded,
        reason = open.ended() => {
            return watch.finished(&TunnelOutcome::without_tunnel(None, TunnelEnd::Ended(reason)));
        }
    };
    match upgraded {
        Err(fault) => relay::refuse(client, fault, &mut *watch).await,
        Ok(Upgraded::Answered(answer)) => {
            let limits = relay::RelayLimits {
                read_timeout: limits.answer_timeout,
                write_timeout,
            };
            relay::relay(client, answer, &mut *watch, open, limits).await;
        }
        Ok(Upgraded::Switched {
            headers,
            upstream,
            first,
        }) => {
            let head = relay::switching_head(headers, &mut *watch);
            let stopping = async {
                // An error means that who could stop us is gone.
                let _ = shutdown.wait_for(|stops| *stops).await;
            };
            let end = async {
                tokio::select! {
                    reason = open.ended() => reason,
                    () = stopping => EndReason::Stopping,
                }
            };
            let splice = Splice::new(client, upstream, &head, &first, limits);
            // A piece of the buffer in which the whole answer came: it would be held for hours.
            drop((head, first));
            watch.finished(&splice.run(end).await);
        }
    }
}

impl TunnelOutcome {
    /// An outcome without a tunnel.
    const fn without_tunnel(status: Option<StatusCode>, end: TunnelEnd) -> Self {
        Self {
            status,
            bytes_from_client: 0,
            bytes_to_client: 0,
            end,
        }
    }
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The request carries cookies and the identity assertion.
        f.debug_struct("Takeover").finish_non_exhaustive()
    }
}

/// RFC 6455, section 1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::WebSocketKey;

    #[test]
    fn the_accept_value_is_that_of_the_rfc() {
        let key = WebSocketKey::parse(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert_eq!(key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        for value in [
            &b""[..],
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZQ===",
            b"dGhlIHNhbXBsZSBub25jZTEy",
            b"dGhlIHNhbXBsZSBub25j!Q==",
        ] {
            assert!(WebSocketKey::parse(value).is_none(), "{value:?}");
        }
    }
}
