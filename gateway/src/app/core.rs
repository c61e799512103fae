//! The parts that work with or without open doors: keyring, stores, identity.

use std::{num::NonZeroUsize, sync::Arc};

use arc_swap::ArcSwap;
use octroi_config::Settings;
use octroi_policy::id::{SessionId, TenantName};

use crate::{
    admin,
    cli::Failure,
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    identity::{
        Identity, IdentityParts, IdentitySettings, SessionEnder,
        accounts::{AdminError, AdminRefusal},
        client::Operator,
        hashing_pool::HashingCapacity,
        password_hash::HashCost,
    },
    keyring::Keyring,
    listener::open_requests::{EndReason, OpenRequests},
    portal::Site,
    store::{Stores, sqlite},
};

/// What commands and the gateway both work with.
pub(super) struct Core {
    pub(super) keyring: Arc<Keyring>,
    pub(super) stores: Stores,
    pub(super) identity: Identity,
    pub(super) identity_settings: Arc<ArcSwap<IdentitySettings>>,
    pub(super) open_requests: Arc<OpenRequests>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Core {
    /// Opens the stores of these settings, which takes the lock of the data directory.
    pub(super) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let keyring = Arc::new(Keyring::load(&settings.server.keyring).map_err(unavailable)?);
        let options = sqlite::OpenOptions::new(settings.server.data.clone(), clock.now());
        let stores = sqlite::open(options, Arc::clone(&keyring), Arc::clone(&entropy))
            .await
            .map_err(unavailable)?;
        let identity_settings = Arc::new(ArcSwap::from_pointee(identity_settings(settings)));
        let open_requests = OpenRequests::new();
        let identity = Identity::start(IdentityParts {
            stores: stores.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            settings: Arc::clone(&identity_settings),
            keyring: Arc::clone(&keyring),
            hashing: HashingCapacity {
                threads: NonZeroUsize::new(settings.hashing.threads.into())
                    .unwrap_or(NonZeroUsize::MIN),
                waiting_max: settings.hashing.queue.into(),
            },
            cost: hash_cost(settings).map_err(|problem| Failure::Refused(problem.to_owned()))?,
            ender: open_requests.clone(),
        })
        .map_err(unavailable)?;
        identity.look_at_hashes().await.map_err(unavailable)?;
        let core = Self {
            keyring,
            stores,
            identity,
            identity_settings,
            open_requests,
            clock,
            entropy,
        };
        core.ensure_tenants(settings).await?;
        Ok(core)
    }

    /// The admin API over these parts.
    pub(super) fn desk(
        &self,
        site: Arc<ArcSwap<Site>>,
        gateway: Option<Arc<dyn admin::Gateway>>,
    ) -> admin::Desk {
        admin::Desk {
            identity: self.identity.clone(),
            journal: Arc::clone(&self.stores.journal),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            site,
            gateway,
        }
    }

    /// The tenants that a bare login may mean exist, so that the first `user invite` finds them.
    async fn ensure_tenants(&self, settings: &Settings) -> Result<(), Failure> {
        let named = &settings.tenants;
        if settings.server.demo {
            return Ok(()); // It makes its own, under the names that people read.
        }
        let known = self.identity.tenants().await.map_err(unavailable)?;
        let is_known = |name: &TenantName| known.iter().any(|tenant| tenant.name == *name);
        for name in std::iter::once(&named.default).chain(named.by_host.values()) {
            if is_known(name) {
                continue;
            }
            let display_name = name.as_str().to_owned();
            let added = self
                .identity
                .add_tenant(Operator::System, name.clone(), display_name);
            match added.await {
                Ok(_) | Err(AdminError::Refused(AdminRefusal::TenantTaken)) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(())
    }
}

impl SessionEnder for OpenRequests {
    fn end_session(&self, session: SessionId) {
        Self::end_session(self, session, EndReason::SessionEnded);
    }
}

/// What a password costs to hash; or what is wrong with the figures.
pub(super) fn hash_cost(settings: &Settings) -> Result<HashCost, &'static str> {
    let hashing = &settings.hashing;
    HashCost::new(hashing.memory_kib, hashing.passes)
        .ok_or("hashing.memory_kib or hashing.passes is out of bounds")
}

/// What identity is told of the configuration.
pub(super) fn identity_settings(settings: &Settings) -> IdentitySettings {
    let tenants = &settings.tenants;
    let by_host = tenants.by_host.iter();
    IdentitySettings {
        portal: settings.server.portal.clone(),
        default_tenant: Some(tenants.default.clone()),
        tenant_of_host: by_host
            .map(|(host, tenant)| (host.clone(), tenant.clone()))
            .collect(),
        passwords: settings.password.clone(),
        session_life: settings.sessions.absolute,
        idle_private: settings.sessions.idle_private,
        idle_public: settings.sessions.idle_public,
    }
}

/// What went wrong, with every cause that it names.
pub(super) fn unavailable(error: impl std::error::Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    Failure::Unavailable(text)
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;

    const EACH: &str = r#"
[server]
https = "127.0.0.1:8443"
portal = "login.example.com"
data = "/var/lib/octroi"
keyring = "/etc/octroi/keyring"

[[certificate]]
names = ["*.example.com"]
chain = "chain.pem"
key_file = "key.pem"

[[route]]
host = "pay.example.com"
to = "http://10.0.0.12:8080"
allow = "everyone"

[tenants]
default = "acme"
by_host = { "pay.example.com" = "globex" }

[sessions]
absolute = "23h"
idle_private = "7h"
idle_public = "11m"
"#;

    #[test]
    fn identity_is_told_each_figure_in_its_place() {
        let loaded = octroi_config::parse(EACH, Path::new("/etc/octroi/octroi.toml"));
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems:?}"));
        let told = identity_settings(&loaded.settings);
        assert_eq!(told.session_life, Duration::from_hours(23));
        assert_eq!(told.idle_private, Duration::from_hours(7));
        assert_eq!(told.idle_public, Duration::from_mins(11));
        assert_eq!(told.portal.as_str(), "login.example.com");
        assert_eq!(told.default_tenant, Some("acme".parse().unwrap()));
        let globex = "globex".parse().unwrap();
        let of_host = told.tenant_of_host.get(&"pay.example.com".parse().unwrap());
        assert_eq!(of_host, Some(&globex));
        assert_eq!(told.tenant_of_host.len(), 1);
    }
}
