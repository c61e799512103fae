//! How a service proves itself, and we to it: what [`ClientTls`] read, in Pingora's words.

use std::{cell::OnceCell, sync::Arc};

use octroi_certs::{
    client::{Authorities, ClientIdentity, ClientProblem, ClientTls},
    tls::{ALPN_HTTP1, Profile},
};
use octroi_config::settings::UpstreamTls;
use pingora::{
    protocols::tls::CaType,
    utils::tls::{CertKey, WrappedX509, parse_x509},
};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

/// What TLS to all services of one configuration has in common: the suites, and the system's
/// authorities, which are read once, and only where a route names none of its own.
pub(in crate::proxy) struct ServicesTls {
    profile: Profile,
    system: OnceCell<Believed>,
}

/// Authorities, for us and for Pingora.
#[derive(Clone)]
struct Believed {
    authorities: Authorities,
    for_pingora: Arc<CaType>,
}

/// TLS to one service, its files read.
pub(super) struct ServiceTls {
    name: Arc<str>,
    authorities: Arc<CaType>,
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

impl ServicesTls {
    /// With the suites of `profile`.
    pub(in crate::proxy) fn new(profile: Profile) -> Self {
        let system = OnceCell::new();
        Self { profile, system }
    }

    fn of_system(&self) -> Result<Believed, ClientProblem> {
        if let Some(system) = self.system.get() {
            return Ok(system.clone());
        }
        let system = Believed::from(Authorities::of_system()?);
        Ok(self.system.get_or_init(|| system).clone())
    }
}

impl From<Authorities> for Believed {
    fn from(authorities: Authorities) -> Self {
        // The parser panics on what it cannot read: all of these were read to their end.
        let certificates = authorities.certificates().iter();
        let wrapped = certificates.map(|one| WrappedX509::new(one.to_vec(), parse_x509));
        Self {
            for_pingora: wrapped.collect(),
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

    pub(super) fn authorities(&self) -> Arc<CaType> {
        Arc::clone(&self.authorities)
    }

    pub(super) fn client_certificate(&self) -> Option<Arc<CertKey>> {
        self.client_certificate.clone()
    }

    pub(super) fn for_tunnels(&self) -> (Arc<ClientConfig>, ServerName<'static>) {
        self.tunnels.clone()
    }
}
