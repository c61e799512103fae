//! Invitations: single-use links by which a person sets a first password. Spent by
//! [`super::accounts::AccountStore::change`], in the transaction that sets the password.

use octroi_policy::{id::AccountId, time::Timestamp};

use super::StoreError;
use crate::journal::Draft;

/// Invitations. An account has at most one.
#[async_trait::async_trait]
pub(crate) trait InvitationStore: Send + Sync + 'static {
    /// Keeps an invitation in place of the account's earlier one, which is dead from then on.
    /// [`super::Conflict::Missing`] when there is no such account.
    async fn issue(&self, issue: InvitationIssue) -> Result<(), StoreError>;

    /// The invitation with this hash, expired or not; spent and withdrawn ones are not found.
    async fn find(&self, hash: &InvitationHash) -> Result<Option<Invitation>, StoreError>;
}

/// SHA-256 of the secret in the link; the secret itself is kept nowhere.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct InvitationHash(pub(crate) [u8; 32]);

/// An invitation to be kept.
pub(crate) struct InvitationIssue {
    /// The hash of its secret.
    pub(crate) hash: InvitationHash,
    /// What is known of it.
    pub(crate) invitation: Invitation,
    /// What the journal says of it.
    pub(crate) journal: Vec<Draft>,
}

/// What is known of an invitation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Invitation {
    /// Who is invited.
    pub(crate) account: AccountId,
    /// When it was made.
    pub(crate) issued_at: Timestamp,
    /// From when on it opens nothing.
    pub(crate) expires_at: Timestamp,
}
