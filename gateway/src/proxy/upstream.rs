//! The way to a service: which of its addresses is next, and whether it may stand there.

mod avoided;
mod names;
mod tls;

#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt::Display,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{HeaderName, header};
use octroi_config::settings::{
    Reach, RouteSettings, Timeouts, Upstream, UpstreamHost, UpstreamProtocol,
};
use octroi_policy::id::RequestId;
use pingora::{
    protocols::l4::socket::SocketAddr as PeerAddress,
    proxy::Session,
    upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy},
};
use tokio::time::timeout;

pub(super) use self::names::KnownNames;
pub(crate) use self::tls::{ServicesTls, SystemList, UpstreamTlsFault};
use self::{avoided::Avoided, names::Name, tls::ServiceTls};
use crate::listener::tunnel::{
    Dial, UpstreamStream,
    dial::{DirectDial, UpstreamAddress},
};

/// All addresses of one service, used in turn.
pub(super) struct Service {
    targets: Box<[Target]>,
    next: AtomicUsize,
    avoided: Avoided,
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
    Name(Name),
}

/// Why a service cannot be reached before anything was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamFault {
    /// Its name has no address, or none that may be used.
    #[error("{0} has no address that may be used")]
    NoAddress(Box<str>),
    /// Its name could not be resolved.
    #[error("{0} cannot be resolved")]
    Resolution(Box<str>, #[source] Arc<io::Error>),
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
        services: &ServicesTls,
    ) -> Result<Self, UpstreamTlsFault> {
        let tls = settings.tls.as_deref();
        let tls = tls.map(|tls| ServiceTls::load(tls, services)).transpose()?;
        Ok(Self {
            targets: settings.to.iter().map(Target::of).collect(),
            next: AtomicUsize::new(0),
            avoided: Avoided::default(),
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

    /// Tells what it knows of its names.
    pub(super) fn tell<'a>(&'a self, known: &mut KnownNames<'a>) {
        for name in self.targets.iter().filter_map(Target::name) {
            known.add(name);
        }
    }

    /// Takes over what the configuration before knows of the names of this service: that it is read
    /// again is no reason to depend on a name server just then.
    pub(super) fn learn_from(&self, known: &KnownNames<'_>) {
        for name in self.targets.iter().filter_map(Target::name) {
            if let Some(before) = known.like(name) {
                name.learn_from(before, |address| self.check(address).is_ok());
            }
        }
    }

    /// How often a connection is tried for one request: at each address that is known, within
    /// bounds.
    pub(super) fn tries(&self) -> usize {
        let known = self.targets.iter().map(|target| match target {
            Target::Unix(_) | Target::Tcp(_) => 1,
            Target::Name(name) => name.len(),
        });
        let most = TRIES_MAX.max(self.targets.len());
        known.sum::<usize>().min(most)
    }

    /// The next address, as Pingora wants it.
    pub(super) async fn peer(&self, awaited: Awaited) -> Result<Box<HttpPeer>, UpstreamFault> {
        let address = match self.pick().await? {
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

    /// No connection to this peer came about for a request: others go first for a while.
    pub(super) fn failed(&self, peer: &HttpPeer, cause: &dyn Display, request: RequestId) {
        let address = match &peer._address {
            PeerAddress::Inet(address) => Some(UpstreamAddress::Inet(*address)),
            PeerAddress::Unix(address) => address
                .as_pathname()
                .map(|path| UpstreamAddress::Unix(path.to_owned())),
        };
        if let Some(address) = address {
            self.avoid(&address, cause, request);
        }
    }

    /// Whoever keeps the service running learns by the log which address it was, and why; the person
    /// who asked is told a reference, by which the two are brought together.
    fn avoid(&self, address: &UpstreamAddress, cause: &dyn Display, request: RequestId) {
        if self.avoided.add(address) {
            tracing::warn!(%request, %address, %cause, "a service cannot be reached");
        }
    }

    /// A connection for a WebSocket, tried at one address after the other like any request's.
    pub(super) async fn connect(&self, request: RequestId) -> io::Result<Box<dyn UpstreamStream>> {
        let mut tried = 0;
        loop {
            let address = self.pick().await.map_err(|fault| {
                tracing::warn!(%request, cause = with_causes(&fault), "a service cannot be reached");
                io::Error::other(fault)
            })?;
            let tls = self.shape.tls.as_ref().map(ServiceTls::for_tunnels);
            let dial = DirectDial { address, tls };
            let connected = timeout(self.shape.timeouts.connect, dial.dial()).await;
            let fault = match connected {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(fault)) => fault,
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            self.avoid(&dial.address, &fault, request);
            tried += 1;
            if tried >= self.tries() {
                return Err(fault);
            }
        }
    }

    /// The longest that [`Self::connect`] may take.
    pub(super) fn patience(&self) -> Duration {
        let once = self.shape.timeouts.connect + names::PATIENCE;
        let most = TRIES_MAX.max(self.targets.len());
        once.saturating_mul(u32::try_from(most).unwrap_or(u32::MAX))
    }

    /// The next address in turn that may be used; one that failed a moment ago only where all of
    /// them did. A name that cannot be resolved costs no request while another address is good.
    async fn pick(&self) -> Result<UpstreamAddress, UpstreamFault> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let (mut avoided, mut fault) = (None, None);
        for step in 0..self.targets.len() {
            match self.address_of(turn.wrapping_add(step)).await {
                Ok(address) if !self.avoided.contains(&address) => return Ok(address),
                Ok(address) => avoided = avoided.or(Some(address)),
                Err(unusable) => fault = Some(unusable),
            }
        }
        avoided.ok_or_else(|| fault.unwrap_or_else(|| UpstreamFault::NoAddress("the route".into())))
    }

    async fn address_of(&self, turn: usize) -> Result<UpstreamAddress, UpstreamFault> {
        let place = turn.checked_rem(self.targets.len()).unwrap_or(0);
        match self.targets.get(place) {
            Some(Target::Unix(path)) => Ok(UpstreamAddress::Unix(path.to_path_buf())),
            Some(Target::Tcp(address)) => {
                self.check(*address)
                    .map_err(|why| UpstreamFault::Forbidden(*address, why))?;
                Ok(UpstreamAddress::Inet(*address))
            }
            Some(Target::Name(name)) => {
                let resolved = name.resolve(|| self.look_up(&name.host, name.port)).await;
                let resolved = resolved
                    .map_err(|fault| UpstreamFault::Resolution(name.host.clone(), fault))?;
                let is_avoided = |address| self.avoided.contains(&UpstreamAddress::Inet(address));
                let address = resolved.pick(is_avoided);
                let address = address.ok_or_else(|| UpstreamFault::NoAddress(name.host.clone()))?;
                Ok(UpstreamAddress::Inet(address))
            }
            None => Err(UpstreamFault::NoAddress("the route".into())),
        }
    }

    /// Names are held against the same rules at each resolution: whoever answers for a name must
    /// not be able to point us at ourselves, at the cloud's credentials, or out of the network.
    async fn look_up(&self, name: &str, port: u16) -> io::Result<Box<[SocketAddr]>> {
        let found = tokio::net::lookup_host((name, port)).await?;
        let mut addresses = Vec::new();
        for address in found.take(ADDRESSES_MAX) {
            match self.check(address) {
                Ok(()) => addresses.push(address),
                Err(why) => {
                    tracing::warn!(%name, %address, why, "an address of an upstream was dropped");
                }
            }
        }
        Ok(addresses.into())
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
    const fn name(&self) -> Option<&Name> {
        match self {
            Self::Name(name) => Some(name),
            Self::Unix(_) | Self::Tcp(_) => None,
        }
    }

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
            } => Self::Name(Name::new(name.as_str(), port.get())),
        }
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

/// A fault with all that it names as its cause.
pub(super) fn with_causes(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
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

/// A name may stand for many addresses; more of them than this are tried for one request only where
/// the configuration itself lists more.
const TRIES_MAX: usize = 4;
const ADDRESSES_MAX: usize = 32;

/// Below the 60 to 75 seconds after which common servers close: a connection that the server is
/// closing just then costs a retry, or a POST.
const POOLED_FOR: Duration = Duration::from_secs(50);

/// Pingora allows one; common servers allow 100 or more, and refuse beyond by themselves.
const H2_STREAMS_MAX: usize = 100;
