//! Connections to upstreams that are given as addresses: TCP or Unix socket, TLS or not.

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{Dial, UpstreamStream};

/// An upstream whose address has been resolved and checked.
#[derive(Clone)]
pub(crate) struct DirectDial {
    /// Where it listens.
    pub(crate) address: UpstreamAddress,
    /// Its TLS settings and the name that its certificate must bear; `None` for plain HTTP.
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// Where an upstream listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum UpstreamAddress {
    /// TCP.
    Inet(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[async_trait::async_trait]
impl Dial for DirectDial {
    async fn dial(&self) -> io::Result<Box<dyn UpstreamStream>> {
        match &self.address {
            UpstreamAddress::Inet(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                self.secure(stream).await
            }
            UpstreamAddress::Unix(path) => self.secure(UnixStream::connect(path).await?).await,
        }
    }
}

impl DirectDial {
    async fn secure<S: UpstreamStream + 'static>(
        &self,
        stream: S,
    ) -> io::Result<Box<dyn UpstreamStream>> {
        let Some((config, name)) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name.clone(), stream).await?;
        Ok(Box::new(stream))
    }
}
