//! Who people are: accounts, tenants, passwords, sessions.
//!
//! [`Identity`] is the one service behind pages, API and command line. It takes facts and returns
//! typed outcomes; it knows neither HTTP nor HTML nor SQL. What it refuses is a variant of an
//! outcome; what it cannot do is a [`Fault`], and a fault never opens anything.

pub(crate) mod client;
pub(crate) mod secret;

pub(crate) mod accounts;
pub(crate) mod handover;
pub(crate) mod invitations;
pub(crate) mod passwords;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod tenants;

use std::{collections::HashMap, sync::Arc, time::Duration};

use octroi_policy::{
    host::Host,
    id::{SessionId, TenantName},
};

use crate::entropy::EntropyUnavailable;

/// The one service that knows people. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Identity {}

/// What configuration says of identity. The running system swaps it as a whole.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySettings {
    /// The one host on which people sign in.
    pub(crate) portal: Host,
    /// The tenant that a bare login means where the host asked for names none.
    pub(crate) default_tenant: Option<TenantName>,
    /// The tenant that a bare login means on the way to a host.
    pub(crate) tenant_of_host: HashMap<Host, TenantName>,
    /// How long a session lives at most.
    pub(crate) session_life: Duration,
    /// How long a session on the person's own computer lives without use.
    pub(crate) idle_private: Duration,
    /// How long a session on a shared computer lives without use.
    pub(crate) idle_public: Duration,
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
    /// The hashing threads are gone.
    #[error("passwords cannot be hashed")]
    Hashing,
    /// The store cannot be used.
    #[error("the store cannot be used")]
    Store(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The part is not wired yet.
    #[error("not available in this version")]
    NotAvailable,
}
