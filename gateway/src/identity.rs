//! Who people are: accounts, tenants, passwords, sessions.
//!
//! [`Identity`] is the one service behind pages, API and command line. It takes facts and returns
//! typed outcomes; it knows neither HTTP nor HTML nor SQL. What it refuses is a variant of an
//! outcome; what it cannot do is a [`Fault`], and a fault never opens anything.

pub(crate) mod client;
pub(crate) mod secret;

pub(crate) mod handover;
pub(crate) mod sessions;
pub(crate) mod sign_in;

pub(crate) mod invitations;
#[cfg(feature = "load-test")]
mod load_test;
pub(crate) mod passwords;

pub(crate) mod accounts;
pub(crate) mod tenants;

pub(crate) mod hashing_pool;
pub(crate) mod password_hash;

mod throttle;
mod trace;
mod turns;

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use octroi_policy::{
    host::Host,
    id::{SessionId, TenantName},
    password::policies::Policies,
    session::Computer,
};

use self::{
    hashing_pool::{HashingCapacity, HashingLoad},
    password_hash::{HashCost, PasswordHasher, Peppers, Unhashable},
    throttle::OneAtATime,
};
use crate::{
    clock::Clock,
    entropy::{Entropy, EntropyUnavailable},
    keyring::Keyring,
    store::{StoreError, Stores},
};

/// The one service that knows people. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Identity(Arc<Services>);

/// What identity rests on.
pub(crate) struct IdentityParts {
    /// What is kept.
    pub(crate) stores: Stores,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Chance.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What configuration says; a reload swaps it.
    pub(crate) settings: Arc<ArcSwap<IdentitySettings>>,
    /// Secrets of the installation: peppers, and the names of counters.
    pub(crate) keyring: Arc<Keyring>,
    /// How many passwords are hashed at a time.
    pub(crate) hashing: HashingCapacity,
    /// What a hash costs.
    pub(crate) cost: HashCost,
    /// Ends what sessions have open.
    pub(crate) ender: Arc<dyn SessionEnder>,
}

/// What configuration says of identity. The running system swaps it as a whole.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySettings {
    /// The one host on which people sign in.
    pub(crate) portal: Host,
    /// The tenant that a bare login means where the host asked for names none.
    pub(crate) default_tenant: Option<TenantName>,
    /// The tenant that a bare login means on the way to a host.
    pub(crate) tenant_of_host: HashMap<Host, TenantName>,
    /// What a password must be.
    pub(crate) passwords: Policies,
    /// How long a session lives at most.
    pub(crate) session_life: Duration,
    /// How long a session on the person's own computer lives without use.
    pub(crate) idle_private: Duration,
    /// How long a session on a shared computer lives without use.
    pub(crate) idle_public: Duration,
}

impl IdentitySettings {
    const fn idle_limit(&self, computer: Computer) -> Duration {
        match computer {
            Computer::Private => self.idle_private,
            Computer::Public => self.idle_public,
        }
    }
}

/// Ends what is open on behalf of a session: sockets, streams, transfers. The listener implements it.
pub(crate) trait SessionEnder: Send + Sync + 'static {
    /// Ends everything that the session has open; returns at once.
    fn end_session(&self, session: SessionId);
}

/// Identity could not do what was asked. The caller answers 503 (or 500) and nothing is opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// No random bytes, so no token.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
    /// A stored hash is of no use.
    #[error(transparent)]
    Hash(#[from] Unhashable),
    /// The hashing threads are gone.
    #[error("passwords cannot be hashed")]
    Hashing,
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Identity cannot do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotStarted {
    /// The keyring holds no pepper under its newest version.
    #[error("the keyring holds no pepper")]
    NoPepper,
    /// The hashing threads could not be started.
    #[error("the threads that hash passwords could not be started")]
    NoThreads(#[from] std::io::Error),
}

struct Services {
    stores: Stores,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Arc<ArcSwap<IdentitySettings>>,
    keyring: Arc<Keyring>,
    hasher: PasswordHasher,
    one_at_a_time: OneAtATime,
    ender: Arc<dyn SessionEnder>,
}

impl Identity {
    /// Ties the parts together and starts the hashing threads.
    pub(crate) fn start(parts: IdentityParts) -> Result<Self, NotStarted> {
        let peppers = Peppers::of(&parts.keyring).ok_or(NotStarted::NoPepper)?;
        let hasher = PasswordHasher::start(parts.hashing, parts.cost, peppers)?;
        Ok(Self(Arc::new(Services {
            stores: parts.stores,
            clock: parts.clock,
            entropy: parts.entropy,
            settings: parts.settings,
            keyring: parts.keyring,
            hasher,
            one_at_a_time: OneAtATime::new(),
            ender: parts.ender,
        })))
    }

    /// Takes note of what password hashes are kept: logins that have none cost as much as they do.
    pub(crate) async fn look_at_hashes(&self) -> Result<(), StoreError> {
        let kept = self.0.stores.accounts.hash_counts().await?;
        self.0.hasher.take_note(&kept);
        Ok(())
    }

    /// What the hashing threads have done and have to do, for metrics.
    pub(crate) fn hashing_load(&self) -> &Arc<HashingLoad> {
        self.0.hasher.load()
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
