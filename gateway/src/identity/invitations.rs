//! Invitations: the single-use link by which a person sets a first password.

use std::{sync::Arc, time::Duration};

use octroi_policy::{
    id::{AccountId, TenantName},
    password::{
        policy::{Judged, Layer},
        rules::Rule,
        verdict::Verdict,
    },
    session::{Computer, Stage},
    sign_in::{self, Event as SignInEvent, State},
    time::Timestamp,
};

use super::{
    Fault, Identity, Services,
    accounts::{AdminError, Language, admin_error},
    client::{ClientFacts, Operator},
    passwords::{judging::Before, replacing::OwnPassword},
    secret::{InvitationToken, SessionToken, TypedPassword},
    sign_in::{NewSession, opening::Opening},
    trace,
};
use crate::{
    journal::event::{Actor, Event, SignInFailure},
    store::{
        Conflict, StoreError,
        accounts::{Account, AccountCommand, AccountStatus, PasswordHash},
        invitations::{Invitation, InvitationHash, InvitationIssue},
        sessions::EndCause,
    },
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
    #[cfg(test)]
    pub(crate) const fn as_duration(self) -> Duration {
        self.0
    }
}

/// An invitation that was just made: what the letter needs.
pub(crate) struct IssuedInvitation {
    /// The secret of the link; shown once.
    pub(crate) token: InvitationToken,
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

impl Invitee {
    /// The login as it has to be typed: it works from whichever host the person comes, and
    /// whichever tenant a bare login means there.
    pub(crate) fn full_login(&self) -> String {
        format!("{}/{}", self.tenant, self.login)
    }
}

/// What the link's page shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OpenInvitation {
    /// Of whom.
    pub(crate) invitee: Invitee,
    /// Until when the link is good.
    pub(crate) expires_at: Timestamp,
    /// What is asked of the password, each rule with whose it is.
    pub(crate) rules: Box<[(Rule, Layer)]>,
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
    pub(crate) replaces: Option<Arc<SessionToken>>,
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
        let now = self.0.clock.now();
        let Some((invitation, account)) = self.0.invited(token, now).await? else {
            return Ok(None);
        };
        Ok(Some(OpenInvitation {
            invitee: self.0.invitee(&account).await?,
            expires_at: invitation.expires_at,
            rules: self.0.rules_for(&account),
        }))
    }

    /// Sets the first password and spends the link; of any number of parallel uses one wins.
    pub(crate) async fn accept_invitation(
        &self,
        client: &ClientFacts,
        answer: InvitationAnswer,
    ) -> Result<InvitationOutcome, Fault> {
        let services = &self.0;
        let now = services.clock.now();
        let Some((_, account)) = services.invited(&answer.token, now).await? else {
            return services.dead(client, None, now).await;
        };
        let accepted = match services
            .judge(&account, &answer.password, Before::Nothing)
            .await?
        {
            Judged::Acceptable(accepted, _) => accepted,
            Judged::Refused(verdict) => return Ok(InvitationOutcome::NotAcceptable(verdict)),
        };
        let (_, effects) = sign_in::step(State::Anonymous, SignInEvent::InvitationAnswered, now);
        if effects.refusal().is_some() {
            return services.dead(client, Some(&account), now).await;
        }
        let hash = match services.hash(Some(client.source()), accepted).await? {
            Ok(hash) => hash,
            Err(retry_after_seconds) => {
                return Ok(InvitationOutcome::Busy {
                    retry_after_seconds,
                });
            }
        };
        services
            .first_password(client, &account, answer, hash)
            .await
    }

    /// Makes an invitation for an account; older ones of that account are dead from then on.
    pub(crate) async fn invite(
        &self,
        operator: Operator,
        account: AccountId,
        life: InvitationLife,
    ) -> Result<IssuedInvitation, AdminError> {
        let services = &self.0;
        let account = services.known_account(account).await?;
        let token = InvitationToken::draw(services.entropy.as_ref()).map_err(Fault::from)?;
        let now = services.clock.now();
        let expires_at = now.after(life.0);
        let event = Event::InvitationIssued { expires_at };
        let issue = InvitationIssue {
            hash: InvitationHash(token.digest()),
            invitation: Invitation {
                account: account.id,
                issued_at: now,
                expires_at,
            },
            journal: vec![trace::of_operator(operator, &account, event, now)],
        };
        services
            .stores
            .invitations
            .issue(issue)
            .await
            .map_err(admin_error)?;
        let invitee = services.invitee(&account).await?;
        Ok(IssuedInvitation {
            token,
            expires_at,
            invitee,
        })
    }
}

impl Services {
    /// The open invitation behind a link, and the account that may take it.
    async fn invited(
        &self,
        token: &InvitationToken,
        now: Timestamp,
    ) -> Result<Option<(Invitation, Account)>, Fault> {
        let found = self
            .stores
            .invitations
            .find(&InvitationHash(token.digest()))
            .await?;
        let Some(invitation) = found.filter(|invitation| now < invitation.expires_at) else {
            return Ok(None);
        };
        let account = self.stores.accounts.by_id(invitation.account).await?;
        let account = account.filter(|account| account.status == AccountStatus::Active);
        Ok(account.map(|account| (invitation, account)))
    }

    async fn dead(
        &self,
        client: &ClientFacts,
        account: Option<&Account>,
        now: Timestamp,
    ) -> Result<InvitationOutcome, Fault> {
        self.note_dead_link(client, account, SignInFailure::InvitationOver, now)
            .await?;
        Ok(InvitationOutcome::Dead)
    }

    async fn invitee(&self, account: &Account) -> Result<Invitee, Fault> {
        let tenant = self.stores.tenants.by_id(account.tenant).await?;
        let organisation = tenant.map_or_else(
            || account.tenant_name.to_string(),
            |tenant| tenant.display_name.as_ref().to_owned(),
        );
        Ok(Invitee {
            login: account.login.as_ref().to_owned(),
            tenant: account.tenant_name.clone(),
            organisation,
            name: account.profile.name.as_deref().map(str::to_owned),
            language: account.profile.language,
        })
    }

    async fn first_password(
        &self,
        client: &ClientFacts,
        account: &Account,
        answer: InvitationAnswer,
        hash: PasswordHash,
    ) -> Result<InvitationOutcome, Fault> {
        // The link may have expired while the password was hashed.
        let now = self.clock.now();
        let opening = Opening {
            account,
            epoch: AccountCommand::raised(account.epoch),
            stage: Stage::Full,
            computer: answer.computer,
            started_at: now,
            ends_at: now.after(self.settings.load().session_life),
        };
        let replaced = self.session_of(answer.replaces.as_deref()).await?;
        let (token, mut opens) = self.opening(client, &opening, now)?;
        opens.replaces = replaced.map(|session| (session, EndCause::Replaced));
        let session = NewSession {
            token,
            ends_at: opens.record.ends_at,
            computer: answer.computer,
            refused_attempts: 0,
        };
        let event = Event::PasswordChanged {
            by_invitation: true,
        };
        let mut line = trace::of_client(client, Actor::Account(account.id), account, event, now);
        line.session = Some(opens.record.id);
        let tenant = Some(&account.tenant_name);
        let own = OwnPassword {
            hash,
            opens,
            spends: Some(InvitationHash(answer.token.digest())),
            forgives: self
                .counters(tenant, &account.login, client.address)
                .into_keys(),
            now,
        };
        let command = own.command(account, vec![line]);
        match self.stores.accounts.change(command).await {
            Ok(changed) => {
                changed
                    .ended
                    .into_iter()
                    .chain(replaced)
                    .for_each(|id| self.ender.end_session(id));
                Ok(InvitationOutcome::Accepted(session))
            }
            Err(StoreError::Conflict(
                Conflict::AccountChanged | Conflict::Missing | Conflict::Spent,
            )) => self.dead(client, Some(account), now).await,
            Err(fault) => Err(fault.into()),
        }
    }
}
