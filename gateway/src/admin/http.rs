//! Serving an axum router on a listener that only this machine reaches: socket of the admin API,
//! management address, services of the demo.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
};

use crate::lifecycle::Tasks;

/// A listener of either family.
#[derive(Debug)]
pub(crate) enum LocalListener {
    /// A port, on loopback unless the operator said otherwise.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

/// Answers what comes in on `listener` with `router` until `tasks` are told to stop; then each
/// connection may finish the request it is in.
pub(crate) async fn serve(listener: LocalListener, router: Router, tasks: Tasks) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = tasks.stopping() => return,
        };
        match accepted {
            Ok(Accepted::Tcp(stream)) => {
                let connection = connection(stream, router.clone(), tasks.clone());
                tasks.spawn("local connection", async move {
                    let _place = place;
                    connection.await;
                });
            }
            Ok(Accepted::Unix(stream)) => {
                let connection = connection(stream, router.clone(), tasks.clone());
                tasks.spawn("local connection", async move {
                    let _place = place;
                    connection.await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a local connection was not accepted");
                tokio::time::sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// Answers the requests of one connection, upgrades included.
pub(crate) async fn connection<S>(stream: S, router: Router, tasks: Tasks)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = tasks.stopping() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a local connection ended early");
    }
}

enum Accepted {
    Tcp(tokio::net::TcpStream),
    Unix(tokio::net::UnixStream),
}

async fn accept(listener: &LocalListener) -> io::Result<Accepted> {
    match listener {
        LocalListener::Tcp(listener) => listener
            .accept()
            .await
            .map(|(stream, _)| Accepted::Tcp(stream)),
        LocalListener::Unix(listener) => listener
            .accept()
            .await
            .map(|(stream, _)| Accepted::Unix(stream)),
    }
}

/// Connections of one local listener at a time; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 1024;
/// How long a request's head may take.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// What lies between two attempts to accept when the system has no descriptor left.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
