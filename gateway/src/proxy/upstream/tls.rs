//! How a service proves itself, and we to it: what [`ClientTls`] read, in Pingora's words.

use std::{
    cell::OnceCell,
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
    sync::Arc,
};

use data_encoding::BASE64;

use octroi_certs::{
    client::{Authorities, ClientIdentity, ClientProblem, ClientTls},
    tls::{ALPN_HTTP1, Profile},
};
use octroi_config::{Settings, settings::UpstreamTls};
use pingora::{
    protocols::tls::CaType,
    utils::tls::{CertKey, WrappedX509, parse_x509},
};
use rustix::fs::{MemfdFlags, memfd_create};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

/// The system's authorities as they were at the start, proved by our own rules, as a file that Pingora
/// reads when a worker starts. Where a peer brings a list of its own, Pingora parses it and makes
/// settings anew for each connection, on the thread that carries all others, and cannot resume.
#[derive(Debug)]
pub(crate) struct SystemList {
    authorities: Authorities,
    /// In memory: no name on a disk for others to put something else in its place.
    file: File,
}

/// What TLS to all services of one configuration has in common: the suites, and the system's
/// authorities, which are read once, and only where a route names none of its own.
pub(crate) struct ServicesTls {
    profile: Profile,
    /// What Pingora believes by itself.
    list: Option<Arc<SystemList>>,
    system: OnceCell<Believed>,
}

/// Authorities, for us and for Pingora.
#[derive(Clone)]
struct Believed {
    authorities: Authorities,
    /// `None` where they are those that Pingora believes by itself.
    for_pingora: Option<Arc<CaType>>,
}

/// TLS to one service, its files read.
pub(super) struct ServiceTls {
    name: Arc<str>,
    authorities: Option<Arc<CaType>>,
    client_certificate: Option<Arc<CertKey>>,
    /// For connections that Pingora does not make.
    tunnels: (Arc<ClientConfig>, ServerName<'static>),
}

/// Why the TLS settings of a route cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamTlsFault {
    /// A file is bad, or there is no authority to believe.
    #[error(transparent)]
    Files(#[from] ClientProblem),
    /// The name is none that TLS knows.
    #[error("{0} is no name for TLS")]
    Name(String),
}

impl SystemList {
    /// The list, where a route of these settings believes the system. What is wrong with it is said
    /// where that route is made ready; that it cannot be handed over costs time at each connection,
    /// and nothing else.
    pub(crate) fn where_needed(settings: &Settings) -> Option<Self> {
        let mut ways = settings
            .routes
            .iter()
            .filter_map(|(_, way)| way.tls.as_deref());
        let is_needed = ways.any(|tls| tls.ca.is_none());
        let authorities = is_needed.then(Authorities::of_system)?.ok()?;
        Self::of(authorities)
            .inspect_err(|error| {
                tracing::warn!(%error, "the system's authorities are read at each connection");
            })
            .ok()
    }

    fn of(authorities: Authorities) -> io::Result<Self> {
        let mut text = String::new();
        for one in authorities.certificates() {
            text.push_str("-----BEGIN CERTIFICATE-----\n");
            BASE64.encode_append(one, &mut text);
            text.push_str("\n-----END CERTIFICATE-----\n");
        }
        let mut file = File::from(memfd_create("authorities", MemfdFlags::CLOEXEC)?);
        file.write_all(text.as_bytes())?;
        let list = Self { authorities, file };
        // Pingora ends the process over a file that it cannot open.
        File::open(list.path())?;
        Ok(list)
    }

    /// Where this process finds the file, for as long as this lives.
    pub(crate) fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_raw_fd())
    }
}

impl ServicesTls {
    /// With the suites of `profile`; `list` is what Pingora believes by itself.
    pub(crate) fn new(profile: Profile, list: Option<Arc<SystemList>>) -> Self {
        Self {
            profile,
            list,
            system: OnceCell::new(),
        }
    }

    fn of_system(&self) -> Result<Believed, ClientProblem> {
        if let Some(system) = self.system.get() {
            return Ok(system.clone());
        }
        let authorities = Authorities::of_system()?;
        let list = self.list.as_ref();
        // The list of the machine may have changed since the start: then this one holds.
        let system = if list.is_some_and(|list| list.authorities == authorities) {
            Believed {
                authorities,
                for_pingora: None,
            }
        } else {
            Believed::from(authorities)
        };
        Ok(self.system.get_or_init(|| system).clone())
    }
}

impl From<Authorities> for Believed {
    fn from(authorities: Authorities) -> Self {
        // The parser panics on what it cannot read: all of these were read to their end.
        let certificates = authorities.certificates().iter();
        let wrapped = certificates.map(|one| WrappedX509::new(one.to_vec(), parse_x509));
        Self {
            for_pingora: Some(wrapped.collect()),
            authorities,
        }
    }
}

impl ServiceTls {
    /// Reads the files.
    pub(super) fn load(
        settings: &UpstreamTls,
        common: &ServicesTls,
    ) -> Result<Self, UpstreamTlsFault> {
        let name = settings.name.as_str();
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| UpstreamTlsFault::Name(name.to_owned()))?;
        let believed = match &settings.ca {
            Some(file) => Authorities::of_file(file)?.into(),
            None => common.of_system()?,
        };
        let client = settings.client_certificate.as_ref();
        let identity = client.map(|(chain, key)| ClientIdentity {
            chain: chain.clone(),
            key: key.clone(),
        });
        let tls = ClientTls::load(&believed.authorities, identity.as_ref(), common.profile)?;
        let client_certificate = tls.identity().map(|(chain, key)| {
            let chain = chain.iter().map(|certificate| certificate.to_vec());
            Arc::new(CertKey::new(chain.collect(), key.secret_der().to_vec()))
        });
        Ok(Self {
            name: name.into(),
            authorities: believed.for_pingora,
            client_certificate,
            tunnels: (tls.config(&[ALPN_HTTP1]), server_name),
        })
    }

    /// The name that the service's certificate must bear; never empty, which Pingora would take
    /// for "do not verify".
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Who is believed; `None` where they are those that Pingora believes by itself.
    pub(super) fn authorities(&self) -> Option<Arc<CaType>> {
        self.authorities.clone()
    }

    pub(super) fn client_certificate(&self) -> Option<Arc<CertKey>> {
        self.client_certificate.clone()
    }

    pub(super) fn for_tunnels(&self) -> (Arc<ClientConfig>, ServerName<'static>) {
        self.tunnels.clone()
    }
}
