//! Serving an axum router on a listener that only this machine reaches: socket of the admin API,
//! management address, services of the demo.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
};

use crate::lifecycle::Tasks;

/// A listener of either family.
#[derive(Debug)]
pub(crate) enum LocalListener {
    /// A port on loopback.
    Tcp(TcpListener),
    /// A port that this machine and these networks may ask; others are hung up on.
    Guarded(TcpListener, Vec<IpNet>),
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
        LocalListener::Guarded(listener, networks) => loop {
            let (stream, peer) = listener.accept().await?;
            if may_ask(networks, peer.ip()) {
                return Ok(Accepted::Tcp(stream));
            }
        },
        LocalListener::Unix(listener) => listener
            .accept()
            .await
            .map(|(stream, _)| Accepted::Unix(stream)),
    }
}

/// Whether an address is this machine's or in one of the networks.
fn may_ask(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || networks.iter().any(|network| network.contains(&address))
}

/// Connections of one local listener at a time; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 1024;
/// How long a request's head may take.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// What lies between two attempts to accept when the system has no descriptor left.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_named_networks_may_ask_and_nobody_else() {
        let networks: Vec<IpNet> = ["10.0.9.0/24", "fd00:9::/64"]
            .map(|network| network.parse().unwrap())
            .into();
        for (address, may) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.9.1", true),
            ("::ffff:10.0.9.255", true),
            ("10.0.10.1", false),
            ("fd00:9::1", true),
            ("fd00:a::1", false),
            ("8.8.8.8", false),
        ] {
            let peer: IpAddr = address.parse().unwrap();
            assert_eq!(may_ask(&networks, peer), may, "{address}");
        }
    }
}
