//! Changing a password: under the same throttle as signing in, ending every other session.

pub(super) mod replacing;

use octroi_policy::{
    password::{
        opaque::OpaquePassword,
        rules::Judged,
        verdict::{Finding, Reason, Rule, Verdict},
    },
    sign_in::{self, ChangeReason, NextStep, State},
    time::Timestamp,
};

use self::replacing::Replacement;
use super::{
    Fault, Identity,
    client::ClientFacts,
    password_hash::{NoVerdict, Verified},
    secret::TypedPassword,
    sessions::{PendingSession, SignedIn},
    sign_in::{Looked, LookedAt, NewSession},
};
use crate::{constant_time, journal::event::SignInFailure};

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
    /// The rules that a new password must meet, for the page that asks for it.
    pub(crate) fn password_rules(&self) -> Box<[Rule]> {
        self.0.rules.rules().into()
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
        let accepted = match services.judge(&account, &new).await? {
            Judged::Acceptable(_, verdict) if same(&current, &new) => {
                return Ok(PasswordChange::NotAcceptable(unchanged(&verdict)));
            }
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
        let (accepted, verdict) = match services.judge(&account, &new).await? {
            Judged::Acceptable(accepted, verdict) => (accepted, verdict),
            Judged::Refused(verdict) => return Ok(PasswordChange::NotAcceptable(verdict)),
        };
        let (_, effects) = sign_in::step(state, sign_in::Event::PasswordChosen, now);
        if effects.refusal().is_some() {
            return Ok(PasswordChange::SessionEnded);
        }
        match services.is_current(client, &account, &new).await {
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

/// Whether the new password is the current one, in the form in which both are hashed.
fn same(current: &TypedPassword, new: &TypedPassword) -> bool {
    let form = |typed: &TypedPassword| OpaquePassword::from_typed(typed.expose()).ok();
    match (form(current), form(new)) {
        (Some(current), Some(new)) => constant_time::are_equal(current.as_bytes(), new.as_bytes()),
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
