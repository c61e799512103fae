//! All or nothing, and every problem at once.

use std::{path::PathBuf, time::Duration};

use super::*;

#[test]
fn every_problem_is_told_and_nothing_changes() {
    let resolver = Resolver::new(&[]);
    let missing = |name: &str| BundleSource {
        names: Vec::new(),
        chain: PathBuf::from(format!("/nowhere/{name}.pem")),
        key: PathBuf::from(format!("/nowhere/{name}.key")),
        is_default: true,
    };
    let now = UnixTime::since_unix_epoch(Duration::from_hours(500_000));
    let problems = reload(&resolver, &[missing("a"), missing("b")], now).unwrap_err();
    let files: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(files.len(), 2);
    assert!(files[0].starts_with("/nowhere/a.pem: ") && files[1].starts_with("/nowhere/b.pem: "));
    assert!(resolver.find(None).is_none());
}
