//! Answers to an upgrade request: the 101, another answer of the upstream, or our own.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

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

/// Gives the client the upstream's answer, and closes.
pub(super) async fn relay(
    mut client: Box<Connection>,
    answer: Answer,
    watch: &mut dyn TunnelWatch,
    open: &Arc<OpenRequest>,
) {
    let status = answer.response.status();
    let end = tokio::select! {
        _ = pass_on(&mut client, answer, watch) => TunnelEnd::Answered,
        reason = open.ended() => {
            client.cut();
            TunnelEnd::Ended(reason)
        }
    };
    if end == TunnelEnd::Answered {
        http1::send_and_linger(&mut *client, &[]).await;
    }
    watch.finished(&TunnelOutcome {
        status,
        ..TunnelOutcome::before_upgrade(end)
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
    watch.finished(&TunnelOutcome {
        status: parts.status,
        ..TunnelOutcome::before_upgrade(TunnelEnd::Refused(fault))
    });
}

/// The end of the body is the end of the connection, unless its length is known.
async fn pass_on(
    client: &mut Connection,
    answer: Answer,
    watch: &mut dyn TunnelWatch,
) -> Result<(), PassOnFault> {
    let Answer {
        response,
        reader: _reader,
    } = answer;
    let (mut parts, mut body) = response.into_parts();
    let length = parts.headers.get(header::CONTENT_LENGTH).cloned();
    watch.answer(parts.status, &mut parts.headers);
    remove_framing(&mut parts.headers);
    if let Some(length) = length {
        parts.headers.insert(header::CONTENT_LENGTH, length);
    }
    parts
        .headers
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    client
        .write_all(&head_bytes(parts.status, &parts.headers))
        .await?;
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_else(|_trailers| Bytes::new());
        client.write_all(&data).await?;
        client.flush().await?;
    }
    Ok(())
}

/// Either side went away.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum PassOnFault {
    Client(#[from] std::io::Error),
    Upstream(#[from] hyper::Error),
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
