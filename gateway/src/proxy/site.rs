//! One load of the configuration, made ready for requests.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use octroi_config::{
    Settings,
    settings::{Hsts, RouteSettings, Routes},
};
use octroi_policy::{
    decision::{RouteIndex, RouteTable},
    host::Host,
    rule::Route,
};

use super::upstream::{KnownNames, Service, ServicesTls, UpstreamTlsFault};
use crate::metrics::{Metrics, RouteMetrics};

/// What requests need of the configuration. Swapped as a whole; a request in flight keeps to the
/// one that it began with.
pub(crate) struct Site {
    routes: Routes,
    ways: Box<[Way]>,
    portal: Host,
    portal_url: Box<str>,
    public_port: u16,
    trusted_proxies: Box<[IpNet]>,
    hsts: Option<HeaderValue>,
    version: u64,
    unrouted: RouteMetrics,
}

/// The way to one route's service.
pub(super) struct Way {
    pub(super) service: Service,
    pub(super) metrics: RouteMetrics,
    /// Fields that this route sets, besides those that every route sets.
    own_fields: Box<[HeaderName]>,
}

/// Why a configuration that was proved consistent cannot be used all the same.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SiteFault {
    /// A file of an upstream's TLS cannot be used.
    #[error("route {route}: {fault}")]
    UpstreamTls {
        /// The route.
        route: String,
        /// What is wrong.
        #[source]
        fault: UpstreamTlsFault,
    },
}

impl Site {
    /// Makes a configuration ready. `listeners` are the addresses that are bound, which no upstream
    /// may have; `public_port` is the port that people see; `services` is what TLS to them has in common.
    ///
    /// # Errors
    ///
    /// When a file that a route names cannot be used: the configuration before stays.
    pub(crate) fn new(
        settings: &Settings,
        listeners: &Arc<[SocketAddr]>,
        public_port: u16,
        services: &ServicesTls,
        metrics: &Metrics,
    ) -> Result<Self, SiteFault> {
        let ways = settings
            .routes
            .iter()
            .map(|(route, way)| {
                let service = Service::new(way, Arc::clone(listeners), services);
                let service = service.map_err(|fault| {
                    let route = route.name.to_string();
                    SiteFault::UpstreamTls { route, fault }
                })?;
                Ok(Way::new(route, way, service, metrics))
            })
            .collect::<Result<_, _>>()?;
        let portal = settings.server.portal.clone();
        let portal_url = match public_port {
            443 => format!("https://{portal}"),
            port => format!("https://{portal}:{port}"),
        };
        Ok(Self {
            routes: settings.routes.clone(),
            ways,
            portal,
            portal_url: portal_url.into(),
            public_port,
            trusted_proxies: settings.server.trusted_proxies.clone().into(),
            hsts: hsts(settings.server.hsts),
            version: VERSIONS.fetch_add(1, Ordering::Relaxed),
            unrouted: metrics.route(None),
        })
    }

    /// Takes over what the configuration before knows of the names of services.
    pub(crate) fn learn_from(&self, before: &Self) {
        let mut known = KnownNames::default();
        for way in &before.ways {
            way.service.tell(&mut known);
        }
        for way in &self.ways {
            way.service.learn_from(&known);
        }
    }

    /// The table that decides.
    pub(super) fn table(&self) -> &RouteTable {
        self.routes.table()
    }

    /// Whether a route is for this host.
    pub(super) fn names_host(&self, host: &Host) -> bool {
        self.routes.names_host(host)
    }

    pub(super) fn route(&self, index: RouteIndex) -> Option<&Route> {
        self.table().get(index)
    }

    pub(super) fn settings(&self, index: RouteIndex) -> Option<&RouteSettings> {
        self.routes.get(index)
    }

    pub(super) fn way(&self, index: RouteIndex) -> Option<&Way> {
        self.ways.get(index.get())
    }

    /// The host of sign-in and account pages.
    pub(super) const fn portal(&self) -> &Host {
        &self.portal
    }

    /// The portal's origin: `https://login.example.com`, with the port that people see.
    pub(super) fn portal_url(&self) -> &str {
        &self.portal_url
    }

    /// The port that people see.
    pub(super) const fn public_port(&self) -> u16 {
        self.public_port
    }

    pub(super) fn trusted_proxies(&self) -> &[IpNet] {
        &self.trusted_proxies
    }

    pub(super) const fn hsts(&self) -> Option<&HeaderValue> {
        self.hsts.as_ref()
    }

    /// Differs between any two loads: what was decided under one is not used under another.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// What counts requests that no route answers.
    pub(super) const fn unrouted(&self) -> &RouteMetrics {
        &self.unrouted
    }
}

impl Way {
    fn new(route: &Route, settings: &RouteSettings, service: Service, metrics: &Metrics) -> Self {
        let identity = &settings.identity;
        let own_fields = [&identity.login, &identity.email, &identity.name];
        Self {
            service,
            metrics: metrics.route(Some(&route.name)),
            own_fields: own_fields.into_iter().flatten().cloned().collect(),
        }
    }

    /// Whether this route sets `name` itself.
    pub(super) fn sets(&self, name: &HeaderName) -> bool {
        self.own_fields.contains(name)
    }
}

fn hsts(hsts: Hsts) -> Option<HeaderValue> {
    match hsts {
        Hsts::Off => None,
        Hsts::MaxAge(age) => HeaderValue::try_from(format!("max-age={}", age.as_secs())).ok(),
    }
}

static VERSIONS: AtomicU64 = AtomicU64::new(1);
