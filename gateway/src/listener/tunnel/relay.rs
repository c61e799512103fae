//! Answers to an upgrade request: the 101, another answer of the upstream, or our own.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use tokio::{
    io::AsyncWriteExt,
    time::{error::Elapsed, timeout},
};

use super::{TunnelEnd, TunnelFault, TunnelOutcome, TunnelWatch, upgrade::Answer};
use crate::listener::{connection::Connection, http1, open_requests::OpenRequest};

/// The head that tells the client that it may begin.
pub(super) fn switching_head(mut headers: HeaderMap, watch: &mut dyn TunnelWatch) -> Vec<u8> {
    let status = StatusCode::SWITCHING_PROTOCOLS;
    watch.answer(status, &mut headers);
    remove_framing(&mut headers);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    head_bytes(status, &headers)
}

/// How long an answer that is relayed may stand still.
#[derive(Clone, Copy, Debug)]
pub(super) struct RelayLimits {
    /// Between two pieces that the upstream gives.
    pub(super) read_timeout: Duration,
    /// Between two pieces that the client takes.
    pub(super) write_timeout: Duration,
}

/// Gives the client the upstream's answer, and closes.
pub(super) async fn relay(
    mut client: Box<Connection>,
    answer: Answer,
    watch: &mut dyn TunnelWatch,
    open: &Arc<OpenRequest>,
    limits: RelayLimits,
) {
    let status = answer.response.status();
    let mut bytes = 0;
    let (is_whole, end) = tokio::select! {
        passed = pass_on(&mut client, answer, watch, limits, &mut bytes) => match passed {
            Ok(()) => (true, TunnelEnd::Answered),
            Err(PassOnFault::Client(_) | PassOnFault::Upstream(_)) => (false, TunnelEnd::Answered),
            Err(PassOnFault::TooSlow(_)) => (false, TunnelEnd::Idle),
        },
        reason = open.ended() => (false, TunnelEnd::Ended(reason)),
    };
    if is_whole {
        http1::send_and_linger(&mut *client, &[]).await;
    } else {
        // A clean close would tell the client that it has the whole answer.
        client.cut();
    }
    watch.finished(&TunnelOutcome {
        bytes_to_client: bytes,
        ..TunnelOutcome::without_tunnel(Some(status), end)
    });
}

/// Answers in the upstream's place.
pub(super) async fn refuse(
    mut client: Box<Connection>,
    fault: TunnelFault,
    watch: &mut dyn TunnelWatch,
) {
    let (mut parts, body) = watch.refuse(fault).into_parts();
    remove_framing(&mut parts.headers);
    parts
        .headers
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    client.begin_raw();
    let mut bytes = head_bytes(parts.status, &parts.headers);
    bytes.extend_from_slice(&body);
    http1::send_and_linger(&mut *client, &bytes).await;
    let status = Some(parts.status);
    watch.finished(&TunnelOutcome {
        bytes_to_client: length(&body),
        ..TunnelOutcome::without_tunnel(status, TunnelEnd::Refused(fault))
    });
}

/// The end of the body is the end of the connection, unless its length is known. `sent` counts
/// what the client was given of the body.
async fn pass_on(
    client: &mut Connection,
    answer: Answer,
    watch: &mut dyn TunnelWatch,
    limits: RelayLimits,
    sent: &mut u64,
) -> Result<(), PassOnFault> {
    let Answer {
        response,
        reader: _reader,
    } = answer;
    let (mut parts, mut body) = response.into_parts();
    let told = parts.headers.get(header::CONTENT_LENGTH).cloned();
    watch.answer(parts.status, &mut parts.headers);
    remove_framing(&mut parts.headers);
    if let Some(told) = told {
        parts.headers.insert(header::CONTENT_LENGTH, told);
    }
    parts
        .headers
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    let head = head_bytes(parts.status, &parts.headers);
    timeout(limits.write_timeout, client.write_all(&head)).await??;
    while let Some(frame) = timeout(limits.read_timeout, body.frame()).await? {
        let data = frame?.into_data().unwrap_or_else(|_trailers| Bytes::new());
        let written = async {
            client.write_all(&data).await?;
            client.flush().await
        };
        timeout(limits.write_timeout, written).await??;
        *sent += length(&data);
    }
    Ok(())
}

/// Either side went away, or stood still for too long.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum PassOnFault {
    Client(#[from] std::io::Error),
    Upstream(#[from] hyper::Error),
    TooSlow(#[from] Elapsed),
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn remove_framing(headers: &mut HeaderMap) {
    for name in [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ] {
        headers.remove(name);
    }
}

fn head_bytes(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let mut line = String::new();
    let reason = status.canonical_reason().unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = write!(line, "HTTP/1.1 {} {reason}\r\n", status.as_u16());
    let mut bytes = line.into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}
