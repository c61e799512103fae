//! Enter tickets: single-use passes that carry a session from the portal to another host.

use std::sync::Arc;

use octroi_policy::{
    assurance::Assurance, host::Host, id::SessionId, session::SessionRecord, time::Timestamp,
};

use super::{StoreError, live::LiveToken, sessions::TokenHash};
use crate::journal::event::{Actor, Draft};

/// Tickets. One of many parallel redemptions wins.
#[async_trait::async_trait]
pub(crate) trait TicketStore: Send + Sync + 'static {
    /// Keeps a ticket. [`super::Conflict::Missing`] when the session has ended;
    /// [`super::Conflict::LimitReached`] above [`TICKETS_PER_SESSION_MAX`] open ones.
    async fn insert(&self, ticket: Ticket) -> Result<(), StoreError>;

    /// Spends the ticket and issues a token for its host in one transaction; an earlier token of
    /// that session for that host dies. `None` when ticket, host or nonce do not match, the ticket
    /// is spent or expired, or the session has ended; then nothing is spent.
    async fn redeem(
        &self,
        redemption: TicketRedemption,
    ) -> Result<Option<Arc<LiveToken>>, StoreError>;
}

/// The most open tickets of one session: many tabs that ask at once, not more.
pub(crate) const TICKETS_PER_SESSION_MAX: usize = 32;

/// A pass to one host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Ticket {
    /// SHA-256 of the ticket.
    pub(crate) hash: [u8; 32],
    /// The session it carries.
    pub(crate) session: SessionId,
    /// The one host that may redeem it.
    pub(crate) host: Host,
    /// SHA-256 of the nonce in that host's cookie.
    pub(crate) nonce_hash: [u8; 32],
    /// What the token will prove.
    pub(crate) assurance: Assurance,
    /// From when on it is worth nothing.
    pub(crate) expires_at: Timestamp,
}

/// A ticket as it was presented, and the token to issue for it.
pub(crate) struct TicketRedemption {
    /// SHA-256 of the ticket.
    pub(crate) hash: [u8; 32],
    /// The host on which it was presented.
    pub(crate) host: Host,
    /// SHA-256 of the nonce in the cookie that came with it.
    pub(crate) nonce_hash: [u8; 32],
    /// The hash of the token to issue.
    pub(crate) token: TokenHash,
    /// Now.
    pub(crate) at: Timestamp,
    /// What the journal says if it wins; whose it is, the store adds ([`TicketRedemption::drafts`]).
    pub(crate) journal: Vec<Draft>,
}

impl TicketRedemption {
    /// What the journal says: the ticket alone tells whose session it carries.
    pub(super) fn drafts(&self, record: &SessionRecord) -> Vec<Draft> {
        let of_session = |draft: &Draft| Draft {
            actor: Actor::Account(record.account),
            tenant: Some(record.tenant_id),
            account: Some(record.account),
            session: Some(record.id),
            ..draft.clone()
        };
        self.journal.iter().map(of_session).collect()
    }
}
