//! How a service proves itself, and we to it.

use std::{path::Path, path::PathBuf, sync::Arc};

use octroi_config::settings::UpstreamTls;
use pingora::{
    protocols::tls::CaType,
    utils::tls::{CertKey, WrappedX509, parse_x509},
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

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
    /// A file cannot be read.
    #[error("{0} cannot be read as PEM")]
    Pem(PathBuf, #[source] rustls_pki_types::pem::Error),
    /// A file holds no certificate, or one that cannot be read.
    #[error("{0} holds no certificate that can be used")]
    Certificate(PathBuf),
    /// The key does not go with the certificate, or is of no kind that is spoken.
    #[error("{0} does not go with its certificate")]
    Key(PathBuf, #[source] rustls::Error),
    /// The name is none that TLS knows.
    #[error("{0} is no name for TLS")]
    Name(String),
    /// There is no authority to believe.
    #[error("the operating system has no authorities; set `ca`")]
    NoAuthorities,
}

impl ServiceTls {
    /// Reads the files.
    pub(super) fn load(settings: &UpstreamTls) -> Result<Self, UpstreamTlsFault> {
        let name = settings.name.as_str();
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| UpstreamTlsFault::Name(name.to_owned()))?;
        let own = settings.ca.as_deref().map(read_certificates).transpose()?;
        let roots = match &own {
            Some(certificates) => roots_of(certificates)?,
            None => system_roots()?,
        };
        let client = settings.client_certificate.as_ref();
        let client = client
            .map(|(chain, key)| Identity::load(chain, key))
            .transpose()?;
        let client_certificate = client.as_ref().map(Identity::for_pingora);
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let config = match client {
            Some(client) => client.install(builder)?,
            None => builder.with_no_client_auth(),
        };
        Ok(Self {
            name: name.into(),
            authorities: own.map(|certificates| {
                certificates
                    .into_iter()
                    .map(|certificate| WrappedX509::new(certificate.to_vec(), parse_x509))
                    .collect()
            }),
            client_certificate,
            tunnels: (Arc::new(config), server_name),
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

/// Our certificate and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    key_file: PathBuf,
}

impl Identity {
    fn load(chain: &Path, key: &Path) -> Result<Self, UpstreamTlsFault> {
        Ok(Self {
            chain: read_certificates(chain)?,
            key: PrivateKeyDer::from_pem_file(key)
                .map_err(|fault| UpstreamTlsFault::Pem(key.to_owned(), fault))?,
            key_file: key.to_owned(),
        })
    }

    fn for_pingora(&self) -> Arc<CertKey> {
        let chain = self
            .chain
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect();
        Arc::new(CertKey::new(chain, self.key.secret_der().to_vec()))
    }

    fn install(
        self,
        builder: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    ) -> Result<ClientConfig, UpstreamTlsFault> {
        builder
            .with_client_auth_cert(self.chain, self.key)
            .map_err(|fault| UpstreamTlsFault::Key(self.key_file, fault))
    }
}

/// The certificates of a PEM file, at least one; each is one that Pingora's parser takes too, which
/// would panic on another.
fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, UpstreamTlsFault> {
    let unusable = || UpstreamTlsFault::Certificate(file.to_owned());
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|fault| UpstreamTlsFault::Pem(file.to_owned(), fault))?;
    let readable = certificates
        .iter()
        .all(|certificate| X509Certificate::from_der(certificate).is_ok());
    if certificates.is_empty() || !readable {
        return Err(unusable());
    }
    Ok(certificates)
}

fn roots_of(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, UpstreamTlsFault> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates.iter().cloned());
    if added == 0 {
        return Err(UpstreamTlsFault::NoAuthorities);
    }
    Ok(roots)
}

/// The operating system's authorities, from the first of the usual bundles.
fn system_roots() -> Result<RootCertStore, UpstreamTlsFault> {
    let bundle = SYSTEM_BUNDLES
        .iter()
        .map(Path::new)
        .find(|bundle| bundle.exists())
        .ok_or(UpstreamTlsFault::NoAuthorities)?;
    let certificates = CertificateDer::pem_file_iter(bundle)
        .map_err(|fault| UpstreamTlsFault::Pem(bundle.to_owned(), fault))?
        .filter_map(Result::ok)
        .collect::<Vec<_>>();
    roots_of(&certificates)
}

/// Debian and Alpine; Fedora and RHEL.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];
