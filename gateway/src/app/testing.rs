//! A directory to start a gateway from, for tests.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use octroi_certs::{dev_authority::DevelopmentAuthority, tls::Profile};
use rustls_pki_types::UnixTime;

use super::{
    core::Core,
    live::{self, Live, Place},
};
use crate::{
    clock::{Clock, SystemClock},
    entropy::SystemEntropy,
    keyring::Keyring,
    metrics::Metrics,
};

/// A directory with all that a gateway names, and its configuration.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
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

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the configuration; gives its file.
    pub(super) fn configure(&self, keep_months: &str) -> PathBuf {
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

    /// The stores that this configuration names, and the configuration in force.
    pub(super) async fn live(&self, config: &std::path::Path) -> (Core, Arc<Live>) {
        let reading = live::read(config).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let core = Core::open(&reading.settings).await.unwrap();
        let place = Place {
            listeners: Arc::from([]),
            public_port: 8443,
            profile: Profile::Intermediate,
            system: None,
        };
        let live = Live::start(config, reading, place, &core, Metrics::new());
        let live = live.unwrap_or_else(|failure| panic!("{failure}"));
        (core, Arc::new(live))
    }
}
