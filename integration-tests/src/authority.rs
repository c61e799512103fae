//! Certificates of the test's own making: authorities, and what they certify, as PEM files and as TLS settings.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// An authority that nobody knows until a test names it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, in PEM.
pub struct Certified {
    /// The certificate.
    pub chain: String,
    /// Its key.
    pub key: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Makes an authority.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("an authority").pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// A certificate for `name`, good at any time that a test may run.
    pub fn certify(&self, name: &str) -> Certified {
        self.certify_names(&[name], (2000, 2100))
    }

    /// A certificate for `names`, good from the one year's beginning to the other's.
    pub fn certify_names(&self, names: &[&str], (from, to): (i32, i32)) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1) - Duration::from_secs(1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certified {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Writes the authority's certificate into a file.
    pub fn write(&self, path: &Path) -> PathBuf {
        fs::write(path, &self.certificate).expect("a file");
        path.to_owned()
    }

    /// Settings of a server with the suites of `provider` that shows a certificate for `name`, asks clients for one of
    /// `clients`, and speaks `protocol`.
    pub fn server(
        &self,
        provider: CryptoProvider,
        name: &str,
        clients: &Self,
        protocol: &str,
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(provider);
        let mut roots = RootCertStore::empty();
        roots.add(clients.der()).expect("an authority");
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let shown = self.certify(name);
        let chain = vec![der(&shown.chain)];
        let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).expect("a key");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(chain, key)
            .expect("a certificate");
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Arc::new(config)
    }

    /// Settings of a server that shows a certificate for `name` and asks clients for none.
    pub fn server_for_all(&self, name: &str) -> Arc<ServerConfig> {
        let shown = self.certify(name);
        let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions");
        let config = builder.with_no_client_auth();
        let config = config.with_single_cert(vec![der(&shown.chain)], key);
        Arc::new(config.expect("a certificate"))
    }

    fn der(&self) -> CertificateDer<'static> {
        der(&self.certificate)
    }
}

impl Certified {
    /// Writes both into files of `folder` that begin with `name`; gives chain and key.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let chain = folder.join(format!("{name}.pem"));
        let key = folder.join(format!("{name}.key"));
        fs::write(&chain, &self.chain).expect("a file");
        fs::write(&key, &self.key).expect("a file");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a key of one's own");
        (chain, key)
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}
