//! TLS towards upstreams: who may answer, and the certificate that we show.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::{
    bundle::{BundleProblem, parse_chain, parse_key, read, refuse_exposed},
    tls::{self, Profile},
};

/// Whom an upstream's certificate must come from: these and nobody else, at least one, each of which
/// can be read to its end.
#[derive(Clone, Eq, PartialEq)]
pub struct Authorities(Arc<[CertificateDer<'static>]>);

/// The certificate that the gateway shows to an upstream that asks for one.
#[derive(Clone, Debug)]
pub struct ClientIdentity {
    /// PEM: the certificate itself first, then the intermediates.
    pub chain: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// Why the TLS settings of an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientProblem {
    /// A file is bad.
    #[error(transparent)]
    File(#[from] BundleProblem),
    /// Nobody could ever be trusted.
    #[error("no certificate authority to trust: {0}")]
    NoAuthority(String),
    /// The library refuses the combination.
    #[error("the TLS library refuses these settings: {0}")]
    Refused(#[from] rustls::Error),
}

/// TLS to one upstream, its files read and proved. The name to verify is an argument of each
/// connection: there is no way to leave it out.
pub struct ClientTls {
    config: ClientConfig,
    identity: Option<Identity>,
}

/// The certificate that we show, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authorities {
    /// Those that the system trusts, in an order that does not depend on that of its files. One that
    /// cannot be read leaves the others.
    ///
    /// # Errors
    ///
    /// When none can be read.
    pub fn of_system() -> Result<Self, ClientProblem> {
        let found = rustls_native_certs::load_native_certs()
            .map_err(|error| ClientProblem::NoAuthority(error.to_string()))?;
        let readable = found.into_iter().filter(|one| prove(one).is_ok());
        let mut authorities: Vec<_> = readable.collect();
        authorities.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
        authorities.dedup();
        if authorities.is_empty() {
            return Err(ClientProblem::NoAuthority(
                "the system's list is empty; install ca-certificates, or name a file".to_owned(),
            ));
        }
        Ok(Self(authorities.into()))
    }

    /// Those of one PEM file, every one of which must be good.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub fn of_file(path: &Path) -> Result<Self, ClientProblem> {
        let authorities = read_certificates(path)?;
        for authority in &authorities {
            prove(authority).map_err(|reason| unreadable(path, reason))?;
        }
        Ok(Self(authorities.into()))
    }

    /// Their certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    fn roots(&self) -> Result<RootCertStore, ClientProblem> {
        let mut roots = RootCertStore::empty();
        for authority in self.certificates() {
            roots.add(authority.clone())?;
        }
        Ok(roots)
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorities").field(&self.0.len()).finish()
    }
}

impl ClientTls {
    /// Reads the files; the suites are those of `profile`.
    ///
    /// # Errors
    ///
    /// When a file is bad.
    pub fn load(
        authorities: &Authorities,
        identity: Option<&ClientIdentity>,
        profile: Profile,
    ) -> Result<Self, ClientProblem> {
        let identity = identity.map(Identity::load).transpose()?;
        let provider = Arc::new(tls::provider(profile));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(authorities.roots()?);
        let config = match &identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
        };
        Ok(Self { config, identity })
    }

    /// The settings of connections on which one of `protocols` is spoken.
    pub fn config(&self, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }

    /// The certificate that we show, its intermediates after it, and its key.
    pub fn identity(&self) -> Option<(&[CertificateDer<'static>], &PrivateKeyDer<'static>)> {
        let identity = self.identity.as_ref()?;
        Some((&identity.chain, &identity.key))
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

impl Identity {
    fn load(files: &ClientIdentity) -> Result<Self, ClientProblem> {
        let chain = read_certificates(&files.chain)?;
        refuse_exposed(&files.key)?;
        let key = parse_key(&files.key, &read(&files.key)?)?;
        let provider = tls::provider(Profile::Intermediate);
        let proved = CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider);
        proved.map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(_)) {
                BundleProblem::KeyMismatch {
                    chain: files.chain.clone(),
                    key: files.key.clone(),
                }
            } else {
                BundleProblem::NoKey {
                    path: files.key.clone(),
                    reason: error.to_string(),
                }
            }
        })?;
        Ok(Self { chain, key })
    }
}

/// Whether a certificate can be believed as an authority's.
fn prove(authority: &CertificateDer<'static>) -> Result<(), String> {
    X509Certificate::from_der(authority).map_err(|error| error.to_string())?;
    let added = RootCertStore::empty().add(authority.clone());
    added.map_err(|error| error.to_string())
}

/// The certificates of a file, each of which can be read to its end: who is given them afterwards
/// may take that for granted.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientProblem> {
    let certificates = parse_chain(path, &read(path)?)?;
    for certificate in &certificates {
        X509Certificate::from_der(certificate)
            .map_err(|error| unreadable(path, error.to_string()))?;
    }
    Ok(certificates)
}

fn unreadable(path: &Path, reason: String) -> BundleProblem {
    BundleProblem::NoCertificate {
        path: path.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests;
