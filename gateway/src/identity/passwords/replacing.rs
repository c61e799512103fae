//! From a password that may be taken to one that is the person's own.

use std::sync::Arc;

use octroi_policy::{
    id::{Role, TenantId, TenantName},
    password::{
        opaque::OpaquePassword,
        policy::{AcceptedPassword, Judged, Layer},
        rules::{OwnData, Rule},
    },
    session::{Rejection, SessionRecord, Stage, judge_stage},
    throttle::Source,
    time::Timestamp,
};

use super::{
    PasswordChange,
    judging::{Before, facts, year_of},
};
use crate::{
    entropy,
    identity::{
        Fault, Services,
        client::ClientFacts,
        password_hash::{NoVerdict, StandIn, Verified},
        secret::TypedPassword,
        sign_in::{NewSession, opening::Opening},
        trace,
    },
    journal::event::{Actor, Draft, Event},
    store::{
        Conflict, StoreError,
        accounts::{
            Account, AccountChange, AccountCommand, AccountStatus, Password, PasswordHash,
            PasswordOrigin,
        },
        invitations::InvitationHash,
        live::LiveToken,
        sessions::{EndCause, SessionOpening},
        throttle::ThrottleKey,
    },
};

/// What a change of password rests on, once it is granted.
pub(super) struct Replacement<'a> {
    pub(super) client: &'a ClientFacts,
    pub(super) account: &'a Account,
    pub(super) record: &'a SessionRecord,
    pub(super) forgives: Vec<ThrottleKey>,
    pub(super) now: Timestamp,
}

/// A person's own password, hashed, and what it leads to.
pub(in crate::identity) struct OwnPassword {
    pub(in crate::identity) hash: PasswordHash,
    pub(in crate::identity) opens: SessionOpening,
    pub(in crate::identity) spends: Option<InvitationHash>,
    pub(in crate::identity) forgives: Vec<ThrottleKey>,
    pub(in crate::identity) now: Timestamp,
}

impl OwnPassword {
    /// The command that makes it so and goes on with one session.
    pub(in crate::identity) fn command(
        self,
        account: &Account,
        journal: Vec<Draft>,
    ) -> AccountCommand {
        AccountCommand {
            account: account.id,
            expected_epoch: account.epoch,
            change: AccountChange::Password(Password {
                hash: self.hash,
                set_at: self.now,
                origin: PasswordOrigin::Own,
            }),
            ends_with: EndCause::PasswordChanged,
            spends: self.spends,
            opens: Some(self.opens),
            forgives: self.forgives,
            at: self.now,
            journal,
        }
    }
}

/// Whose password is judged: an account, or one that is about to be made.
#[derive(Clone, Copy)]
pub(in crate::identity) struct Owner<'a> {
    pub(in crate::identity) tenant: TenantId,
    pub(in crate::identity) tenant_name: &'a TenantName,
    pub(in crate::identity) login: &'a str,
    pub(in crate::identity) name: Option<&'a str>,
    pub(in crate::identity) email: Option<&'a str>,
    pub(in crate::identity) roles: &'a [Role],
}

impl<'a> From<&'a Account> for Owner<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            tenant: account.tenant,
            tenant_name: &account.tenant_name,
            login: &account.login,
            name: account.profile.name.as_deref(),
            email: account.profile.email.as_deref(),
            roles: &account.roles,
        }
    }
}

impl Services {
    /// Judges a new password by what the policies of its owner ask, in the form in which it is hashed.
    pub(in crate::identity) async fn judge(
        &self,
        owner: impl Into<Owner<'_>>,
        new: &TypedPassword,
        before: Before<'_>,
    ) -> Result<Judged, Fault> {
        let owner = owner.into();
        let tenant = self.stores.tenants.by_id(owner.tenant).await?;
        let organisation = tenant.as_ref().map_or("", |tenant| &tenant.display_name);
        let settings = self.settings.load();
        let hosts = [settings.portal.as_str()];
        let own = OwnData {
            login: owner.login,
            name: owner.name,
            email: owner.email,
            tenant: &[owner.tenant_name.as_str(), organisation],
            product: &["octroi"],
            hosts: &hosts,
            year: year_of(self.clock.now()),
        };
        let asked = settings.passwords.asked_of(owner.roles, owner.tenant_name);
        let opaque = OpaquePassword::from_typed(new.expose()).ok();
        let facts = facts(opaque.as_ref(), own, before);
        Ok(asked.judge(new.expose(), facts))
    }

    /// The rules about an account's password, each with whose it is.
    pub(in crate::identity) fn rules_for(&self, account: &Account) -> Box<[(Rule, Layer)]> {
        let asked = self
            .settings
            .load()
            .passwords
            .asked_of(&account.roles, &account.tenant_name);
        asked.rules().into()
    }

    /// Hashes an accepted password; `Err` holds the seconds to wait where there is no room.
    pub(in crate::identity) async fn hash(
        &self,
        source: Option<Source>,
        accepted: AcceptedPassword,
    ) -> Result<Result<PasswordHash, u32>, Fault> {
        let salt = entropy::random(self.entropy.as_ref())?;
        match self.hasher.hash(source, accepted.into_opaque(), salt).await {
            Ok(hash) => Ok(Ok(hash)),
            Err(NoVerdict::Busy {
                retry_after_seconds,
            }) => Ok(Err(retry_after_seconds)),
            Err(NoVerdict::Fault(fault)) => Err(fault),
        }
    }

    /// The account behind a session, if the session lives still and rests on the account as it is.
    pub(super) async fn still_there(
        &self,
        live: &LiveToken,
        now: Timestamp,
    ) -> Result<Result<Account, Rejection>, Fault> {
        let record = &live.session.record;
        let standing = live.session.standing();
        if let Err(rejection) = judge_stage(record, &live.facts, standing, &live.facts.host, now) {
            return Ok(Err(rejection));
        }
        let account = self.stores.accounts.by_id(record.account).await?;
        let unchanged = |account: &Account| {
            account.epoch == record.epoch && account.status == AccountStatus::Active
        };
        Ok(account.filter(unchanged).ok_or(Rejection::AccountChanged))
    }

    /// Whether the new password is the one that the account has.
    pub(super) async fn is_current(
        &self,
        client: &ClientFacts,
        account: &Account,
        new: &TypedPassword,
    ) -> Result<bool, NoVerdict> {
        let salt = entropy::random(self.entropy.as_ref())
            .map_err(|error| NoVerdict::Fault(error.into()))?;
        let password = OpaquePassword::from_typed(new.expose()).ok().map(Arc::new);
        let stored = account
            .password
            .as_ref()
            .map(|password| password.hash.clone());
        let source = Some(client.source());
        let lot = self.lot(Some(&account.tenant_name), &account.login);
        let stand_in = StandIn { salt, lot };
        let verified = self.hasher.verify(source, password, stored, stand_in);
        let verified = verified.await?;
        Ok(matches!(verified, Verified::Matches { .. }))
    }

    pub(super) async fn replace(
        &self,
        replacement: Replacement<'_>,
        accepted: AcceptedPassword,
    ) -> Result<PasswordChange, Fault> {
        let Replacement {
            client,
            account,
            record,
            forgives,
            now,
        } = replacement;
        let hash = match self.hash(Some(client.source()), accepted).await? {
            Ok(hash) => hash,
            Err(retry_after_seconds) => {
                return Ok(PasswordChange::Busy {
                    retry_after_seconds,
                });
            }
        };
        // The absolute life counts from the sign-in, of which a forced change is a part.
        let life = self.settings.load().session_life;
        let ends_at = if record.stage == Stage::Full {
            record.ends_at
        } else {
            record.started_at.after(life)
        };
        let opening = Opening {
            account,
            epoch: AccountCommand::raised(account.epoch),
            stage: Stage::Full,
            computer: record.computer,
            started_at: now,
            ends_at,
        };
        let (token, opens) = self.opening(client, &opening, now)?;
        let session = NewSession {
            token,
            ends_at: opens.record.ends_at,
            computer: record.computer,
            refused_attempts: 0,
        };
        let event = Event::PasswordChanged {
            by_invitation: false,
        };
        let mut line = trace::of_client(client, Actor::Account(account.id), account, event, now);
        line.session = Some(opens.record.id);
        let own = OwnPassword {
            hash,
            opens,
            spends: None,
            forgives,
            now,
        };
        let command = own.command(account, vec![line]);
        match self.stores.accounts.change(command).await {
            Ok(changed) => {
                for ended in changed.ended {
                    self.ender.end_session(ended);
                }
                Ok(PasswordChange::Changed(session))
            }
            Err(StoreError::Conflict(Conflict::AccountChanged | Conflict::Missing)) => {
                Ok(PasswordChange::SessionEnded)
            }
            Err(fault) => Err(fault.into()),
        }
    }
}
