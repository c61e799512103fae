//! Where a route's requests go, and how the service there is known to be the right one.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU16,
    path::PathBuf,
    sync::Arc,
};

use octroi_policy::host::Host;

/// One address of a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Upstream {
    /// `http://` or `https://`; encrypted when the route has an [`UpstreamTls`].
    Tcp {
        /// The address, or the name to resolve.
        host: UpstreamHost,
        /// The port.
        port: NonZeroU16,
    },
    /// `unix:///…`.
    Unix(Arc<PathBuf>),
}

/// The host part of an upstream's address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UpstreamHost {
    /// A name, resolved while running; each answer is held against [`Reach`] again.
    Name(Host),
    /// An address.
    Address(IpAddr),
}

/// The version of HTTP that an upstream is spoken to in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: by ALPN over TLS, else with prior knowledge ("h2c", RFC 9113, section 3.3).
    Http2,
}

/// How an upstream proves itself, and we to it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UpstreamTls {
    /// The name that its certificate must bear.
    pub name: Host,
    /// The PEM file of the only authorities believed; `None`: those of the operating system.
    pub ca: Option<PathBuf>,
    /// The PEM files of our certificate chain and its key, where the service asks for one.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// How far an address reaches: what decides whether a service may stand there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reach {
    /// Never a service: unspecified, multicast, broadcast, or the metadata service of clouds, which
    /// gives out credentials to whoever asks from the machine.
    Forbidden,
    /// This machine or a private network (RFC 1122, 1918, 3927, 4193, 4291, 6598).
    Private,
    /// The Internet: only with `expose_ok = true`, since a service there can be reached around us.
    Public,
}

impl Reach {
    /// Where `address` can be reached from. An IPv4 address in IPv6 clothing counts as itself.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        // RFC 6598: shared address space of carriers, 100.64.0.0/10.
        let [first, second, ..] = address.octets();
        let shared = first == 100 && (64..128).contains(&second);
        if address == METADATA_V4 || first == 0 || address.is_multicast() || address.is_broadcast()
        {
            Self::Forbidden
        } else if address.is_loopback() || address.is_private() || address.is_link_local() || shared
        {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address == METADATA_V6 || address.is_unspecified() || address.is_multicast() {
            Self::Forbidden
        } else if address.is_loopback()
            || address.is_unique_local()
            || address.is_unicast_link_local()
        {
            Self::Private
        } else {
            Self::Public
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for UpstreamHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Where most clouds answer with the machine's credentials.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The same over IPv6, as AWS has it.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
