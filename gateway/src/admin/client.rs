//! The CLI's side of the admin API: over the socket where a gateway runs, in process where none does.

use std::{io, path::PathBuf, time::Duration};

use axum::{Extension, Router, body::Body};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;
use tower::ServiceExt;

use super::refusal::Refused;
use crate::identity::client::Operator;

/// A way to the admin API.
#[derive(Debug)]
pub(crate) enum AdminClient {
    /// A gateway that runs.
    Socket(PathBuf),
    /// The same API in this process, which holds the store's lock.
    InProcess(Router),
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The API refused, and says why.
    #[error("{0}")]
    Refused(String),
    /// The store behind the API is not available.
    #[error("{0}")]
    Unavailable(String),
    /// The gateway cannot be reached.
    #[error("no gateway answers on {}: {cause}", .socket.display())]
    Unreachable {
        /// The admin socket.
        socket: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// What came back is not what this version of the API answers.
    #[error(
        "the gateway's answer cannot be read ({0}): are gateway and command of the same version?"
    )]
    Answer(String),
}

impl AdminClient {
    /// Asks for an operation.
    pub(crate) async fn post<Q, A>(&self, path: &str, wish: &Q) -> Result<A, CallError>
    where
        Q: Serialize,
        A: DeserializeOwned,
    {
        let body =
            serde_json::to_vec(wish).map_err(|error| CallError::Answer(error.to_string()))?;
        self.call(path, Body::from(body)).await
    }

    async fn call<A: DeserializeOwned>(&self, path: &str, body: Body) -> Result<A, CallError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, "octroi")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| CallError::Answer(error.to_string()))?;
        let response = match self {
            Self::Socket(socket) => over_socket(socket, request).await?,
            Self::InProcess(router) => in_process(router.clone(), request).await?,
        };
        read(response).await
    }
}

async fn over_socket(
    socket: &PathBuf,
    request: Request<Body>,
) -> Result<Response<Body>, CallError> {
    let unreachable = |cause| CallError::Unreachable {
        socket: socket.clone(),
        cause,
    };
    let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let other = |error: hyper::Error| unreachable(io::Error::other(error));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(other)?;
    tokio::spawn(connection);
    let asked = tokio::time::timeout(ANSWER_DEADLINE, sender.send_request(request));
    let late = |_| unreachable(io::ErrorKind::TimedOut.into());
    let response = asked.await.map_err(late)?.map_err(other)?;
    Ok(response.map(Body::new))
}

async fn in_process(router: Router, request: Request<Body>) -> Result<Response<Body>, CallError> {
    let operator = Operator::Os(rustix::process::getuid().as_raw());
    match router.layer(Extension(operator)).oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

async fn read<A: DeserializeOwned>(response: Response<Body>) -> Result<A, CallError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body: Bytes = body
        .map_err(|error| CallError::Answer(error.to_string()))?
        .to_bytes();
    if head.status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| CallError::Answer(error.to_string()));
    }
    let said = serde_json::from_slice::<Refused>(&body)
        .map_or_else(|_| head.status.to_string(), |refused| refused.error);
    Err(match head.status {
        StatusCode::SERVICE_UNAVAILABLE => CallError::Unavailable(said),
        _ => CallError::Refused(said),
    })
}

/// How long the gateway may take over an answer.
const ANSWER_DEADLINE: Duration = Duration::from_mins(1);
/// The longest answer that is read: a page of the journal with room to spare.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
