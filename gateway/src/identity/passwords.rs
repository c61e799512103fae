//! Changing a password: under the same throttle as signing in, ending every other session.

pub(super) mod judging;
pub(super) mod replacing;

pub(crate) use self::judging::{facts_of_a_new_one, year_of};

use octroi_policy::{
    id::AccountId,
    password::{
        opaque::OpaquePassword,
        policy::{Judged, Layer},
        rules::Rule,
        verdict::Verdict,
    },
    sign_in::{self, ChangeReason, NextStep, State},
    time::Timestamp,
};

use self::{judging::Before, replacing::Replacement};
use super::{
    Fault, Identity,
    client::ClientFacts,
    password_hash::{NoVerdict, Verified},
    secret::TypedPassword,
    sessions::{PendingSession, SignedIn},
    sign_in::{Looked, LookedAt, NewSession},
};
use crate::{
    journal::event::SignInFailure,
    store::{Conflict, StoreError},
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
    SessionEnded,
}

impl Identity {
    /// The rules that a new password of an account must meet, each with whose it is, for the page that asks for it.
    pub(crate) async fn password_rules(
        &self,
        account: AccountId,
    ) -> Result<Box<[(Rule, Layer)]>, Fault> {
        let found = self.0.stores.accounts.by_id(account).await?;
        let found = found.ok_or(StoreError::Conflict(Conflict::Missing))?;
        Ok(self.0.rules_for(&found))
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
        let Ok(account) = services.still_there(signed_in.live(), now).await? else {
            return Ok(PasswordChange::SessionEnded);
        };
        let typed = OpaquePassword::from_typed(current.expose()).ok();
        let before = Before::Typed(typed.as_ref());
        let accepted = match services.judge(&account, &new, before).await? {
            Judged::Acceptable(accepted, _) => accepted,
            Judged::Refused(verdict) => return Ok(PasswordChange::NotAcceptable(verdict)),
        };
        let tenant = Some(&account.tenant_name);
        let counters = services.counters(tenant, &account.login, client.address);
        let lot = services.lot(tenant, &account.login);
        let turn = services.own_turn(counters).await;
        let now = services.clock.now();
        let typed = &account.login;
        let looked_at = LookedAt {
            client,
            account: Some(&account),
            typed,
            now,
        };
        let looked = services.look_at(&looked_at, &current, turn, lot);
        let granted = match looked.await? {
            Looked::Verdict(Verified::Matches { .. }, granted) => granted,
            Looked::Verdict(Verified::Differs, _) => {
                services
                    .note_failure(&looked_at, SignInFailure::WrongCurrentPassword)
                    .await?;
                return Ok(PasswordChange::WrongCurrent);
            }
            Looked::TooManyAttempts { retry_at } => {
                return Ok(PasswordChange::TooManyAttempts { retry_at });
            }
            Looked::Busy {
                retry_after_seconds,
            } => {
                return Ok(PasswordChange::Busy {
                    retry_after_seconds,
                });
            }
        };
        let replacement = Replacement {
            client,
            account: &account,
            record: &signed_in.live().session.record,
            forgives: granted.forgives(),
            now,
        };
        let outcome = services.replace(replacement, accepted).await?;
        if matches!(outcome, PasswordChange::Busy { .. }) {
            services.give_back(&granted).await?;
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
        let Ok(account) = services.still_there(pending.live(), now).await? else {
            return Ok(PasswordChange::SessionEnded);
        };
        let record = &pending.live().session.record;
        let next = NextStep::ChoosePassword(ChangeReason::Provisional);
        let state = State::Pending {
            next,
            ends_at: record.ends_at,
        };
        let verdict = services
            .judge(&account, &new, Before::Hashed)
            .await?
            .into_verdict();
        if verdict.reasons().next().is_some() {
            return Ok(PasswordChange::NotAcceptable(verdict));
        }
        let (_, effects) = sign_in::step(state, sign_in::Event::PasswordChosen, now);
        if effects.refusal().is_some() {
            return Ok(PasswordChange::SessionEnded);
        }
        let is_same = match services.is_current(client, &account, &new).await {
            Ok(is_same) => is_same,
            Err(NoVerdict::Busy {
                retry_after_seconds,
            }) => {
                return Ok(PasswordChange::Busy {
                    retry_after_seconds,
                });
            }
            Err(NoVerdict::Fault(fault)) => return Err(fault),
        };
        let before = Before::Asked { is_same };
        let accepted = match services.judge(&account, &new, before).await? {
            Judged::Acceptable(accepted, _) => accepted,
            Judged::Refused(verdict) => return Ok(PasswordChange::NotAcceptable(verdict)),
        };
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
