//! The settings that the running system reads: typed, complete, and impossible to hold when wrong.
//!
//! They are made from a file alone, so whoever holds a [`Settings`] need not check anything again.

mod brand;
mod identity;
mod route;
mod server;
mod upstream;

pub use brand::{Accent, AccessibilityVerdict, Brand, Contact, Logo, LogoFormat};
pub use identity::{
    CookieLife, Hashing, Journal, Rate, Sessions, Storage, Tenants, UnauthenticatedLimit,
};
use octroi_policy::password::policies::Policies;
pub use route::{IdentityHeaders, Origin, RouteSettings, Routes, SecurityHeaders, Timeouts};
pub use server::{Certificate, Connections, Hsts, Management, Server, TlsProfile, Workers};
pub use upstream::{Reach, Upstream, UpstreamHost, UpstreamProtocol, UpstreamTls};

/// Everything that the configuration said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Where to listen, where to keep things, whom to believe: `[server]`.
    pub server: Server,
    /// Caps and deadlines of connections: `[connections]`.
    pub connections: Connections,
    /// Certificates by name: `[[certificate]]`.
    pub certificates: Vec<Certificate>,
    /// Which requests go where, and what it takes: `[[route]]`.
    pub routes: Routes,
    /// Which organisation a bare login belongs to: `[tenants]`.
    pub tenants: Tenants,
    /// How long a session lives: `[sessions]`.
    pub sessions: Sessions,
    /// What a password must be: `[password]`.
    pub password: Policies,
    /// What a guess of a password costs: `[hashing]`.
    pub hashing: Hashing,
    /// How often strangers are answered: `[limits]`.
    pub limits: UnauthenticatedLimit,
    /// Where accounts and sessions are kept: `[storage]`.
    pub storage: Storage,
    /// How long the journal is kept: `[journal]`.
    pub journal: Journal,
    /// What pages look like: `[brand]`.
    pub brand: Brand,
    /// Where pages send people who need somebody: `[contact]`.
    pub contact: Contact,
    /// What the file said in so many words, for the log of a reload.
    pub(crate) stated: crate::diff::Stated,
}

/// Text that is not what a key takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedValue(pub(crate) &'static str);
