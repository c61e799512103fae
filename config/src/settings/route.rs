//! What configuration knows of a route beyond who may pass: where it goes and how.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderName;
use octroi_policy::{
    decision::{RouteIndex, RouteTable},
    host::Host,
    rule::Route,
};

use super::{Upstream, UpstreamProtocol, UpstreamTls};

/// All routes: the table that decides, and beside each of its places the way to the service.
#[derive(Clone, Debug)]
pub struct Routes {
    table: Arc<RouteTable>,
    settings: Arc<[RouteSettings]>,
}

/// The way to one route's service.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RouteSettings {
    /// The service's addresses, used in turn; at least one, and all with TLS or all without.
    pub to: Box<[Upstream]>,
    /// How the service is spoken to.
    pub protocol: UpstreamProtocol,
    /// Present when it is spoken to over TLS.
    pub tls: Option<Arc<UpstreamTls>>,
    /// Whether the service may stand at an address that the Internet reaches.
    pub expose_ok: bool,
    /// Whose identity the assertion is addressed to (`aud`): the route's name where one was given,
    /// else its host and path.
    pub audience: Arc<str>,
    /// Whether its requests leave the session's idle time alone.
    pub background: bool,
    /// Origins from which a signed-in WebSocket may be opened, besides the route's own host.
    pub websocket_origins: Box<[Origin]>,
    /// Personal facts that the service is told, and in which fields.
    pub identity: IdentityHeaders,
    /// How long the service may take.
    pub timeouts: Timeouts,
    /// Which security fields are added to its answers.
    pub security_headers: SecurityHeaders,
}

/// Personal facts in header fields. `Remote-User` is the opaque account id unless one of them
/// takes its place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct IdentityHeaders {
    /// The field that carries the login.
    pub login: Option<HeaderName>,
    /// The field that carries the e-mail address.
    pub email: Option<HeaderName>,
    /// The field that carries the name.
    pub name: Option<HeaderName>,
}

/// A web origin (RFC 6454) in the form in which browsers send it: no path, no default port.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Origin(pub(crate) Box<str>);

/// How long an upstream may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection to one address, with its TLS handshake.
    pub connect: Duration,
    /// For the header of the answer, once the request is sent, and between two pieces of an
    /// ordinary answer.
    pub response: Duration,
    /// The same for event streams and gRPC calls; and between two pieces that the service takes in.
    pub idle: Duration,
}

/// Which security fields are added to a service's answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecurityHeaders {
    /// None: the service sets its own.
    Off,
    /// Those that break no application, where the service did not set them itself.
    Standard,
}

impl Routes {
    /// Ties settings to the table; both in the order of the file.
    pub(crate) fn new(table: RouteTable, settings: Vec<RouteSettings>) -> Self {
        Self {
            table: Arc::new(table),
            settings: settings.into(),
        }
    }

    /// The table that decides.
    pub fn table(&self) -> &RouteTable {
        &self.table
    }

    /// The way to a route's service. `None` only for an index of another table.
    pub fn get(&self, index: RouteIndex) -> Option<&RouteSettings> {
        self.settings.get(index.get())
    }

    /// Each route with its settings, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&Route, &RouteSettings)> {
        self.table.routes().iter().zip(self.settings.iter())
    }

    /// Whether any route is for this host.
    pub fn names_host(&self, host: &Host) -> bool {
        self.table.names_host(host)
    }
}

impl PartialEq for Routes {
    fn eq(&self, other: &Self) -> bool {
        self.table.routes() == other.table.routes() && self.settings == other.settings
    }
}

impl Origin {
    /// The text that `Origin:` must equal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
