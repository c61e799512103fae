//! TLS towards clients: versions, suites, groups, protocols.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::{
        CryptoProvider, SupportedKxGroup,
        aws_lc_rs::{self, cipher_suite as suite, kx_group},
    },
    server::{NoServerSessionStorage, ProducesTickets},
};

use crate::resolver::Resolver;

/// Which suites are offered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// Mozilla's "intermediate", version 6.0, with 256-bit AES first.
    #[default]
    Intermediate,
    /// The same without AES-128, for operators whose rules ask for 256 bits throughout.
    Strong256,
}

/// The settings of all HTTPS listeners: TLS 1.2 with ECDHE and AEAD, TLS 1.3; the server's order
/// counts; HTTP/2 or HTTP/1.1 by ALPN, where a client that offers only others is refused
/// (RFC 7301, section 3.2); no early data, which could be replayed; no TLS 1.2 without the extended
/// master secret (RFC 7627).
///
/// # Errors
///
/// When the library refuses the combination.
pub fn server_config(
    resolver: Arc<Resolver>,
    tickets: Arc<dyn ProducesTickets>,
    profile: Profile,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider(profile)))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
    config.ignore_client_order = true;
    config.require_ems = true;
    config.max_early_data_size = 0;
    config.ticketer = tickets;
    // Tickets carry everything; a cache on our side would be memory that strangers fill.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The algorithms of a profile.
pub fn provider(profile: Profile) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![
        suite::TLS13_AES_256_GCM_SHA384,
        suite::TLS13_CHACHA20_POLY1305_SHA256,
        suite::TLS13_AES_128_GCM_SHA256,
        suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    if profile == Profile::Strong256 {
        provider
            .cipher_suites
            .retain(|suite| !format!("{:?}", suite.suite()).contains("AES_128"));
    }
    provider.kx_groups = KX_GROUPS.to_vec();
    provider
}

/// The post-quantum hybrid first (draft-ietf-tls-ecdhe-mlkem), then the groups of Mozilla's
/// "intermediate".
const KX_GROUPS: [&dyn SupportedKxGroup; 4] = [
    kx_group::X25519MLKEM768,
    kx_group::X25519,
    kx_group::SECP256R1,
    kx_group::SECP384R1,
];

/// RFC 9113, section 3.1.
pub const ALPN_HTTP2: &[u8] = b"h2";
/// RFC 7301, section 6.
pub const ALPN_HTTP1: &[u8] = b"http/1.1";

#[cfg(test)]
mod tests;
