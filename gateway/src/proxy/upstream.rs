//! The way to a service: which of its addresses is next, and whether it may stand there.

mod tls;

#[cfg(test)]
mod tests;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use http::{HeaderName, header};
use octroi_config::settings::{
    Reach, RouteSettings, Timeouts, Upstream, UpstreamHost, UpstreamProtocol,
};
use octroi_policy::time::Timestamp;
use pingora::{
    protocols::l4::socket::SocketAddr as PeerAddress,
    proxy::Session,
    upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy},
};

use self::tls::ServiceTls;
pub(crate) use self::tls::UpstreamTlsFault;
use crate::listener::tunnel::dial::{DirectDial, UpstreamAddress};

/// All addresses of one service, used in turn.
pub(super) struct Service {
    targets: Box<[Target]>,
    next: AtomicUsize,
    shape: PeerShape,
    expose_ok: bool,
    own_listeners: Arc<[SocketAddr]>,
}

/// What the client waits for. Pingora has one deadline for the head and for each further piece of
/// an answer, and it is set before either is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Awaited {
    /// An ordinary answer: `timeouts.response` holds.
    Answer,
    /// The same, to a request that brings a body.
    AnswerToBody,
    /// One that may be silent for long: `timeouts.idle` holds.
    Stream,
}

/// What all peers of a service have in common.
struct PeerShape {
    protocol: UpstreamProtocol,
    timeouts: Timeouts,
    tls: Option<ServiceTls>,
    /// Keeps pooled connections of one service, and of one load of the configuration, apart: the
    /// pool's own key knows neither authorities nor header rules.
    group: u64,
}

enum Target {
    Unix(Arc<PathBuf>),
    Tcp(SocketAddr),
    Name {
        name: Box<str>,
        port: u16,
        resolved: ArcSwapOption<Resolved>,
    },
}

struct Resolved {
    addresses: Box<[SocketAddr]>,
    at: Timestamp,
    next: AtomicUsize,
}

/// Why a service cannot be reached before anything was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamFault {
    /// Its name has no address, or none that may be used.
    #[error("{0} has no address that may be used")]
    NoAddress(Box<str>),
    /// Its name could not be resolved.
    #[error("{0} cannot be resolved")]
    Resolution(Box<str>, #[source] io::Error),
    /// Its address is one of our own, or out of bounds.
    #[error("{0} may not be a service: {1}")]
    Forbidden(SocketAddr, &'static str),
    /// Its socket's path is too long.
    #[error("the path of the socket cannot be used")]
    Path,
}

impl Awaited {
    /// Server-sent events are asked for by name (WHATWG HTML, section 9.2.5); gRPC calls may be
    /// streams, and nothing in their heads tells which are.
    pub(super) fn of(session: &mut Session) -> Self {
        let has_body = !session.is_body_empty();
        let headers = &session.req_header().headers;
        let has = |name: HeaderName, wanted: &[u8]| {
            headers.get_all(name).iter().any(|value| {
                let mut windows = value.as_bytes().windows(wanted.len());
                windows.any(|window| window.eq_ignore_ascii_case(wanted))
            })
        };
        if has(header::ACCEPT, b"text/event-stream")
            || has(header::CONTENT_TYPE, b"application/grpc")
        {
            Self::Stream
        } else if has_body {
            Self::AnswerToBody
        } else {
            Self::Answer
        }
    }
}

impl Service {
    /// The service of a route.
    ///
    /// # Errors
    ///
    /// When the files of its TLS settings cannot be read or used.
    pub(super) fn new(
        settings: &RouteSettings,
        own_listeners: Arc<[SocketAddr]>,
    ) -> Result<Self, UpstreamTlsFault> {
        let tls = settings.tls.as_deref().map(ServiceTls::load).transpose()?;
        Ok(Self {
            targets: settings.to.iter().map(Target::of).collect(),
            next: AtomicUsize::new(0),
            shape: PeerShape {
                protocol: settings.protocol,
                timeouts: settings.timeouts,
                tls,
                group: GROUPS.fetch_add(1, Ordering::Relaxed),
            },
            expose_ok: settings.expose_ok,
            own_listeners,
        })
    }

    /// How many addresses it has: so often a connection is tried.
    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The next address, as Pingora wants it.
    pub(super) async fn peer(
        &self,
        now: Timestamp,
        awaited: Awaited,
    ) -> Result<Box<HttpPeer>, UpstreamFault> {
        let address = match self.pick(now).await? {
            UpstreamAddress::Inet(address) => PeerAddress::from(address),
            UpstreamAddress::Unix(path) => {
                let peer = path
                    .to_str()
                    .map(|path| HttpPeer::new_uds(path, false, String::new()));
                match peer {
                    Some(Ok(peer)) => peer._address,
                    _ => return Err(UpstreamFault::Path),
                }
            }
        };
        Ok(Box::new(self.shape.peer(address, awaited)))
    }

    /// The next address, for a WebSocket.
    pub(super) async fn dial(&self, now: Timestamp) -> Result<DirectDial, UpstreamFault> {
        let address = self.pick(now).await?;
        let tls = self.shape.tls.as_ref().map(ServiceTls::for_tunnels);
        Ok(DirectDial { address, tls })
    }

    /// The first in turn that has an address which may be used: a name that cannot be resolved
    /// costs no request while another of the service's addresses is good.
    async fn pick(&self, now: Timestamp) -> Result<UpstreamAddress, UpstreamFault> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let mut picked = self.address_of(turn, now).await;
        for step in 1..self.targets.len() {
            if picked.is_ok() {
                break;
            }
            picked = self.address_of(turn.wrapping_add(step), now).await;
        }
        picked
    }

    async fn address_of(
        &self,
        turn: usize,
        now: Timestamp,
    ) -> Result<UpstreamAddress, UpstreamFault> {
        let place = turn.checked_rem(self.targets.len()).unwrap_or(0);
        match self.targets.get(place) {
            Some(Target::Unix(path)) => Ok(UpstreamAddress::Unix(path.to_path_buf())),
            Some(Target::Tcp(address)) => {
                self.check(*address)
                    .map_err(|why| UpstreamFault::Forbidden(*address, why))?;
                Ok(UpstreamAddress::Inet(*address))
            }
            Some(Target::Name {
                name,
                port,
                resolved,
            }) => self
                .resolve(name, *port, resolved, now)
                .await
                .map(UpstreamAddress::Inet),
            None => Err(UpstreamFault::NoAddress("the route".into())),
        }
    }

    async fn resolve(
        &self,
        name: &str,
        port: u16,
        known: &ArcSwapOption<Resolved>,
        now: Timestamp,
    ) -> Result<SocketAddr, UpstreamFault> {
        let fresh = known
            .load_full()
            .filter(|resolved| now.since(resolved.at) < RESOLVED_FOR);
        let resolved = if let Some(resolved) = fresh {
            resolved
        } else {
            let resolved = Arc::new(self.look_up(name, port, now).await?);
            known.store(Some(Arc::clone(&resolved)));
            resolved
        };
        resolved
            .pick()
            .ok_or_else(|| UpstreamFault::NoAddress(name.into()))
    }

    /// Names are held against the same rules at each resolution: whoever answers for a name must
    /// not be able to point us at ourselves, at the cloud's credentials, or out of the network.
    async fn look_up(
        &self,
        name: &str,
        port: u16,
        now: Timestamp,
    ) -> Result<Resolved, UpstreamFault> {
        let found = tokio::time::timeout(RESOLUTION_TIMEOUT, tokio::net::lookup_host((name, port)))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|fault| UpstreamFault::Resolution(name.into(), fault))?;
        let mut addresses = Vec::new();
        for address in found.take(ADDRESSES_MAX) {
            match self.check(address) {
                Ok(()) => addresses.push(address),
                Err(why) => {
                    tracing::warn!(%name, %address, why, "an address of an upstream was dropped");
                }
            }
        }
        Ok(Resolved {
            addresses: addresses.into(),
            at: now,
            next: AtomicUsize::new(0),
        })
    }

    fn check(&self, address: SocketAddr) -> Result<(), &'static str> {
        if self.own_listeners.iter().any(|own| is_own(*own, address)) {
            return Err("it is a listener of this gateway");
        }
        match Reach::of(address.ip()) {
            Reach::Forbidden => Err("it is never a service"),
            Reach::Public if !self.expose_ok => Err("it is public, and the route has no expose_ok"),
            Reach::Public | Reach::Private => Ok(()),
        }
    }
}

impl Target {
    fn of(upstream: &Upstream) -> Self {
        match upstream {
            Upstream::Unix(path) => Self::Unix(Arc::clone(path)),
            Upstream::Tcp {
                host: UpstreamHost::Address(ip),
                port,
            } => Self::Tcp(SocketAddr::new(*ip, port.get())),
            Upstream::Tcp {
                host: UpstreamHost::Name(name),
                port,
            } => Self::Name {
                name: name.as_str().into(),
                port: port.get(),
                resolved: ArcSwapOption::empty(),
            },
        }
    }
}

impl Resolved {
    fn pick(&self) -> Option<SocketAddr> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let place = turn.checked_rem(self.addresses.len())?;
        self.addresses.get(place).copied()
    }
}

impl PeerShape {
    fn peer(&self, address: PeerAddress, awaited: Awaited) -> HttpPeer {
        let sni = self
            .tls
            .as_ref()
            .map_or_else(String::new, |tls| tls.name().to_owned());
        // Pingora resolves names when a peer is made from one: this one is made from an address.
        let mut peer = HttpPeer::new(UNUSED, self.tls.is_some(), sni);
        peer._address = address;
        peer.group_key = self.group;
        let options = &mut peer.options;
        options.connection_timeout = Some(self.timeouts.connect);
        options.total_connection_timeout = Some(self.timeouts.connect);
        options.read_timeout = Some(match awaited {
            Awaited::Stream => self.timeouts.idle,
            // To HTTP/2 services Pingora counts from the head on, while the body still goes out.
            Awaited::AnswerToBody if self.protocol == UpstreamProtocol::Http2 => {
                self.timeouts.response.max(self.timeouts.idle)
            }
            Awaited::Answer | Awaited::AnswerToBody => self.timeouts.response,
        });
        options.write_timeout = Some(self.timeouts.idle);
        options.idle_timeout = Some(POOLED_FOR);
        // Our own rules take off all that is not forwarded, in one pass; see `forward`.
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::preserve();
        match self.protocol {
            UpstreamProtocol::Http1 => options.set_http_version(1, 1),
            UpstreamProtocol::Http2 => options.set_http_version(2, 2),
        }
        options.max_h2_streams = H2_STREAMS_MAX;
        if let Some(tls) = &self.tls {
            options.ca = tls.authorities();
            peer.client_cert_key = tls.client_certificate();
        }
        peer
    }
}

/// Whether a connection to `address` would end at our listener `own`. A listener on every address
/// is met at each loopback address, and at the one that stands for all.
fn is_own(own: SocketAddr, address: SocketAddr) -> bool {
    let (own_ip, ip) = (own.ip().to_canonical(), address.ip().to_canonical());
    own.port() == address.port()
        && (own_ip == ip || own_ip.is_unspecified() && (ip.is_loopback() || ip.is_unspecified()))
}

static GROUPS: AtomicU64 = AtomicU64::new(1);

const UNUSED: (IpAddr, u16) = (IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// `getaddrinfo` tells no time to live: short enough to follow a move, long enough to cost nothing.
const RESOLVED_FOR: Duration = Duration::from_secs(30);
const RESOLUTION_TIMEOUT: Duration = Duration::from_secs(5);
const ADDRESSES_MAX: usize = 32;

/// Below the 60 to 75 seconds after which common servers close: a connection that the server is
/// closing just then costs a retry, or a POST.
const POOLED_FOR: Duration = Duration::from_secs(50);

/// Pingora allows one; common servers allow 100 or more, and refuse beyond by themselves.
const H2_STREAMS_MAX: usize = 100;
