//! Sessions: who is there, where they are signed in, and how it ends.

use std::{sync::Arc, time::Duration};

use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{AccountId, SessionId, TenantName},
    session::{Computer, EndCause, Rejection, SessionRecord},
    time::Timestamp,
};

use super::{
    Fault, Identity,
    client::{ClientFacts, Operator},
    secret::SessionToken,
};

/// Who stands behind a token, on one host.
pub(crate) enum Presence {
    /// No token was presented.
    NotPresented,
    /// A token was presented and does not count.
    Rejected(Rejection),
    /// The first factor is proved; good for nothing but choosing a password.
    MustChangePassword(PendingSession),
    /// Signed in.
    SignedIn(SignedIn),
}

/// Evidence of a live, full session; only [`Identity::presence`] makes it.
#[derive(Clone)]
pub(crate) struct SignedIn {
    record: Arc<SessionRecord>,
    assurance: Assurance,
    last_used_at: Timestamp,
}

impl SignedIn {
    /// The account.
    pub(crate) fn account(&self) -> AccountId {
        self.record.account
    }

    /// The session.
    pub(crate) fn session(&self) -> SessionId {
        self.record.id
    }

    /// The account's home tenant.
    pub(crate) fn tenant(&self) -> &TenantName {
        &self.record.tenant
    }

    /// The session's record.
    pub(crate) fn record(&self) -> &SessionRecord {
        &self.record
    }

    /// What this token proves.
    pub(crate) fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// When it ends for want of use, or in any case, whichever comes first.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.record
            .ends_at
            .min(self.last_used_at.after(self.record.idle_limit))
    }
}

/// Evidence of a live session that is only good for choosing a password.
#[derive(Clone)]
pub(crate) struct PendingSession {
    record: Arc<SessionRecord>,
}

impl PendingSession {
    /// The account.
    pub(crate) fn account(&self) -> AccountId {
        self.record.account
    }

    /// The session.
    pub(crate) fn session(&self) -> SessionId {
        self.record.id
    }

    /// When it ends.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.record.ends_at
    }
}

/// One session, as its owner or an operator sees it.
#[derive(Clone, Debug)]
pub(crate) struct SessionFacts {
    /// The session.
    pub(crate) id: SessionId,
    /// Whose it is.
    pub(crate) account: AccountId,
    /// When the person signed in.
    pub(crate) started_at: Timestamp,
    /// When it was last used.
    pub(crate) last_used_at: Timestamp,
    /// When it ends, or would have ended, whatever happens.
    pub(crate) ends_at: Timestamp,
    /// How long it lives without use.
    pub(crate) idle_limit: Duration,
    /// Whose computer it is.
    pub(crate) computer: Computer,
    /// How the person proved who they are.
    pub(crate) assurance: Assurance,
    /// The address it was opened from.
    pub(crate) address: Option<Box<str>>,
    /// The browser it was opened with, as it named itself.
    pub(crate) user_agent: Option<Box<str>>,
    /// When and why it ended; `None` while it lives.
    pub(crate) ended: Option<(Timestamp, EndCause)>,
}

/// What signing out ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SignedOut {
    /// Whose computer it was: a shared one is cleared host by host.
    pub(crate) computer: Computer,
    /// The application hosts on which the session held a token.
    pub(crate) hosts: Vec<Host>,
}

impl Identity {
    /// Who stands behind a token on `host`. Does not renew idle time.
    pub(crate) async fn presence(
        &self,
        token: Option<&SessionToken>,
        host: &Host,
    ) -> Result<Presence, Fault> {
        let _ = (token, host);
        Err(Fault::NotAvailable)
    }

    /// Renews the idle time of a session: the person did something on a page.
    pub(crate) fn renew(&self, signed_in: &SignedIn) {
        let _ = signed_in;
    }

    /// The person's sessions, newest first: the live ones and up to 20 past ones.
    pub(crate) async fn own_sessions(
        &self,
        signed_in: &SignedIn,
    ) -> Result<Vec<SessionFacts>, Fault> {
        let _ = signed_in;
        Err(Fault::NotAvailable)
    }

    /// Ends one of the person's own sessions. `false` where they have no such live session.
    pub(crate) async fn end_own_session(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
        session: SessionId,
    ) -> Result<bool, Fault> {
        let _ = (client, signed_in, session);
        Err(Fault::NotAvailable)
    }

    /// Ends all of the person's sessions but this one; says how many.
    pub(crate) async fn end_other_sessions(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
    ) -> Result<usize, Fault> {
        let _ = (client, signed_in);
        Err(Fault::NotAvailable)
    }

    /// Signs out: the portal, all hosts, all unused tickets. `None` where nobody was signed in.
    /// Pending sessions end too.
    pub(crate) async fn sign_out(
        &self,
        client: &ClientFacts,
        token: &SessionToken,
        host: &Host,
    ) -> Result<Option<SignedOut>, Fault> {
        let _ = (client, token, host);
        Err(Fault::NotAvailable)
    }

    /// The live sessions of one account, or of everybody, newest first, for an operator.
    pub(crate) async fn sessions(
        &self,
        account: Option<AccountId>,
    ) -> Result<Vec<SessionFacts>, Fault> {
        let _ = account;
        Err(Fault::NotAvailable)
    }

    /// Ends a session on an operator's behalf. `false` where there is no such live session.
    pub(crate) async fn revoke_session(
        &self,
        operator: Operator,
        session: SessionId,
    ) -> Result<bool, Fault> {
        let _ = (operator, session);
        Err(Fault::NotAvailable)
    }

    /// Ends all sessions of an account on an operator's behalf; says how many.
    pub(crate) async fn revoke_sessions_of(
        &self,
        operator: Operator,
        account: AccountId,
    ) -> Result<usize, Fault> {
        let _ = (operator, account);
        Err(Fault::NotAvailable)
    }
}
