//! What is offered, in which order.

use super::*;

fn suites(profile: Profile) -> Vec<String> {
    let suites = provider(profile).cipher_suites;
    suites
        .iter()
        .map(|suite| format!("{:?}", suite.suite()))
        .collect()
}

#[test]
fn the_suites_are_those_of_mozillas_intermediate_with_256_bits_first() {
    assert_eq!(
        suites(Profile::Intermediate),
        [
            "TLS13_AES_256_GCM_SHA384",
            "TLS13_CHACHA20_POLY1305_SHA256",
            "TLS13_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ]
    );
    assert!(
        suites(Profile::Strong256)
            .iter()
            .all(|suite| !suite.contains("128_GCM"))
    );
    assert_eq!(suites(Profile::Strong256).len(), 6);
}

#[test]
fn groups_begin_with_the_post_quantum_hybrid() {
    let groups = provider(Profile::Intermediate).kx_groups;
    let names: Vec<_> = groups
        .iter()
        .map(|group| format!("{:?}", group.name()))
        .collect();
    assert_eq!(
        names,
        ["X25519MLKEM768", "X25519", "secp256r1", "secp384r1"]
    );
}

#[test]
fn the_settings_leave_out_what_could_be_misused() {
    let tickets = crate::tickets::rotating().unwrap();
    let config = server_config(Resolver::new(&[]), tickets, Profile::default()).unwrap();
    assert_eq!(config.max_early_data_size, 0);
    assert!(config.require_ems && config.ignore_client_order);
    assert!(config.ticketer.enabled());
    assert!(!config.session_storage.can_cache());
    assert_eq!(config.alpn_protocols, [ALPN_HTTP2, ALPN_HTTP1]);
}
