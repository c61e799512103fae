//! A WebSocket that sends back what it receives (RFC 6455), just large enough for a demo.

use std::io;

use aws_lc_rs::digest;
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Accepts an upgrade and echoes until the peer closes.
pub(super) async fn echo(mut request: Request) -> Response {
    let Some(accept) = accept_of(request.headers()) else {
        return (
            StatusCode::UPGRADE_REQUIRED,
            [(header::UPGRADE, "websocket")],
        )
            .into_response();
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let ended = match upgraded.await {
            Ok(upgraded) => run(TokioIo::new(upgraded)).await,
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an echoing socket ended early");
        }
    });
    let head = [
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, head).into_response()
}

/// The proof that the upgrade was understood (RFC 6455, section 4.2.2).
fn accept_of(headers: &HeaderMap) -> Option<String> {
    let upgrade = headers.get(header::UPGRADE)?.to_str().ok()?;
    let version = headers.get(header::SEC_WEBSOCKET_VERSION)?;
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    if !upgrade.eq_ignore_ascii_case("websocket") || version != "13" {
        return None;
    }
    let mut proof = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    proof.update(key.as_bytes());
    proof.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    Some(BASE64.encode(proof.finish().as_ref()))
}

struct Frame {
    /// FIN, reserved bits and operation.
    first: u8,
    payload: Vec<u8>,
}

async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S) -> io::Result<()> {
    loop {
        let mut frame = read(&mut socket).await?;
        match frame.first & 0x0f {
            OPERATION_CLOSE => return write(&mut socket, &frame).await,
            OPERATION_PONG => continue,
            OPERATION_PING => frame.first = 0x80 | OPERATION_PONG,
            _ => {}
        }
        write(&mut socket, &frame).await?;
    }
}

async fn read<S: AsyncRead + Unpin>(socket: &mut S) -> io::Result<Frame> {
    let (first, second) = (socket.read_u8().await?, socket.read_u8().await?);
    let len = match second & 0x7f {
        126 => u64::from(socket.read_u16().await?),
        127 => socket.read_u64().await?,
        len => u64::from(len),
    };
    let too_long = || io::Error::other("a frame is longer than the echo takes");
    let len = usize::try_from(len).map_err(|_| too_long())?;
    if len > PAYLOAD_BYTES_MAX {
        return Err(too_long());
    }
    if second & 0x80 == 0 {
        return Err(io::Error::other("a client's frame is not masked"));
    }
    let mut mask = [0; 4];
    socket.read_exact(&mut mask).await?;
    let mut payload = vec![0; len];
    socket.read_exact(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Frame { first, payload })
}

async fn write<S: AsyncWrite + Unpin>(socket: &mut S, frame: &Frame) -> io::Result<()> {
    let mut bytes = vec![frame.first];
    let len = frame.payload.len();
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => bytes.push(len),
        (_, Ok(len)) => {
            bytes.push(126);
            bytes.extend(len.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend(u64::try_from(len).unwrap_or(0).to_be_bytes());
        }
    }
    bytes.extend(&frame.payload);
    socket.write_all(&bytes).await?;
    socket.flush().await
}

const OPERATION_CLOSE: u8 = 0x8;
const OPERATION_PING: u8 = 0x9;
const OPERATION_PONG: u8 = 0xa;
/// The longest frame that is echoed.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;
