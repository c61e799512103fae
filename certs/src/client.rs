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

/// Whom an upstream's certificate must come from.
#[derive(Clone, Debug)]
pub enum Authorities {
    /// The authorities that the system trusts.
    System,
    /// Those of one PEM file, and no others.
    File(PathBuf),
}

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
    authorities: Option<Vec<CertificateDer<'static>>>,
    identity: Option<Identity>,
}

/// The certificate that we show, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ClientTls {
    /// Reads the files; the suites are those of `profile`.
    ///
    /// # Errors
    ///
    /// When a file is bad or no authority remains.
    pub fn load(
        authorities: &Authorities,
        identity: Option<&ClientIdentity>,
        profile: Profile,
    ) -> Result<Self, ClientProblem> {
        let own = match authorities {
            Authorities::System => None,
            Authorities::File(path) => Some(read_authorities(path)?),
        };
        let identity = identity.map(Identity::load).transpose()?;
        let provider = Arc::new(tls::provider(profile));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(roots(own.as_deref())?);
        let config = match &identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
        };
        Ok(Self {
            config,
            authorities: own,
            identity,
        })
    }

    /// The settings of connections on which one of `protocols` is spoken.
    pub fn config(&self, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }

    /// The only authorities believed; `None` where the system's are.
    pub fn authorities(&self) -> Option<&[CertificateDer<'static>]> {
        self.authorities.as_deref()
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

/// The certificates of a file of authorities, each of which can be believed as one.
fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientProblem> {
    let authorities = read_certificates(path)?;
    for authority in &authorities {
        let mut roots = RootCertStore::empty();
        let added = roots.add(authority.clone());
        added.map_err(|error| unreadable(path, &error))?;
    }
    Ok(authorities)
}

/// The certificates of a file, each of which can be read to its end: who is given them afterwards
/// may take that for granted.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientProblem> {
    let certificates = parse_chain(path, &read(path)?)?;
    for certificate in &certificates {
        X509Certificate::from_der(certificate).map_err(|error| unreadable(path, &error))?;
    }
    Ok(certificates)
}

fn unreadable(path: &Path, reason: &dyn fmt::Display) -> BundleProblem {
    BundleProblem::NoCertificate {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Those of a file, or the system's.
fn roots(own: Option<&[CertificateDer<'static>]>) -> Result<RootCertStore, ClientProblem> {
    let mut roots = RootCertStore::empty();
    if let Some(authorities) = own {
        for authority in authorities {
            roots.add(authority.clone())?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs()
            .map_err(|error| ClientProblem::NoAuthority(error.to_string()))?;
        // One that cannot be read leaves the others.
        roots.add_parsable_certificates(found);
    }
    if roots.is_empty() {
        return Err(ClientProblem::NoAuthority(
            "the system's list is empty; install ca-certificates, or name a file".to_owned(),
        ));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;
