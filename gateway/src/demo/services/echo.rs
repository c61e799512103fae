//! The echo: answers with what it received, so that one can see what the gateway lets through.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use askama::Template;
use aws_lc_rs::digest;
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Receiver, channel};

use super::{caller::Caller, page, websocket};
use crate::clock::Clock;

/// `/` a page to try it all, `/request` the request as JSON, `/public/request` the same without
/// signing in, `/events` server-sent events, `/ws` a WebSocket that echoes, `POST /upload` counts
/// and digests, `/download?bytes=` as many bytes.
pub(super) fn router(clock: Arc<dyn Clock>) -> Router {
    let script = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    let own = Router::new()
        .route("/", get(trial))
        .route("/echo.js", get(async move || (script, SCRIPT)))
        .route("/request", any(request))
        .route("/public/request", any(request))
        .route("/events", get(events))
        .route("/ws", get(websocket::echo))
        .route("/upload", post(upload).layer(DefaultBodyLimit::disable()))
        .route("/download", get(download))
        .with_state(clock);
    page::styled().merge(own)
}

/// Counts its visits in a cookie, as services do: signing out on a shared computer takes it away.
async fn trial(caller: Caller, headers: HeaderMap) -> Response {
    let visits = visits_before(&headers).saturating_add(1);
    let body = TrialPage {
        caller,
        visits,
        headers: listed(&headers),
    };
    let mut response = page::answer(StatusCode::OK, &body);
    let cookie = format!("{VISITS}={visits}; Path=/; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// What this browser's cookie says; nothing where there is none, or nonsense.
fn visits_before(headers: &HeaderMap) -> u32 {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == VISITS)
        .and_then(|(_, count)| count.parse().ok())
        .unwrap_or(0)
}

/// What arrived, for scripts and tests to look at.
#[derive(Serialize)]
struct Received {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body_bytes: usize,
}

async fn request(method: Method, target: Uri, headers: HeaderMap, body: Bytes) -> Response {
    Json(Received {
        method: method.to_string(),
        target: target.to_string(),
        headers: listed(&headers),
        body_bytes: body.len(),
    })
    .into_response()
}

/// One event a second, until the reader goes or the gateway ends it.
async fn events(State(clock): State<Arc<dyn Clock>>) -> Response {
    let (sender, receiver) = channel(1);
    tokio::spawn(async move {
        loop {
            let event = format!("data: {}\n\n", clock.now().as_unix_seconds());
            if sender.send(event).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let kind = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (kind, Body::new(Parts(receiver))).into_response()
}

#[derive(Serialize)]
struct Uploaded {
    bytes: u64,
    sha256: String,
}

async fn upload(request: Request) -> Response {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut bytes = 0_u64;
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        if let Some(data) = frame.data_ref() {
            context.update(data);
            bytes += u64::try_from(data.len()).unwrap_or(0);
        }
    }
    let sha256 = data_encoding::HEXLOWER.encode(context.finish().as_ref());
    Json(Uploaded { bytes, sha256 }).into_response()
}

#[derive(Deserialize)]
struct Wanted {
    bytes: Option<u64>,
}

/// As many bytes as asked for, made while they are sent.
async fn download(Query(wanted): Query<Wanted>) -> Response {
    let total = wanted
        .bytes
        .unwrap_or(DOWNLOAD_BYTES)
        .min(DOWNLOAD_BYTES_MAX);
    let (sender, receiver) = channel(4);
    tokio::spawn(async move {
        let block = Bytes::from_static(&[b'o'; BLOCK_BYTES]);
        let mut left = total;
        while left > 0 {
            let len = usize::try_from(left)
                .unwrap_or(BLOCK_BYTES)
                .min(BLOCK_BYTES);
            if sender.send(block.slice(..len)).await.is_err() {
                return;
            }
            left -= u64::try_from(len).unwrap_or(left);
        }
    });
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, total.to_string()),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"octroi.bin\"".to_owned(),
        ),
    ];
    (head, Body::new(Parts(receiver))).into_response()
}

/// A body whose parts come from a task.
struct Parts<T>(Receiver<T>);

impl<T: Into<Bytes> + Send + 'static> http_body::Body for Parts<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.0.poll_recv(context);
        part.map(|part| part.map(|data| Ok(Frame::data(data.into()))))
    }
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}

#[derive(Template)]
#[template(path = "demo/echo.html")]
struct TrialPage {
    caller: Caller,
    visits: u32,
    headers: Vec<(String, String)>,
}

const SCRIPT: &str = include_str!("../../../templates/demo/echo.js");
/// The echo's own cookie.
const VISITS: &str = "echo-visits";
/// What `/download` sends where nothing is asked for: 1 MiB.
const DOWNLOAD_BYTES: u64 = 1 << 20;
/// The most that `/download` sends: 1 GiB.
const DOWNLOAD_BYTES_MAX: u64 = 1 << 30;
const BLOCK_BYTES: usize = 16 * 1024;
