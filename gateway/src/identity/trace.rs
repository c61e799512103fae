//! Lines for the journal: who did what, from where, to whom.

use octroi_policy::{id::SessionId, sign_in::Refusal, throttle::Source, time::Timestamp};

use super::{
    client::{ClientFacts, Operator},
    sessions::SignedIn,
};
use crate::{
    journal::event::{Actor, Draft, Event, Personal, SignInFailure},
    store::{
        accounts::{Account, NewAccount},
        sessions::SessionOrigin,
    },
};

impl From<Operator> for Actor {
    fn from(operator: Operator) -> Self {
        match operator {
            Operator::Os(uid) => Self::Operator { uid },
            Operator::System => Self::System,
        }
    }
}

impl ClientFacts {
    /// Where a session is opened from.
    pub(super) fn origin(&self) -> SessionOrigin {
        SessionOrigin {
            address: Some(self.address),
            browser: self.user_agent.as_deref().map(Into::into),
        }
    }

    /// Whose attempts count together.
    pub(super) fn source(&self) -> Source {
        Source::of(self.address)
    }

    /// What identifies the sender.
    fn personal(&self) -> Personal {
        Personal {
            address: Some(self.address),
            browser: self.user_agent.as_deref().map(Into::into),
            ..Personal::default()
        }
    }
}

/// A line about an account, on behalf of whoever is at the other end.
pub(super) fn of_client(
    client: &ClientFacts,
    actor: Actor,
    account: &Account,
    event: Event,
    at: Timestamp,
) -> Draft {
    Draft {
        request: Some(client.request),
        personal: Personal {
            login: Some(account.login.clone()),
            ..client.personal()
        },
        ..about(Draft::new(at, actor, event), account)
    }
}

/// A line about an account, on an operator's behalf.
pub(super) fn of_operator(
    operator: Operator,
    account: &Account,
    event: Event,
    at: Timestamp,
) -> Draft {
    let draft = about(Draft::new(at, operator.into(), event), account);
    Draft {
        personal: Personal {
            login: Some(account.login.clone()),
            ..Personal::default()
        },
        ..draft
    }
}

/// The first line about an account.
pub(super) fn of_new_account(
    operator: Operator,
    account: &NewAccount,
    event: Event,
    at: Timestamp,
) -> Draft {
    Draft {
        tenant: Some(account.tenant),
        account: Some(account.id),
        personal: Personal {
            login: Some(account.login.clone()),
            name: account.profile.name.clone(),
            email: account.profile.email.clone(),
            ..Personal::default()
        },
        ..Draft::new(at, operator.into(), event)
    }
}

/// A line about what a signed-in person did with a session of theirs.
pub(super) fn of_signed_in(
    client: &ClientFacts,
    signed_in: &SignedIn,
    session: SessionId,
    event: Event,
    at: Timestamp,
) -> Draft {
    let record = signed_in.record();
    Draft {
        tenant: Some(record.tenant_id),
        account: Some(record.account),
        session: Some(session),
        request: Some(client.request),
        personal: client.personal(),
        ..Draft::new(at, Actor::Account(record.account), event)
    }
}

/// A line about a failed attempt: on an account, or with an identifier that names none.
pub(super) fn of_failure(
    client: &ClientFacts,
    account: Option<&Account>,
    typed: &str,
    reason: SignInFailure,
    at: Timestamp,
) -> Draft {
    let event = Event::SignInFailed { reason };
    match account {
        Some(account) => of_client(client, Actor::Anonymous, account, event, at),
        None => Draft {
            request: Some(client.request),
            personal: Personal {
                unknown_identifier: Some(typed.into()),
                ..client.personal()
            },
            ..Draft::new(at, Actor::Anonymous, event)
        },
    }
}

/// A line about a link or a ticket that led nowhere.
pub(super) fn of_dead_link(
    client: &ClientFacts,
    account: Option<&Account>,
    reason: SignInFailure,
    at: Timestamp,
) -> Draft {
    let event = Event::SignInFailed { reason };
    match account {
        Some(account) => of_client(client, Actor::Anonymous, account, event, at),
        None => Draft {
            request: Some(client.request),
            personal: client.personal(),
            ..Draft::new(at, Actor::Anonymous, event)
        },
    }
}

/// The journal's word for a refusal of the state machine.
pub(super) const fn failure_word(refusal: Refusal, has_password: bool) -> SignInFailure {
    match refusal {
        Refusal::UnknownAccount => SignInFailure::UnknownLogin,
        Refusal::Locked => SignInFailure::Locked,
        Refusal::WrongPassword if !has_password => SignInFailure::NoPassword,
        Refusal::WrongPassword | Refusal::OutOfOrder => SignInFailure::WrongPassword,
        Refusal::ProvisionalExpired | Refusal::ProvisionalSpent | Refusal::TooLate => {
            SignInFailure::ProvisionalOver
        }
    }
}

fn about(draft: Draft, account: &Account) -> Draft {
    Draft {
        tenant: Some(account.tenant),
        account: Some(account.id),
        ..draft
    }
}
