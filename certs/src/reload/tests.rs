//! All or nothing, and every problem at once; a certificate that lapses goes on being served.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use super::*;
use crate::dev_authority::DevelopmentAuthority;

#[test]
fn every_problem_is_told() {
    let missing = |name: &str| BundleSource {
        names: Vec::new(),
        chain: PathBuf::from(format!("/nowhere/{name}.pem")),
        key: PathBuf::from(format!("/nowhere/{name}.key")),
        is_default: true,
    };
    let problems = load_all(&[missing("a"), missing("b")]).unwrap_err();
    let files: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(files.len(), 2);
    assert!(files[0].starts_with("/nowhere/a.pem: ") && files[1].starts_with("/nowhere/b.pem: "));
}

#[test]
fn a_lapsed_certificate_is_new_unless_it_is_served_already() {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let (day, from) = (86_400, 1_800_000_000);
    let folder = tempfile::tempdir().unwrap();
    let authority = DevelopmentAuthority::create(&["a.example.com"], at(from)).unwrap();
    let bundle = |name: &str| {
        let names = vec!["a.example.com".to_owned()];
        let issued = authority
            .issue_for(names, at(from), Duration::from_secs(day))
            .unwrap();
        let chain = folder.path().join(format!("{name}.pem"));
        let key = folder.path().join(format!("{name}.key"));
        fs::write(&chain, issued.chain_pem).unwrap();
        fs::write(&key, issued.key_pem.as_bytes()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let source = BundleSource {
            names: vec!["a.example.com".parse().unwrap()],
            chain,
            key,
            is_default: false,
        };
        load_all(&[source]).unwrap().remove(0)
    };
    let (old, new) = (bundle("old"), bundle("new"));
    let both = [old.clone(), new];
    let in_time = OutOfTime::of(&both, &[], at(from + day));
    assert!(in_time.new.is_empty() && in_time.in_force.is_empty());
    let late = OutOfTime::of(&both, &[old], at(from + day + 1));
    let of = |problems: &[BundleProblem]| match problems {
        [problem] => problem.to_string(),
        others => panic!("{others:?}"),
    };
    assert!(of(&late.in_force).contains("old.pem: good from "));
    assert!(of(&late.new).contains("new.pem: good from "));
}
