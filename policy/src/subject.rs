//! Who asks: evidence, made by [`crate::session::judge`] alone, that a live session stands behind a request.

use crate::{
    assurance::Assurance,
    id::{AccountId, Role, SessionId, TenantName},
    session::SessionRecord,
    time::Timestamp,
};

/// A signed-in account, as one request sees it. Borrowed from the session, so that it costs nothing to make.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    record: &'a SessionRecord,
    assurance: Assurance,
}

impl<'a> Subject<'a> {
    /// Only a session that was judged live becomes a subject.
    pub(crate) const fn new(record: &'a SessionRecord, assurance: Assurance) -> Self {
        Self { record, assurance }
    }

    /// The account that signed in.
    pub const fn account(&self) -> AccountId {
        self.record.account
    }

    /// The session it signed in with.
    pub const fn session(&self) -> SessionId {
        self.record.id
    }

    /// The session's record.
    pub const fn record(&self) -> &'a SessionRecord {
        self.record
    }

    /// The account's home tenant.
    pub const fn tenant(&self) -> &'a TenantName {
        &self.record.tenant
    }

    /// The account's roles in its home tenant.
    pub fn roles(&self) -> &'a [Role] {
        &self.record.roles
    }

    /// What the token that was presented proves; it never changes for that token.
    pub const fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// When the person last proved who they are.
    pub const fn authenticated_at(&self) -> Timestamp {
        self.record.authenticated_at
    }
}
