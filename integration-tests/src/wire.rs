//! One TLS connection to the gateway, with nothing between the test and the bytes.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

/// How long a client waits for bytes before it calls it silence.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A public entry of the gateway: where it listens and whom to trust.
#[derive(Clone, Debug)]
pub struct Door {
    /// The bound address of the TLS listener.
    pub address: SocketAddr,
    /// The address that connections come from; loopback has 16 million of them.
    pub from: IpAddr,
    /// What is sent before TLS begins, as a load balancer does.
    pub announcement: Vec<u8>,
    roots: Arc<RootCertStore>,
}

impl Door {
    /// A door at `address` whose certificates come from the authority in the PEM file `authority`.
    pub fn new(address: SocketAddr, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(authority).expect("the authority's file") {
            roots
                .add(certificate.expect("a certificate"))
                .expect("an authority");
        }
        Self {
            address,
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
            announcement: Vec::new(),
            roots: Arc::new(roots),
        }
    }

    /// The same door, approached from another address of the loopback network: another source for limits by address.
    #[must_use]
    pub fn approached_from(&self, last: [u8; 3]) -> Self {
        let [a, b, c] = last;
        Self {
            from: IpAddr::V4(Ipv4Addr::new(127, a, b, c)),
            ..self.clone()
        }
    }

    /// The same door, announcing each connection with these bytes before TLS begins.
    #[must_use]
    pub fn announced_by(&self, announcement: &[u8]) -> Self {
        Self {
            announcement: announcement.to_vec(),
            ..self.clone()
        }
    }

    /// A TCP connection and nothing more.
    pub fn tcp(&self) -> io::Result<TcpStream> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(self.address),
            socket2::Type::STREAM,
            None,
        )?;
        if self.address.is_ipv4() {
            socket.bind(&SocketAddr::new(self.from, 0).into())?;
        }
        socket.connect_timeout(&self.address.into(), PATIENCE)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A TLS connection that asks for `sni` (none if empty) and offers exactly these application protocols.
    pub fn tls(&self, sni: &str, alpn: &[&str]) -> io::Result<Wire> {
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(Arc::clone(&self.roots))
                .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = if sni.is_empty() {
            ServerName::IpAddress(self.address.ip().into())
        } else {
            ServerName::try_from(sni.to_owned()).map_err(io::Error::other)?
        };
        let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut stream = self.tcp()?;
        stream.write_all(&self.announcement)?;
        let mut tls = StreamOwned::new(session, stream);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(Wire { tls })
    }
}

/// An established TLS connection.
#[derive(Debug)]
pub struct Wire {
    tls: StreamOwned<ClientConnection, TcpStream>,
}

impl Wire {
    /// The application protocol agreed on, if any.
    pub fn alpn(&self) -> Option<String> {
        self.tls
            .conn
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.write_all(bytes)?;
        self.tls.flush()
    }

    /// Gives up on silence after this time instead of [`PATIENCE`].
    pub fn be_patient_for(&self, duration: Duration) {
        self.tls
            .sock
            .set_read_timeout(Some(duration))
            .expect("a timeout");
    }

    /// The TCP connection beneath, to cut it without a word.
    pub fn cut(&self) {
        self.tls.sock.shutdown(std::net::Shutdown::Both).ok();
    }
}

impl Read for Wire {
    /// Reads bytes; 0 at the end of the stream, however it ended.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.tls.read(buffer) {
            Err(error) if is_end(&error) => Ok(0),
            other => other,
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tls.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tls.flush()
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
    )
}

/// Whether a read ended because the patience did.
pub fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
