//! How people sign in and for how long, and how long what they did is remembered.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use octroi_policy::{host::Host, id::TenantName};

/// `[tenants]`: which organisation a login without one belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tenants {
    /// Everywhere else.
    pub default: TenantName,
    /// On the way to these hosts.
    pub by_host: BTreeMap<Host, TenantName>,
}

/// `[sessions]`: how long a session lives.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sessions {
    /// From sign-in to the end, whatever happens; at most 24 hours.
    pub absolute: Duration,
    /// Without use, on a person's own computer.
    pub idle_private: Duration,
    /// Without use, on a shared computer.
    pub idle_public: Duration,
    /// Whether the cookie outlives the browser.
    pub cookie: CookieLife,
}

/// How long a browser keeps the session's cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CookieLife {
    /// Until the browser is closed.
    Browser,
    /// Until the session ends, on a private computer (`Max-Age`); on a public one as [`Self::Browser`].
    Session,
}

/// `[hashing]`: what one guess of a password costs, us and others (Argon2id, RFC 9106).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Hashing {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Hashes at once, each on its own thread.
    pub threads: u16,
    /// Sign-ins that may wait for a thread; beyond, the answer is 503.
    pub queue: u16,
}

/// `[limits]`: how often one address is answered while nobody is signed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnauthenticatedLimit {
    /// Pages of the gateway and refusals, in the long run.
    pub unauthenticated: Rate,
    /// The same at once.
    pub burst: NonZeroU32,
    /// Answers of services on public routes, in the long run.
    pub public: Rate,
    /// The same at once.
    pub public_burst: NonZeroU32,
}

/// So many in a period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub period: Duration,
}

/// `[storage]`: where accounts and sessions are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Storage {
    /// In the data directory: SQLite, with live sessions held in memory.
    Embedded,
}

/// `[journal]`: how long the journal is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Journal {
    /// Months until lines are purged.
    pub keep_months: u16,
    /// Why more than twelve, for who asks; never empty when they are.
    pub keep_reason: Option<String>,
}
