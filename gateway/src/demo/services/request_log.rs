//! What a service received, one JSON line a request: evidence of what came through the gateway.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use serde::Serialize;

use crate::clock::Clock;

/// The log of one service.
#[derive(Clone)]
pub(super) struct RequestLog {
    file: Arc<Mutex<File>>,
    clock: Arc<dyn Clock>,
}

impl RequestLog {
    /// Goes on in `path`.
    pub(super) fn open(path: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            clock,
        })
    }

    fn append(&self, request: &Request) -> io::Result<()> {
        let line = Line {
            at_ms: self.clock.now().as_unix_millis(),
            method: request.method().as_str(),
            target: request.uri().to_string(),
            version: format!("{:?}", request.version()),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), shown(name, value)))
                .collect(),
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line)
    }
}

/// Writes the line before the request is answered, so that a request that hangs is seen too.
pub(super) async fn write(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    if let Err(error) = log.append(&request) {
        tracing::warn!(%error, "a service of the demo cannot write its log");
    }
    next.run(request).await
}

#[derive(Serialize)]
struct Line<'a> {
    at_ms: i64,
    method: &'a str,
    target: String,
    version: String,
    headers: Vec<(&'a str, String)>,
}

/// The assertion is good for a minute to whoever holds it, so its signature is left out.
fn shown(name: &http::HeaderName, value: &http::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.rsplit_once('.') {
        Some((claims, _)) if name == "octroi-assertion" => format!("{claims}.…"),
        _ => text.into_owned(),
    }
}
