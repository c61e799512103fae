//! Pages, asked for as a browser does, over the real identity and a store in memory.

mod accounts;
mod browser;
mod errors;
mod frames;
mod handover;
mod passwords;
mod samples;
mod sign_in;
mod sign_out;

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use arc_swap::ArcSwap;
use octroi_policy::host::Host;

use self::browser::Browser;
use super::{Portal, Routers, Site};
use crate::{
    entropy::SystemEntropy,
    identity::testing::{self, World},
};

/// The portal and the hosts of the tests' configuration.
const PORTAL: &str = "portail.exemple.fr";
const PAYROLL: &str = "paie.exemple.fr";
const WIKI: &str = "wiki.exemple.fr";

/// People, and the portal in front of them.
struct Gatehouse {
    world: World,
    routers: Routers,
    site: Arc<ArcSwap<Site>>,
}

impl Gatehouse {
    /// Two tenants, and nobody in them.
    async fn open() -> Self {
        let world = World::new().await;
        let site = Arc::new(ArcSwap::from_pointee(site("")));
        let portal = Portal::new(
            world.identity.clone(),
            Arc::clone(&site),
            Arc::clone(&world.keyring),
            Arc::new(world.clock.clone()),
            Arc::new(SystemEntropy),
        );
        Self {
            world,
            routers: portal.routers(),
            site,
        }
    }

    /// The same with one person who can sign in: `marie` of the default tenant.
    async fn with_marie() -> Self {
        let house = Self::open().await;
        house.world.ready("acme", "marie").await;
        house
    }

    /// A browser that has never been here, of somebody who reads English.
    fn browser(&self) -> Browser {
        Browser::new(self.routers.clone(), "en")
    }

    /// A browser of somebody who reads French.
    fn french_browser(&self) -> Browser {
        Browser::new(self.routers.clone(), "fr-FR,fr;q=0.9,en;q=0.3")
    }
}

/// The site that the tests' configuration describes; `extra` is more of that file.
fn site(extra: &str) -> Site {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["chain.pem", "key.pem", "keyring"] {
        fs::write(path(name), name).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let brand = if extra.contains("[brand]") {
        ""
    } else {
        "[brand]\nname = \"Exemple\"\n"
    };
    let file = format!(
        r#"
[server]
https = "127.0.0.1:443"
portal = "{PORTAL}"
data = "{data}"
keyring = "{keyring}"
time_zone = "Europe/Paris"

[[certificate]]
names = ["*.exemple.fr"]
chain = "chain.pem"
key_file = "key.pem"

[[route]]
host = "{PAYROLL}"
to = "http://10.0.0.12:8080"
allow = {{ roles = ["rh"], tenants = ["acme"] }}

[[route]]
host = "{WIKI}"
to = "http://10.0.0.13:8080"
allow = "everyone"

[[route]]
host = "compta.exemple.fr"
to = "http://10.0.0.14:8080"
allow = {{ roles = ["compta"] }}

[tenants]
default = "acme"

[contact]
support = "mailto:aide@exemple.fr"
privacy = "https://exemple.fr/donnees"
dpo = "mailto:dpo@exemple.fr"
accessibility = "https://exemple.fr/accessibilite"
accessibility_verdict = "partial"
security = "mailto:securite@exemple.fr"
{brand}{extra}
"#,
        data = path("data").display(),
        keyring = path("keyring").display(),
    );
    fs::create_dir(path("data")).unwrap();
    fs::write(path("octroi.toml"), file).unwrap();
    match octroi_config::load(&path("octroi.toml"), &Vec::new()) {
        Ok(loaded) => Site::new(&loaded.settings, 443),
        Err(problems) => panic!("{problems}"),
    }
}

fn host(name: &str) -> Host {
    testing::host(name)
}
