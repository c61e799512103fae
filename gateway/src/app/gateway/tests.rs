//! What is read of the configuration again and again, and not at the start alone.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use octroi_certs::dev_authority::DevelopmentAuthority;
use rustls_pki_types::UnixTime;

use super::*;
use crate::{
    clock::{Clock, SystemClock},
    entropy::SystemEntropy,
    keyring::Keyring,
};

/// A directory with all that a gateway names, and its configuration.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        Keyring::create(&folder.file("keyring"), &SystemEntropy).unwrap();
        let seconds = u64::try_from(SystemClock.now().as_unix_seconds()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let names = ["login.localhost"];
        let authority = DevelopmentAuthority::create(&names, now).unwrap();
        let issued = authority.issue(&names, now).unwrap();
        fs::write(folder.file("chain.pem"), issued.chain_pem).unwrap();
        fs::write(folder.file("key.pem"), issued.key_pem.as_bytes()).unwrap();
        let own = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.file("key.pem"), own).unwrap();
        folder
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the configuration; gives its file.
    fn configure(&self, keep_months: &str) -> PathBuf {
        let file = |name: &str| self.file(name).display().to_string();
        let text = format!(
            r#"
[server]
https = "127.0.0.1:8443"
portal = "login.localhost"
data = "{}"
keyring = "{}"

[[certificate]]
names = ["login.localhost"]
chain = "{}"
key_file = "{}"

[journal]
keep_months = {keep_months}
"#,
            file("data"),
            file("keyring"),
            file("chain.pem"),
            file("key.pem")
        );
        let path = self.file("octroi.toml");
        fs::write(&path, text).unwrap();
        path
    }
}

#[tokio::test]
async fn a_reload_changes_how_long_the_journal_is_kept() {
    let folder = Folder::new();
    let config = folder.configure("12");
    let reading = live::read(&config).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let core = Core::open(&reading.settings).await.unwrap();
    let place = Place {
        listeners: Arc::from([]),
        https_port: 8443,
        profile: Profile::Intermediate,
        system: None,
    };
    let live = Live::start(&config, reading, place, &core, Metrics::new());
    let live = Arc::new(live.unwrap_or_else(|failure| panic!("{failure}")));
    let keys = SigningKeys::open(Arc::clone(&core.stores.signing_keys), core.clock.now()).await;
    let keys = Arc::new(keys.unwrap());
    let upkeep = Upkeep::of(&core, &live, Arc::clone(&keys), passports(&core, &keys));
    let days = |days: u64| Duration::from_hours(days * 24);
    assert_eq!(upkeep.retention(), days(365));
    folder.configure("6");
    live.reload().await.unwrap();
    assert_eq!(upkeep.retention(), days(365) / 2);
    folder.configure("0");
    live.reload().await.unwrap_err();
    assert_eq!(upkeep.retention(), days(365) / 2);
}
