//! What a service's TLS files must be before anything is sent.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use rustls_pki_types::UnixTime;

use super::*;
use crate::dev_authority::DevelopmentAuthority;

/// A folder with an authority and a certificate of it for us.
struct Folder {
    path: tempfile::TempDir,
    authority: DevelopmentAuthority,
}

impl Folder {
    fn new() -> Self {
        let now = UnixTime::since_unix_epoch(Duration::from_hours(500_000));
        let authority = DevelopmentAuthority::create(&[], now).unwrap();
        let folder = Self {
            path: tempfile::tempdir().unwrap(),
            authority,
        };
        let issued = folder.authority.issue(&["gateway.localhost"], now).unwrap();
        folder.write(
            "ca.pem",
            folder.authority.certificate_pem().as_bytes(),
            0o644,
        );
        folder.write("chain.pem", issued.chain_pem.as_bytes(), 0o644);
        folder.write("key.pem", issued.key_pem.as_bytes(), 0o600);
        folder
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) {
        let file = self.path.path().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, profile: Profile) -> Result<ClientTls, ClientProblem> {
        let file = |name: &str| self.path.path().join(name);
        let identity = ClientIdentity {
            chain: file("chain.pem"),
            key: file("key.pem"),
        };
        let authorities = Authorities::of_file(&file("ca.pem"))?;
        ClientTls::load(&authorities, Some(&identity), profile)
    }

    /// What is wrong, without the folder's name.
    fn problem(&self) -> String {
        let problem = self.load(Profile::Intermediate).unwrap_err().to_string();
        problem.replace(&format!("{}/", self.path.path().display()), "")
    }
}

#[test]
fn good_files_are_taken_with_the_suites_of_the_profile() {
    let folder = Folder::new();
    let suites = |profile| {
        let config = folder.load(profile).unwrap().config(&[b"h2"]);
        assert_eq!(config.alpn_protocols, [b"h2"]);
        config.crypto_provider().cipher_suites.len()
    };
    assert_eq!(
        (suites(Profile::Intermediate), suites(Profile::Strong256)),
        (9, 6)
    );
    let tls = folder.load(Profile::Intermediate).unwrap();
    assert_eq!(tls.identity().map(|(chain, _)| chain.len()), Some(1));
}

#[test]
fn a_key_that_everybody_may_read_is_refused() {
    let folder = Folder::new();
    let key = fs::read(folder.path.path().join("key.pem")).unwrap();
    folder.write("key.pem", &key, 0o644);
    assert!(
        folder
            .problem()
            .starts_with("key.pem: a private key that every user of the machine may read")
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (folder, other) = (Folder::new(), Folder::new());
    let key = fs::read(other.path.path().join("key.pem")).unwrap();
    folder.write("key.pem", &key, 0o600);
    let problem = folder.problem();
    assert!(
        problem.starts_with("key.pem is not the key of the first certificate in chain.pem;"),
        "{problem}"
    );
}

/// Pingora ends the process over a certificate that it cannot read, and it is given all of them.
#[test]
fn an_intermediate_that_is_none_is_refused() {
    let folder = Folder::new();
    let chain = fs::read_to_string(folder.path.path().join("chain.pem")).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    folder.write("chain.pem", format!("{chain}{broken}").as_bytes(), 0o644);
    let problem = folder.problem();
    assert!(
        problem.starts_with("chain.pem: no readable certificate ("),
        "{problem}"
    );
}

#[test]
fn what_is_no_authority_is_refused_with_its_file() {
    let folder = Folder::new();
    for content in [
        "nothing",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        folder.write("ca.pem", content.as_bytes(), 0o644);
        let problem = folder.problem();
        assert!(
            problem.starts_with("ca.pem: no readable certificate ("),
            "{problem}"
        );
    }
}
