//! What is known of a connection before its first request.

use std::{net::SocketAddr, sync::Arc};

/// What the door learnt of one connection; shared by all requests on it.
#[derive(Debug)]
pub(crate) struct ConnectionFacts {
    /// Whose connection this is: the socket's peer, or what a listed peer's PROXY header said.
    pub(crate) client: SocketAddr,
    /// HTTP/1.1 or HTTP/2, as ALPN settled it.
    pub(crate) protocol: Protocol,
    /// What the handshake settled.
    pub(crate) tls: TlsFacts,
}

impl ConnectionFacts {
    /// Whether HTTP/2 is spoken.
    pub(crate) fn is_http2(&self) -> bool {
        self.protocol == Protocol::Http2
    }
}

/// What a TLS handshake settled.
#[derive(Clone, Debug)]
pub(crate) struct TlsFacts {
    /// The name that the client asked for, in lower case; `None` when it named none and a default
    /// certificate answered.
    pub(crate) server_name: Option<Arc<str>>,
    /// The version spoken.
    pub(crate) version: TlsVersion,
    /// The cipher suite, as RFC 8446 and RFC 5289 name it.
    pub(crate) cipher_suite: &'static str,
}

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Protocol {
    /// HTTP/1.1, and HTTP/1.0.
    Http1,
    /// HTTP/2.
    Http2,
}

/// The versions of TLS that are spoken here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum TlsVersion {
    /// TLS 1.2 (RFC 5246), with the extended master secret only.
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// As access lines and digests write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }
}
