//! How a service proves itself, and we to it: what [`ClientTls`] read, in Pingora's words.

use std::sync::Arc;

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

impl ServiceTls {
    /// Reads the files.
    pub(super) fn load(settings: &UpstreamTls, profile: Profile) -> Result<Self, UpstreamTlsFault> {
        let name = settings.name.as_str();
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| UpstreamTlsFault::Name(name.to_owned()))?;
        let authorities = match &settings.ca {
            Some(file) => Authorities::File(file.clone()),
            None => Authorities::System,
        };
        let client = settings.client_certificate.as_ref();
        let identity = client.map(|(chain, key)| ClientIdentity {
            chain: chain.clone(),
            key: key.clone(),
        });
        let tls = ClientTls::load(&authorities, identity.as_ref(), profile)?;
        // The parser panics on what is no certificate: all of these were read as ones.
        let named = tls.authorities().map(|authorities| {
            let wrapped = authorities
                .iter()
                .map(|authority| WrappedX509::new(authority.to_vec(), parse_x509));
            wrapped.collect()
        });
        let client_certificate = tls.identity().map(|(chain, key)| {
            let chain = chain.iter().map(|certificate| certificate.to_vec());
            Arc::new(CertKey::new(chain.collect(), key.secret_der().to_vec()))
        });
        Ok(Self {
            name: name.into(),
            authorities: named,
            client_certificate,
            tunnels: (tls.config(&[ALPN_HTTP1]), server_name),
        })
    }

    /// The name that the service's certificate must bear; never empty, which Pingora would take
    /// for "do not verify".
    pub(super) fn name(&self) -> &str {
        &self.name
    }

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
