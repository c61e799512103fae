//! Where things are kept: traits, and the adapters behind them.
//!
//! Each change that people rely on is one command which carries its journal drafts, so that the
//! change, its line in the journal and the raise of the account's epoch commit together or not at all.

pub(crate) mod accounts;
#[cfg(test)]
pub(crate) mod adversarial;
#[cfg(test)]
mod contract;
mod fail_point;
pub(crate) mod invitations;
pub(crate) mod live;
#[cfg(test)]
pub(crate) mod memory;
pub(crate) mod personal_keys;
mod roster;
pub(crate) mod sessions;
pub(crate) mod signing_keys;
pub(crate) mod sqlite;
pub(crate) mod tenants;
pub(crate) mod throttle;
pub(crate) mod tickets;

use std::{fmt, sync::Arc};

use crate::journal::JournalStore;

/// Everything that is kept, as the running system holds it. All parts rest on the same adapter.
#[derive(Clone)]
pub(crate) struct Stores {
    /// People.
    pub(crate) accounts: Arc<dyn accounts::AccountStore>,
    /// Organisations.
    pub(crate) tenants: Arc<dyn tenants::TenantStore>,
    /// Single-use links by which a person sets a first password.
    pub(crate) invitations: Arc<dyn invitations::InvitationStore>,
    /// Sessions and their tokens.
    pub(crate) sessions: Arc<dyn sessions::SessionStore>,
    /// Single-use passes from the portal to another host.
    pub(crate) tickets: Arc<dyn tickets::TicketStore>,
    /// Counters of failed sign-ins.
    pub(crate) throttle: Arc<dyn throttle::ThrottleStore>,
    /// Keys that sign the identity assertion.
    pub(crate) signing_keys: Arc<dyn signing_keys::SigningKeyStore>,
    /// What happened.
    pub(crate) journal: Arc<dyn JournalStore>,
    /// Whether all of it can be relied on.
    pub(crate) health: Arc<dyn StoreHealth>,
}

/// Whether the store can be relied on; readiness asks.
#[async_trait::async_trait]
pub(crate) trait StoreHealth: Send + Sync + 'static {
    /// The last fault of a write, until a later write succeeds. `None`: healthy. Never blocks.
    fn fault(&self) -> Option<StoreError>;

    /// Writes and reads back one row.
    async fn probe(&self) -> Result<(), StoreError>;
}

/// Why the store did not do what it was asked. The door stays shut: none of these ever means "allowed".
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum StoreError {
    /// It cannot be reached, is locked, or failed to read or write. 503; nothing changed durably.
    #[error("the store is unavailable: {0}")]
    Unavailable(FaultText),
    /// The disk is full: sign-ins and changes are refused, revocations and the journal go on. 503.
    #[error("the disk that holds the data directory is full; free some space")]
    Full,
    /// What is stored cannot be what was written: damage, or another keyring. 503.
    #[error("the store is damaged: {0}")]
    Corrupt(FaultText),
    /// The command rests on something that is no longer so; nothing changed.
    #[error("{0}")]
    Conflict(Conflict),
}

/// What a command rested on and found changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub(crate) enum Conflict {
    /// The tenant has an account with this login already.
    #[error("the login is taken")]
    LoginTaken,
    /// There is a tenant of this name already.
    #[error("the tenant name is taken")]
    TenantNameTaken,
    /// No such account, tenant or session, or no longer.
    #[error("there is no such record")]
    Missing,
    /// The account changed (its epoch is another) or is locked: read it again.
    #[error("the account changed meanwhile")]
    AccountChanged,
    /// A single-use thing was used already, expired, or never existed.
    #[error("it was used already, or has expired")]
    Spent,
    /// The same identifier or token exists: the random source repeats itself. Refuse.
    #[error("the identifier exists already")]
    Duplicate,
    /// A named limit of the store is reached.
    #[error("a limit of the store is reached")]
    LimitReached,
}

impl From<Conflict> for StoreError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<crate::entropy::EntropyUnavailable> for StoreError {
    fn from(fault: crate::entropy::EntropyUnavailable) -> Self {
        Self::Unavailable(FaultText::new(fault))
    }
}

/// What went wrong inside, for the log and never for the person.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct FaultText(Arc<str>);

impl FaultText {
    /// Says what failed, and what to do about it.
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string().into())
    }
}

impl fmt::Display for FaultText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FaultText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
