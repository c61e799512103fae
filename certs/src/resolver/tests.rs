//! Exact before wildcard, one label for a star, and nothing for strangers.

use std::time::Duration;

use rustls_pki_types::UnixTime;

use super::*;
use crate::{bundle::BundleSource, dev_authority::DevelopmentAuthority};

const NAMES: [&str; 3] = ["paie.example.com", "*.example.com", "default.example.com"];

fn bundles() -> Vec<Bundle> {
    let now = UnixTime::since_unix_epoch(Duration::from_hours(500_000));
    let folder = tempfile::tempdir().unwrap();
    let authority = DevelopmentAuthority::create(&NAMES, now).unwrap();
    let issue = |name: &str| {
        let issued = authority.issue_for(vec![name.to_owned()], now, Duration::from_hours(1));
        let issued = issued.unwrap();
        let (chain, key) = (folder.path().join("chain"), folder.path().join("key"));
        std::fs::write(&chain, issued.chain_pem).unwrap();
        std::fs::write(&key, issued.key_pem.as_bytes()).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&key, mode).unwrap();
        let source = BundleSource {
            names: vec![name.parse().unwrap()],
            chain,
            key,
            is_default: name.starts_with("default"),
        };
        Bundle::load(&source).unwrap()
    };
    NAMES.map(issue).into()
}

#[test]
fn names_find_their_certificate() {
    let bundles = bundles();
    let resolver = Resolver::new(&bundles);
    let position = |name: Option<&str>| {
        let found = resolver.find(name)?;
        bundles
            .iter()
            .position(|bundle| Arc::ptr_eq(&bundle.key, &found))
    };
    for (name, wanted) in [
        (Some("paie.example.com"), Some(0)),
        (Some("PAIE.Example.COM"), Some(0)),
        (Some("other.example.com"), Some(1)),
        (Some("a.other.example.com"), None),
        (Some("example.com"), None),
        (Some("com"), None),
        (Some(""), None),
        (None, Some(2)),
    ] {
        assert_eq!(position(name), wanted, "{name:?}");
    }
}

#[test]
fn without_a_default_a_client_that_names_nobody_gets_nothing() {
    let bundles = bundles();
    let resolver = Resolver::new(&bundles[..2]);
    assert!(resolver.find(None).is_none());
    resolver.replace(&bundles);
    assert!(resolver.find(None).is_some());
    resolver.replace(&[]);
    assert!(resolver.find(Some("paie.example.com")).is_none());
}
