//! TLS towards upstreams: who may answer, and the certificate that we show.

use std::{path::PathBuf, sync::Arc};

use rustls::{ClientConfig, RootCertStore};

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

/// The settings for connections to one upstream. The name to verify is an argument of each
/// connection: there is no way to leave it out.
///
/// # Errors
///
/// When a file is bad or no authority remains.
pub fn client_config(
    authorities: &Authorities,
    identity: Option<&ClientIdentity>,
    protocols: &[&[u8]],
) -> Result<Arc<ClientConfig>, ClientProblem> {
    let provider = Arc::new(tls::provider(Profile::Intermediate));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(roots(authorities)?);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = parse_chain(&identity.chain, &read(&identity.chain)?)?;
            refuse_exposed(&identity.key)?;
            let key = parse_key(&identity.key, &read(&identity.key)?)?;
            builder.with_client_auth_cert(chain, key)?
        }
    };
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn roots(authorities: &Authorities) -> Result<RootCertStore, ClientProblem> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Authorities::System => {
            let found = rustls_native_certs::load_native_certs()
                .map_err(|error| ClientProblem::NoAuthority(error.to_string()))?;
            roots.add_parsable_certificates(found);
        }
        Authorities::File(path) => {
            for certificate in parse_chain(path, &read(path)?)? {
                roots.add(certificate)?;
            }
        }
    }
    if roots.is_empty() {
        return Err(ClientProblem::NoAuthority(
            "the system's list is empty; install ca-certificates, or name a file".to_owned(),
        ));
    }
    Ok(roots)
}
