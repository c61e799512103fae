//! Invitations: the single-use link by which a person sets a first password.

use std::time::Duration;

use octroi_policy::{
    id::{AccountId, TenantName},
    password::verdict::Verdict,
    session::Computer,
    time::Timestamp,
};

use super::{
    Fault, Identity,
    accounts::{AdminError, Language},
    client::{ClientFacts, Operator},
    secret::{InvitationToken, SessionToken, TypedPassword},
    sign_in::NewSession,
};

/// How long an invitation is good for: 1 hour to 7 days.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct InvitationLife(Duration);

impl InvitationLife {
    /// What is used where nothing is said: 72 hours.
    pub(crate) const DEFAULT: Self = Self(Duration::from_hours(72));
    /// The shortest.
    pub(crate) const MIN: Duration = Duration::from_hours(1);
    /// The longest.
    pub(crate) const MAX: Duration = Duration::from_hours(7 * 24);

    /// This life, if it is between the shortest and the longest.
    pub(crate) fn new(life: Duration) -> Option<Self> {
        (Self::MIN..=Self::MAX)
            .contains(&life)
            .then_some(Self(life))
    }

    /// The duration.
    pub(crate) const fn as_duration(self) -> Duration {
        self.0
    }
}

/// An invitation that was just made: what the letter needs.
pub(crate) struct IssuedInvitation {
    /// The secret of the link; shown once.
    pub(crate) token: InvitationToken,
    /// Whose account it opens.
    pub(crate) account: AccountId,
    /// Until when.
    pub(crate) expires_at: Timestamp,
    /// What the letter and the page say of the account.
    pub(crate) invitee: Invitee,
}

/// What an invitation's page and letter say of the account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Invitee {
    /// The login.
    pub(crate) login: String,
    /// The tenant, as routes name it.
    pub(crate) tenant: TenantName,
    /// The organisation, as people name it.
    pub(crate) organisation: String,
    /// The person's name, where it is known.
    pub(crate) name: Option<String>,
    /// The person's language, where it is known.
    pub(crate) language: Option<Language>,
}

/// What the link's page shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OpenInvitation {
    /// Of whom.
    pub(crate) invitee: Invitee,
    /// Until when the link is good.
    pub(crate) expires_at: Timestamp,
}

/// What somebody sent from the link's page.
pub(crate) struct InvitationAnswer {
    /// The link's secret.
    pub(crate) token: InvitationToken,
    /// The password that the person chose.
    pub(crate) password: TypedPassword,
    /// Whose computer it is.
    pub(crate) computer: Computer,
    /// The session token that the browser already holds for the portal: its session ends.
    pub(crate) replaces: Option<SessionToken>,
}

/// What came of it.
pub(crate) enum InvitationOutcome {
    /// The password is set and the person is signed in.
    Accepted(NewSession),
    /// Used, expired, or never made: nobody is told which.
    Dead,
    /// The password breaks rules: all of them are named; the link is not spent.
    NotAcceptable(Verdict),
    /// More passwords than can be hashed at present; the link is not spent.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
}

impl Identity {
    /// What the link's page shows; spends nothing. `None` where the link is dead.
    pub(crate) async fn open_invitation(
        &self,
        token: &InvitationToken,
    ) -> Result<Option<OpenInvitation>, Fault> {
        let _ = token;
        Err(Fault::NotAvailable)
    }

    /// Sets the first password and spends the link; of any number of parallel uses one wins.
    pub(crate) async fn accept_invitation(
        &self,
        client: &ClientFacts,
        answer: InvitationAnswer,
    ) -> Result<InvitationOutcome, Fault> {
        let _ = (client, answer);
        Err(Fault::NotAvailable)
    }

    /// Makes an invitation for an account; older ones of that account are dead from then on.
    pub(crate) async fn invite(
        &self,
        operator: Operator,
        account: AccountId,
        life: InvitationLife,
    ) -> Result<IssuedInvitation, AdminError> {
        let _ = (operator, account, life);
        Err(Fault::NotAvailable.into())
    }
}
