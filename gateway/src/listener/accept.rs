//! Accepts connections of one worker, and waits for them at the end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use pingora::{proxy::ProxyHttp, server::ShutdownWatch};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tracing::debug;

use super::{Entrance, answer::Worker, caps::Slot, handshake, http1, http2};

/// Accepts until the gateway stops, then waits for what is open until it has had its time or is cut.
pub(super) async fn run<A>(
    listener: std::net::TcpListener,
    entrance: Arc<Entrance>,
    worker: Worker<A>,
    mut cut: ShutdownWatch,
) -> io::Result<()>
where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let mut stopping = worker.shutdown.clone();
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopping.wait_for(|stops| *stops) => break,
        };
        let Some(slot) = entrance.caps.enter() else {
            debug!(%peer, "connection refused: the total cap is reached");
            continue;
        };
        connections.spawn(serve(
            slot,
            stream,
            peer,
            Arc::clone(&entrance),
            worker.clone(),
        ));
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = drained => {}
        () = sleep(entrance.limits.drain_timeout) => {}
        _ = cut.wait_for(|cut| *cut) => {}
    }
    connections.shutdown().await;
    Ok(())
}

/// The next connection. What keeps one from being accepted is logged, and does not end the door.
pub(super) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Holds its place among all connections until it is gone, in whichever way. A future that awaits
/// another which it was given keeps room for it twice: hence the place is an argument of this one.
async fn serve<A>(
    _slot: Slot,
    mut stream: TcpStream,
    peer: SocketAddr,
    entrance: Arc<Entrance>,
    worker: Worker<A>,
) where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    // Slower, but not wrong, without it.
    let _ = stream.set_nodelay(true);
    let client = match handshake::client_of(&mut stream, peer, &entrance).await {
        Ok(client) => client,
        Err(refused) => return debug!(%peer, %refused, "connection refused"),
    };
    let Some(place) = entrance.caps.enter_as(client.ip()) else {
        return debug!(%client, "connection refused: its client's cap is reached");
    };
    // Boxed, so that a connection does not keep room for its handshake.
    let secured = Box::pin(handshake::secure(stream, client, &entrance)).await;
    match secured {
        Err(refused) => debug!(%client, %refused, "handshake failed"),
        Ok(connection) if connection.facts().is_http2() => {
            Box::pin(http2::serve(connection, &worker, place.streams())).await;
        }
        Ok(connection) => http1::serve(connection, &worker).await,
    }
}

/// Whether an error of `accept` tells of one client that went away again (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// When there are no descriptors left, a pause gives others time to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
