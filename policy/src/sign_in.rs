//! A sign-in as a state machine: pages and API feed it events, it says what to do.
//!
//! Every step goes forward through one event alone; any other event, repeated, late or out of
//! order, leaves the state as it is and has the one effect of being refused (attack class B5). A
//! further step of a sign-in (a second factor, a charter) is a variant of [`NextStep`] with the
//! event that passes it.

use std::time::Duration;

use crate::{assurance::Assurance, time::Timestamp};

/// Where a sign-in stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// Nothing is proved.
    Anonymous,
    /// The first factor is proved, which is good for the next step and for nothing else.
    Pending {
        /// What has to be done.
        next: NextStep,
        /// When the sign-in has to begin anew.
        ends_at: Timestamp,
    },
    /// Signed in.
    SignedIn {
        /// How strongly.
        assurance: Assurance,
    },
}

/// What stands between the first factor and being signed in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NextStep {
    /// A password of the person's own has to be chosen.
    ChoosePassword(ChangeReason),
}

/// Why a password has to be changed before anything else.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ChangeReason {
    /// Somebody else chose it (promise B4).
    Provisional,
}

/// What happened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Event {
    /// A login and a password were sent and looked at.
    PasswordPresented(FirstFactor),
    /// A password that meets the rules was chosen.
    PasswordChosen,
    /// An invitation that is open was answered with a password that meets the rules.
    InvitationAnswered,
    /// A form came without what it is for, or for another step.
    SomethingElse,
}

/// What was found when a password was looked at.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FirstFactor {
    /// Whether there is such an account, and whether it may sign in.
    pub account: AccountStanding,
    /// Whether the password is the account's.
    pub password_matches: bool,
    /// Who chose it.
    pub origin: PasswordOrigin,
}

/// Whether an account may sign in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AccountStanding {
    /// There is none of this login.
    Unknown,
    /// It may.
    Active,
    /// It was locked.
    Locked,
}

/// Who chose a password.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PasswordOrigin {
    /// The person.
    Own,
    /// Somebody else.
    Provisional {
        /// Until when it opens anything.
        expires_at: Timestamp,
        /// Whether it has done so already.
        spent: bool,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Effect {
    /// Open a session that is good for the next step alone.
    OpenPending {
        /// When it ends.
        ends_at: Timestamp,
    },
    /// Spend the provisional password: of any number of parallel uses one goes on.
    SpendProvisional,
    /// Open a full session, and end the pending one that led here.
    OpenFull {
        /// What its token proves.
        assurance: Assurance,
    },
    /// Answer that nothing was accepted. The reason is for the journal; nobody else is told.
    Refuse(Refusal),
}

/// Why nothing was accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Refusal {
    /// There is no such account.
    UnknownAccount,
    /// The account is locked.
    Locked,
    /// The password is not the account's.
    WrongPassword,
    /// The provisional password is past its end.
    ProvisionalExpired,
    /// The provisional password was used.
    ProvisionalSpent,
    /// The event does not belong to this state.
    OutOfOrder,
    /// The pending sign-in took too long.
    TooLate,
}

/// How long a sign-in may wait for its next step.
pub const PENDING_LIFE: Duration = Duration::from_mins(15);

/// How long a provisional password can be used (promise B4).
pub const PROVISIONAL_LIFE: Duration = Duration::from_hours(24);

/// The state after `event`, and what is to be done, in this order.
pub fn step(state: State, event: Event, now: Timestamp) -> (State, Effects) {
    match (state, event) {
        (State::Anonymous, Event::PasswordPresented(found)) => first_factor(found, now),
        (State::Anonymous, Event::InvitationAnswered) => signed_in(),
        (
            State::Pending {
                next: NextStep::ChoosePassword(_),
                ends_at,
            },
            Event::PasswordChosen,
        ) => {
            if now < ends_at {
                signed_in()
            } else {
                (
                    State::Anonymous,
                    Effects::one(Effect::Refuse(Refusal::TooLate)),
                )
            }
        }
        (
            state,
            Event::PasswordPresented(_)
            | Event::PasswordChosen
            | Event::InvitationAnswered
            | Event::SomethingElse,
        ) => (state, Effects::one(Effect::Refuse(Refusal::OutOfOrder))),
    }
}

/// At most two effects, without an allocation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Effects {
    first: Effect,
    second: Option<Effect>,
}

impl Effects {
    const fn one(effect: Effect) -> Self {
        Self {
            first: effect,
            second: None,
        }
    }

    /// The effects in the order in which they take place.
    pub fn iter(self) -> impl Iterator<Item = Effect> {
        std::iter::once(self.first).chain(self.second)
    }

    /// Why the event was refused, if it was.
    pub fn refusal(self) -> Option<Refusal> {
        match self.first {
            Effect::Refuse(refusal) => Some(refusal),
            Effect::OpenPending { .. } | Effect::SpendProvisional | Effect::OpenFull { .. } => None,
        }
    }
}

const fn signed_in() -> (State, Effects) {
    let assurance = Assurance::Password;
    (
        State::SignedIn { assurance },
        Effects::one(Effect::OpenFull { assurance }),
    )
}

fn first_factor(found: FirstFactor, now: Timestamp) -> (State, Effects) {
    match refusal_of(found, now) {
        Some(refusal) => (State::Anonymous, Effects::one(Effect::Refuse(refusal))),
        None if found.origin == PasswordOrigin::Own => signed_in(),
        None => {
            let ends_at = now.after(PENDING_LIFE);
            let next = NextStep::ChoosePassword(ChangeReason::Provisional);
            let effects = Effects {
                first: Effect::SpendProvisional,
                second: Some(Effect::OpenPending { ends_at }),
            };
            (State::Pending { next, ends_at }, effects)
        }
    }
}

/// The reason that the journal keeps: a locked account is one whatever was typed, so that guesses
/// at it do not show whether they were right.
fn refusal_of(found: FirstFactor, now: Timestamp) -> Option<Refusal> {
    match (found.account, found.origin) {
        (AccountStanding::Unknown, _) => Some(Refusal::UnknownAccount),
        (AccountStanding::Locked, _) => Some(Refusal::Locked),
        (AccountStanding::Active, _) if !found.password_matches => Some(Refusal::WrongPassword),
        (AccountStanding::Active, PasswordOrigin::Own) => None,
        (AccountStanding::Active, PasswordOrigin::Provisional { spent: true, .. }) => {
            Some(Refusal::ProvisionalSpent)
        }
        (
            AccountStanding::Active,
            PasswordOrigin::Provisional {
                expires_at,
                spent: false,
            },
        ) => (now >= expires_at).then_some(Refusal::ProvisionalExpired),
    }
}

#[cfg(test)]
mod tests;
