//! The upstream's side of the handshake: dial, ask, judge the answer (RFC 6455, section 4).

use std::io;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Empty;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{task::JoinHandle, time::timeout};

use super::{Dial, TunnelFault, UpstreamStream, WebSocketKey, connection_upgrades};
use crate::listener::limits::TunnelLimits;

/// What the upstream answered.
pub(super) enum Upgraded {
    /// It switched to WebSocket.
    Switched {
        /// The head of its answer.
        headers: HeaderMap,
        /// The connection.
        upstream: Box<dyn UpstreamStream>,
        /// What it sent after its head.
        first: Bytes,
    },
    /// It gave another answer.
    Answered(Answer),
}

/// An answer that is no upgrade, while it comes in.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    /// Reads it as long as this lives.
    pub(super) reader: Reader,
}

/// Asks the upstream to switch.
pub(super) async fn upgrade(
    dial: &dyn Dial,
    request: Request<()>,
    key: WebSocketKey,
    limits: TunnelLimits,
) -> Result<Upgraded, TunnelFault> {
    let upstream = timeout(limits.dial_timeout, dial.dial())
        .await
        .map_err(|_| TunnelFault::TimedOut)?
        .map_err(|error| {
            if error.kind() == io::ErrorKind::TimedOut {
                TunnelFault::TimedOut
            } else {
                TunnelFault::Unreachable
            }
        })?;
    let asked = ask(upstream, request, limits);
    let (response, reader) = timeout(limits.answer_timeout, asked)
        .await
        .map_err(|_| TunnelFault::TimedOut)??;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Upgraded::Answered(Answer { response, reader }));
    }
    if !accepts(response.headers(), key) {
        return Err(TunnelFault::BadAnswer);
    }
    let headers = response.headers().clone();
    let upgraded = hyper::upgrade::on(response).await;
    let parts = upgraded
        .map_err(|_| TunnelFault::BadAnswer)?
        .downcast::<TokioIo<Box<dyn UpstreamStream>>>()
        .map_err(|_| TunnelFault::BadAnswer)?;
    Ok(Upgraded::Switched {
        headers,
        upstream: parts.io.into_inner(),
        first: parts.read_buf,
    })
}

async fn ask(
    upstream: Box<dyn UpstreamStream>,
    request: Request<()>,
    limits: TunnelLimits,
) -> Result<(Response<Incoming>, Reader), TunnelFault> {
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .max_buf_size(limits.answer_head_bytes_max.max(HYPER_BUFFER_BYTES_MIN))
        .handshake(TokioIo::new(upstream))
        .await
        .map_err(|_| TunnelFault::Unreachable)?;
    let reader = Reader(tokio::spawn(async move {
        // What goes wrong here reaches us as the error of the answer or of its body.
        let _ = connection.with_upgrades().await;
    }));
    let request = request.map(|()| Empty::<Bytes>::new());
    let response = sender.send_request(request).await;
    Ok((response.map_err(|_| TunnelFault::BadAnswer)?, reader))
}

/// Whether a 101 accepts this very handshake (RFC 6455, section 4.1, second list).
fn accepts(headers: &HeaderMap, key: WebSocketKey) -> bool {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        first.filter(|_| values.next().is_none())
    };
    let switches = only(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let connects = connection_upgrades(headers);
    let accept = only(header::SEC_WEBSOCKET_ACCEPT);
    switches && connects && accept.is_some_and(|value| value.as_bytes() == key.accept().as_bytes())
}

/// The task that reads from the upstream; ends with its owner.
pub(super) struct Reader(JoinHandle<()>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The library panics below this figure.
const HYPER_BUFFER_BYTES_MIN: usize = 8192;
