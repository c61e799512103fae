//! Changing a password: under the same throttle as signing in, ending every other session.

use std::sync::Arc;

use octroi_policy::{
    password::{
        opaque::OpaquePassword,
        rules::{AcceptedPassword, Judged, OwnData},
        verdict::{Finding, Reason, Rule, Verdict},
    },
    session::{Rejection, SessionRecord, Stage, judge_stage},
    sign_in::{self, ChangeReason, NextStep, State},
    time::Timestamp,
};
use subtle::ConstantTimeEq;

use super::{
    Fault, Identity, IdentitySettings, Services,
    client::ClientFacts,
    password_hash::{NoVerdict, Verified},
    secret::TypedPassword,
    sessions::{PendingSession, SignedIn},
    sign_in::{Looked, LookedAt, NewSession, Opening},
    throttle::Attempt,
    trace,
};
use crate::{
    entropy,
    journal::event::{Actor, Draft, Event, SignInFailure},
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

/// What came of a change of password.
pub(crate) enum PasswordChange {
    /// Changed; all other sessions are ended, and this one has a new token.
    Changed(NewSession),
    /// The new password breaks rules: all of them are named.
    NotAcceptable(Verdict),
    /// The current password is not right.
    WrongCurrent,
    /// Too many failures for this account and source.
    TooManyAttempts {
        /// When the next attempt is looked at.
        retry_at: Timestamp,
    },
    /// More passwords than can be hashed at present.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
    /// The session ended while the page was open.
    SessionEnded(Rejection),
}

impl Identity {
    /// The rules that a new password must meet, for the page that asks for it.
    pub(crate) fn password_rules(&self) -> Box<[Rule]> {
        self.0.rules.rules().into()
    }

    /// What the rules say of a password that the signed-in person is typing; nothing is kept.
    pub(crate) async fn judge_password(
        &self,
        signed_in: &SignedIn,
        new: &TypedPassword,
    ) -> Result<Verdict, Fault> {
        let account = self.0.stores.accounts.by_id(signed_in.account()).await?;
        let account = account.ok_or(StoreError::Conflict(Conflict::Missing))?;
        Ok(self.0.judge(&account, new).await?.into_verdict())
    }

    /// Changes the password of a signed-in person who knows the current one.
    pub(crate) async fn change_password(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
        current: TypedPassword,
        new: TypedPassword,
    ) -> Result<PasswordChange, Fault> {
        let services = &self.0;
        let now = services.clock.now();
        let account = match services.still_there(signed_in.live(), now).await? {
            Ok(account) => account,
            Err(rejection) => return Ok(PasswordChange::SessionEnded(rejection)),
        };
        let accepted = match services.judge(&account, &new).await? {
            Judged::Acceptable(accepted, verdict) if same(&current, &new) => {
                drop(accepted);
                return Ok(PasswordChange::NotAcceptable(unchanged(&verdict)));
            }
            Judged::Acceptable(accepted, _) => accepted,
            Judged::Refused(verdict) => return Ok(PasswordChange::NotAcceptable(verdict)),
        };
        let tenant = Some(&account.tenant_name);
        let counters = services.counters(tenant, &account.login, client.address);
        let typed = &account.login;
        let looked_at = LookedAt {
            client,
            account: Some(&account),
            typed,
            now,
        };
        let granted = match services.reserve(&counters, now).await? {
            Attempt::Granted(granted) => granted,
            Attempt::Refused { retry_at } => {
                services
                    .note_failure(&looked_at, SignInFailure::Throttled)
                    .await?;
                return Ok(PasswordChange::TooManyAttempts { retry_at });
            }
        };
        match services.verify(&looked_at, &current, &counters).await? {
            Looked::Verdict(Verified::Matches { .. }) => {}
            Looked::Verdict(Verified::Differs) => {
                services
                    .note_failure(&looked_at, SignInFailure::WrongPassword)
                    .await?;
                return Ok(PasswordChange::WrongCurrent);
            }
            Looked::Busy {
                retry_after_seconds,
            } => {
                return Ok(PasswordChange::Busy {
                    retry_after_seconds,
                });
            }
        }
        let replacement = Replacement {
            client,
            account: &account,
            record: &signed_in.live().session.record,
            forgives: granted.forgives,
            now,
        };
        let outcome = services.replace(replacement, accepted).await?;
        if matches!(outcome, PasswordChange::Busy { .. }) {
            services.give_back(&counters).await?;
        }
        Ok(outcome)
    }

    /// Replaces a provisional password: the pending session is the proof that it was known, at
    /// most 15 minutes ago. Never answers [`PasswordChange::WrongCurrent`].
    pub(crate) async fn choose_password(
        &self,
        client: &ClientFacts,
        pending: &PendingSession,
        new: TypedPassword,
    ) -> Result<PasswordChange, Fault> {
        let services = &self.0;
        let now = services.clock.now();
        let account = match services.still_there(pending.live(), now).await? {
            Ok(account) => account,
            Err(rejection) => return Ok(PasswordChange::SessionEnded(rejection)),
        };
        let record = &pending.live().session.record;
        let next = NextStep::ChoosePassword(ChangeReason::Provisional);
        let state = State::Pending {
            next,
            ends_at: record.ends_at,
        };
        let (accepted, verdict) = match services.judge(&account, &new).await? {
            Judged::Acceptable(accepted, verdict) => (accepted, verdict),
            Judged::Refused(verdict) => return Ok(PasswordChange::NotAcceptable(verdict)),
        };
        let (_, effects) = sign_in::step(state, sign_in::Event::PasswordChosen, now);
        if effects.refusal().is_some() {
            return Ok(PasswordChange::SessionEnded(Rejection::Expired));
        }
        match services.is_current(&account, &new).await {
            Ok(false) => {}
            Ok(true) => return Ok(PasswordChange::NotAcceptable(unchanged(&verdict))),
            Err(NoVerdict::Busy {
                retry_after_seconds,
            }) => {
                return Ok(PasswordChange::Busy {
                    retry_after_seconds,
                });
            }
            Err(NoVerdict::Fault(fault)) => return Err(fault),
        }
        let forgives = Vec::new();
        let replacement = Replacement {
            client,
            account: &account,
            record,
            forgives,
            now,
        };
        services.replace(replacement, accepted).await
    }
}

/// What a change of password rests on, once it is granted.
struct Replacement<'a> {
    client: &'a ClientFacts,
    account: &'a Account,
    record: &'a SessionRecord,
    forgives: Vec<ThrottleKey>,
    now: Timestamp,
}

/// A person's own password, hashed, and what it leads to.
pub(super) struct OwnPassword {
    pub(super) hash: PasswordHash,
    pub(super) opens: SessionOpening,
    pub(super) spends: Option<InvitationHash>,
    pub(super) forgives: Vec<ThrottleKey>,
    pub(super) now: Timestamp,
}

impl Services {
    /// Judges a new password of this account by the rules, in the form in which it is hashed.
    pub(super) async fn judge(
        &self,
        account: &Account,
        new: &TypedPassword,
    ) -> Result<Judged, Fault> {
        let tenant = self.stores.tenants.by_id(account.tenant).await?;
        let organisation = tenant.as_ref().map_or("", |tenant| &tenant.display_name);
        let settings = self.settings.load();
        let hosts = [host_of(&settings)];
        let own = OwnData {
            login: &account.login,
            name: account.profile.name.as_deref(),
            email: account.profile.email.as_deref(),
            tenant: &[account.tenant_name.as_str(), organisation],
            product: &["octroi"],
            hosts: &hosts,
        };
        Ok(self.rules.judge(new.expose(), &own))
    }

    /// Hashes an accepted password; `Err` holds the seconds to wait where there is no room.
    pub(super) async fn hash(
        &self,
        accepted: AcceptedPassword,
    ) -> Result<Result<PasswordHash, u32>, Fault> {
        let salt = entropy::random(self.entropy.as_ref())?;
        match self.hasher.hash(accepted.into_opaque(), salt).await {
            Ok(hash) => Ok(Ok(hash)),
            Err(NoVerdict::Busy {
                retry_after_seconds,
            }) => Ok(Err(retry_after_seconds)),
            Err(NoVerdict::Fault(fault)) => Err(fault),
        }
    }

    /// The command that makes a password the person's own and goes on with one session.
    pub(super) fn own_password(
        &self,
        account: &Account,
        own: OwnPassword,
        journal: Vec<Draft>,
    ) -> AccountCommand {
        AccountCommand {
            account: account.id,
            expected_epoch: account.epoch,
            change: AccountChange::Password(Password {
                hash: own.hash,
                set_at: own.now,
                origin: PasswordOrigin::Own,
            }),
            ends_with: EndCause::PasswordChanged,
            spends: own.spends,
            opens: Some(own.opens),
            forgives: own.forgives,
            at: own.now,
            journal,
        }
    }

    /// The account behind a session, if the session lives still and rests on the account as it is.
    async fn still_there(
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
    async fn is_current(&self, account: &Account, new: &TypedPassword) -> Result<bool, NoVerdict> {
        let salt = entropy::random(self.entropy.as_ref())
            .map_err(|error| NoVerdict::Fault(error.into()))?;
        let password = OpaquePassword::from_typed(new.expose()).ok().map(Arc::new);
        let stored = account
            .password
            .as_ref()
            .map(|password| password.hash.clone());
        let verified = self.hasher.verify(password, stored, salt).await?;
        Ok(matches!(verified, Verified::Matches { .. }))
    }

    async fn replace(
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
        let hash = match self.hash(accepted).await? {
            Ok(hash) => hash,
            Err(retry_after_seconds) => {
                return Ok(PasswordChange::Busy {
                    retry_after_seconds,
                });
            }
        };
        // The absolute life counts from the sign-in, of which a forced change is a part.
        let life = self.settings.load().session_life;
        let ends_at = match record.stage {
            Stage::Full => record.ends_at,
            _ => record.started_at.after(life),
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
        match self
            .stores
            .accounts
            .change(self.own_password(account, own, vec![line]))
            .await
        {
            Ok(changed) => {
                changed
                    .ended
                    .iter()
                    .for_each(|id| self.ender.end_session(*id));
                Ok(PasswordChange::Changed(session))
            }
            Err(StoreError::Conflict(Conflict::AccountChanged | Conflict::Missing)) => {
                Ok(PasswordChange::SessionEnded(Rejection::AccountChanged))
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

/// Whether the new password is the current one, in the form in which both are hashed.
fn same(current: &TypedPassword, new: &TypedPassword) -> bool {
    let form = |typed: &TypedPassword| OpaquePassword::from_typed(typed.expose()).ok();
    match (form(current), form(new)) {
        (Some(current), Some(new)) => bool::from(current.as_bytes().ct_eq(new.as_bytes())),
        _ => false,
    }
}

/// The verdict on a password that meets every rule and is the one that is to be replaced.
fn unchanged(verdict: &Verdict) -> Verdict {
    let same = Finding {
        rule: Rule::NotCurrent,
        failed: Some(Reason::Current),
    };
    Verdict::new(
        verdict
            .findings()
            .iter()
            .copied()
            .chain([same])
            .collect::<Box<[_]>>(),
    )
}

fn host_of(settings: &IdentitySettings) -> &str {
    settings.portal.as_str()
}
