//! From an accepted socket to a [`Connection`]: PROXY header, TLS, facts.

use std::{io, net::SocketAddr, sync::Arc};

use octroi_certs::tls::ALPN_HTTP2;
use rustls::{ProtocolVersion, ServerConnection, server::Acceptor};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{
    Entrance,
    connection::Connection,
    facts::{ConnectionFacts, Protocol, TlsFacts, TlsVersion},
    proxy_protocol,
};

/// Why a connection did not come about; told to nobody but the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// It took too long.
    #[error("too slow")]
    TooSlow(#[from] tokio::time::error::Elapsed),
    /// A listed peer did not say whom it speaks for.
    #[error(transparent)]
    ProxyHeader(#[from] proxy_protocol::ProxyHeaderFault),
    /// The client asked for a name that is not ours.
    #[error("unknown server name")]
    UnknownName,
    /// The socket or TLS failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The client's address: what a listed peer says, or the peer's own.
pub(super) async fn client_of(
    stream: &mut TcpStream,
    peer: SocketAddr,
    entrance: &Entrance,
) -> Result<SocketAddr, Refused> {
    let address = peer.ip().to_canonical();
    let mut listed = entrance.proxy_header_from.iter();
    if !listed.any(|network| network.contains(&address)) {
        return Ok(peer);
    }
    let header = proxy_protocol::read(stream);
    let client = timeout(entrance.limits.proxy_header_timeout, header).await??;
    Ok(client.unwrap_or(peer))
}

/// The TLS handshake, under its deadline.
pub(super) async fn secure(
    stream: TcpStream,
    client: SocketAddr,
    entrance: &Entrance,
) -> Result<Connection, Refused> {
    let stream = timeout(entrance.limits.handshake_timeout, shake(stream, entrance)).await??;
    let tls = stream.get_ref().1;
    let facts = ConnectionFacts {
        client: canonical(client),
        protocol: match tls.alpn_protocol() {
            Some(name) if name == ALPN_HTTP2 => Protocol::Http2,
            Some(_) | None => Protocol::Http1,
        },
        tls: tls_facts(tls),
    };
    Ok(Connection::new(stream, facts))
}

async fn shake(stream: TcpStream, entrance: &Entrance) -> Result<TlsStream<TcpStream>, Refused> {
    let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), stream);
    let start = match (&mut acceptor).await {
        Ok(start) => start,
        Err(error) => {
            // The library has written an alert for what it could not read.
            if let Some(mut stream) = acceptor.take_io() {
                stream.flush().await?;
            }
            return Err(error.into());
        }
    };
    if entrance
        .certificates
        .find(start.client_hello().server_name())
        .is_none()
    {
        let mut stream = start.io;
        stream.write_all(&UNRECOGNIZED_NAME).await?;
        stream.shutdown().await?;
        return Err(Refused::UnknownName);
    }
    Ok(start.into_stream(Arc::clone(&entrance.tls)).await?)
}

fn tls_facts(tls: &ServerConnection) -> TlsFacts {
    let server_name = tls.server_name().map(str::to_ascii_lowercase);
    let suite = tls.negotiated_cipher_suite();
    TlsFacts {
        server_name: server_name.map(Arc::from),
        version: match tls.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
            // The settings leave no other.
            Some(_) | None => TlsVersion::Tls12,
        },
        cipher_suite: suite
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("unknown"),
    }
}

/// An IPv4 client of an IPv6 socket is an IPv4 client.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A fatal alert in a record of its own (RFC 8446, sections 5.1 and 6.2; RFC 6066, section 3).
/// The library has no alert to send before it has chosen a certificate.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];
