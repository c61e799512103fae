//! The way in: accept, TLS, HTTP/1.1 and HTTP/2 loops of our own around Pingora's proxy.
//!
//! Pingora reads a request head without a total deadline or a useful limit, keeps 31 KiB for an idle
//! connection, hides SNI and cannot end what is open. So a connection is ours (`connection`), and
//! Pingora borrows it for one request at a time (`http1`, `http2`, `answer`). A WebSocket leaves it
//! altogether (`tunnel`).
//!
//! Order of a connection: accepted, total cap, PROXY header from listed peers, cap of its client,
//! TLS, then requests until it closes.

use std::{io, sync::Arc};

use ipnet::IpNet;
use octroi_certs::resolver::Resolver;
use pingora::{
    proxy::{HttpProxy, ProxyHttp},
    server::ShutdownWatch,
};
use rustls::ServerConfig;

pub(crate) mod facts;
pub(crate) mod limits;
pub(crate) mod open_requests;
pub(crate) mod refusal;
pub(crate) mod tunnel;

pub(crate) mod plain;
pub(crate) mod sockets;

mod accept;
mod caps;
mod handshake;
mod proxy_protocol;

mod answer;
mod body;
mod connection;
mod head;
mod http1;
mod http2;

pub(crate) use caps::Caps;

use answer::Worker;
use limits::Limits;
use refusal::DoorRefusals;

/// The two steps in which the door closes.
#[derive(Clone)]
pub(crate) struct Closing {
    /// Turns true when nothing new is taken, and what is open has [`Limits::drain_timeout`] to end.
    pub(crate) shutdown: ShutdownWatch,
    /// Turns true when what is still open is cut.
    pub(crate) cut: ShutdownWatch,
}

/// What all workers of the HTTPS listener share.
pub(crate) struct Entrance {
    /// TLS settings; certificates change behind them, in the resolver.
    pub(crate) tls: Arc<ServerConfig>,
    /// Knows which names we answer to.
    pub(crate) certificates: Arc<Resolver>,
    /// Peers that must send a PROXY header and are believed; empty by default.
    pub(crate) proxy_header_from: Vec<IpNet>,
    /// Counts connections.
    pub(crate) caps: Arc<Caps>,
    /// Every limit.
    pub(crate) limits: Arc<Limits>,
    /// Words what the door refuses.
    pub(crate) refusals: Arc<dyn DoorRefusals>,
}

/// Serves HTTPS on `listener`, on the runtime of the caller, until it is to close and what was open
/// has ended, had its time, or is cut. Each worker calls this once, with a socket of its own from
/// [`sockets::bind`] and a proxy of its own, since a proxy pools connections to upstreams.
///
/// # Errors
///
/// When the socket cannot be used.
pub(crate) async fn serve_https<A>(
    listener: std::net::TcpListener,
    proxy: Arc<HttpProxy<A>>,
    entrance: Arc<Entrance>,
    closing: Closing,
) -> io::Result<()>
where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    let worker = Worker {
        proxy,
        limits: Arc::clone(&entrance.limits),
        refusals: Arc::clone(&entrance.refusals),
        shutdown: closing.shutdown,
    };
    accept::run(listener, entrance, worker, closing.cut).await
}

#[cfg(test)]
mod tests;
