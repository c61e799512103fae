//! A certificate that is wrong in one way is refused with a sentence that says which and what to do.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use super::*;
use crate::dev_authority::DevelopmentAuthority;

const NOW: u64 = 1_800_000_000;
const DAY: Duration = Duration::from_hours(24);

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// A folder with a good certificate for `paie.example.com` and `*.example.org`.
struct Folder {
    path: tempfile::TempDir,
    source: BundleSource,
}

impl Folder {
    fn new() -> Self {
        let path = tempfile::tempdir().unwrap();
        let source = BundleSource {
            names: vec!["paie.example.com".parse().unwrap()],
            chain: path.path().join("chain.pem"),
            key: path.path().join("key.pem"),
            is_default: false,
        };
        let folder = Self { path, source };
        folder.write(&["paie.example.com", "*.example.org"], DAY);
        folder
    }

    fn write(&self, names: &[&str], life: Duration) {
        let authority = DevelopmentAuthority::create(names, at(NOW)).unwrap();
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let issued = authority.issue_for(names, at(NOW), life).unwrap();
        fs::write(&self.source.chain, issued.chain_pem).unwrap();
        self.write_key(issued.key_pem.as_bytes(), 0o640);
    }

    fn write_key(&self, pem: &[u8], mode: u32) {
        fs::write(&self.source.key, pem).unwrap();
        fs::set_permissions(&self.source.key, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self) -> Result<Bundle, BundleProblem> {
        Bundle::load(&self.source)
    }

    /// The problem in words, without the folder's name.
    fn problem(&self) -> String {
        let problem = self.load().unwrap_err().to_string();
        problem.replace(&format!("{}/", self.path.path().display()), "")
    }
}

#[test]
fn a_good_certificate_is_taken() {
    let mut folder = Folder::new();
    for names in [
        vec!["paie.example.com"],
        vec!["*.example.org"],
        vec!["a.example.org"],
        vec![],
    ] {
        folder.source.names = names.iter().map(|name| name.parse().unwrap()).collect();
        assert!(folder.load().is_ok(), "{names:?}");
    }
    let expires_at = folder.load().unwrap().expires_at();
    assert_eq!(expires_at, at(NOW + DAY.as_secs()));
}

#[test]
fn a_file_that_is_missing_empty_or_too_long_is_named() {
    let folder = Folder::new();
    fs::write(&folder.source.chain, "nothing").unwrap();
    assert!(
        folder
            .problem()
            .starts_with("chain.pem: no readable certificate (no CERTIFICATE section);")
    );
    fs::write(&folder.source.chain, vec![b'x'; (1 << 20) + 1]).unwrap();
    assert!(
        folder
            .problem()
            .starts_with("chain.pem: longer than 1048576 bytes;")
    );
    fs::remove_file(&folder.source.chain).unwrap();
    assert!(
        folder
            .problem()
            .starts_with("chain.pem: cannot be read (No such file")
    );
}

#[test]
fn a_key_that_everybody_may_read_is_refused_and_the_command_told() {
    let folder = Folder::new();
    let key = fs::read(&folder.source.key).unwrap();
    for mode in [0o600, 0o640, 0o660, 0o400] {
        folder.write_key(&key, mode);
        assert!(folder.load().is_ok(), "{mode:o}");
    }
    for mode in [0o604, 0o602, 0o601, 0o644] {
        folder.write_key(&key, mode);
        let problem = folder.problem();
        assert!(
            problem.contains(&format!("(mode {mode:03o}); run: chmod o= key.pem")),
            "{problem}"
        );
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let folder = Folder::new();
    let other = Folder::new();
    folder.write_key(&fs::read(&other.source.key).unwrap(), 0o600);
    assert!(
        folder
            .problem()
            .starts_with("key.pem is not the key of the first certificate in chain.pem;")
    );
    folder.write_key(
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        0o600,
    );
    assert!(
        folder
            .problem()
            .starts_with("key.pem: no usable private key (")
    );
    folder.write_key(b"", 0o600);
    assert!(
        folder
            .problem()
            .starts_with("key.pem: no usable private key (")
    );
}

#[test]
fn a_certificate_is_good_in_its_time_only() {
    let folder = Folder::new();
    let end = NOW + DAY.as_secs();
    // It begins an hour before it was made.
    for (now, is_good) in [
        (NOW - 3601, false),
        (NOW - 3600, true),
        (end, true),
        (end + 1, false),
    ] {
        let out_of_time = folder.load().unwrap().out_of_time(at(now));
        assert_eq!(out_of_time.is_none(), is_good, "{now}");
    }
    let bundle = folder.load().unwrap();
    let problem = bundle.out_of_time(at(end + 1)).unwrap().to_string();
    assert!(
        problem.contains("chain.pem: good from ") && problem.contains("renew it"),
        "{problem}"
    );
}

#[test]
fn each_name_must_be_borne() {
    let mut folder = Folder::new();
    for name in [
        "other.example.com",
        "*.example.com",
        "a.b.example.org",
        "example.org",
    ] {
        folder.source.names = vec![name.parse().unwrap()];
        let problem = folder.problem();
        let wanted =
            format!("chain.pem: does not name {name}, only paie.example.com, *.example.org;");
        assert!(problem.starts_with(&wanted), "{problem}");
    }
}

#[test]
fn names_are_host_names_with_at_most_a_star_in_front() {
    for name in ["a", "a.b", "*.a.b", "A.b"] {
        assert_eq!(
            name.parse::<NamePattern>().unwrap().to_string(),
            name.to_ascii_lowercase()
        );
    }
    for name in [
        "", "*", "*.", "a.*.b", "**.a", "a..b", "a b", "a_b", "é.fr", ".a", "a.",
    ] {
        assert_eq!(name.parse::<NamePattern>(), Err(MalformedName), "{name:?}");
    }
}
