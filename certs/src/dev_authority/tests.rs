//! The authority vouches for what it was made for, and cannot be made to vouch for more.

use std::sync::Arc;

use rustls::{
    RootCertStore, client::WebPkiServerVerifier, client::danger::ServerCertVerifier,
    crypto::aws_lc_rs,
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};

use super::*;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn is_trusted(authority: &DevelopmentAuthority, issued: &Issued, name: &str, now: u64) -> bool {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let leaf = CertificateDer::from_pem_slice(issued.chain_pem.as_bytes()).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let verifier = verifier.build().unwrap();
    verifier
        .verify_server_cert(&leaf, &[], &name, &[], at(now))
        .is_ok()
}

#[test]
fn a_certificate_is_trusted_for_its_names_and_at_most_ninety_days() {
    let authority = DevelopmentAuthority::create(&[], at(NOW)).unwrap();
    let issued = authority.issue(&["paie.localhost"], at(NOW)).unwrap();
    for name in ["localhost", "paie.localhost", "127.0.0.1", "::1"] {
        assert!(is_trusted(&authority, &issued, name, NOW), "{name}");
    }
    assert!(!is_trusted(&authority, &issued, "other.localhost", NOW));
    let ninety_days = 90 * 24 * 60 * 60;
    assert!(!is_trusted(
        &authority,
        &issued,
        "localhost",
        NOW + ninety_days
    ));
}

#[test]
fn nothing_outside_its_names_is_trusted_even_if_it_signed_it() {
    let authority = DevelopmentAuthority::create(&["intra.example.com"], at(NOW)).unwrap();
    for (name, is_good) in [
        ("intra.example.com", true),
        ("a.intra.example.com", true),
        ("a.localhost", true),
        ("bank.example", false),
        ("192.0.2.1", false),
    ] {
        let issued = authority.issue_for(vec![name.to_owned()], at(NOW), Duration::from_hours(1));
        assert_eq!(
            is_trusted(&authority, &issued.unwrap(), name, NOW),
            is_good,
            "{name}"
        );
    }
}

#[test]
fn an_authority_that_was_kept_goes_on() {
    let made = DevelopmentAuthority::create(&[], at(NOW)).unwrap();
    let read = DevelopmentAuthority::from_pem(made.certificate_pem(), &made.key_pem()).unwrap();
    let issued = read.issue(&[], at(NOW)).unwrap();
    assert!(is_trusted(&made, &issued, "localhost", NOW));
}
