//! What the admin API answers when it does not do what it was asked for.

use std::fmt;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use octroi_policy::password::{
    rules::Class,
    verdict::{OwnDatum, Reason, Verdict},
};
use serde::{Deserialize, Serialize};

use crate::{
    identity::{
        Fault,
        accounts::{AdminError, AdminRefusal},
    },
    store::StoreError,
};

/// Why nothing was done, with the status that tells refusals (422) from faults (503).
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    why: String,
}

/// The body of such an answer.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Refused {
    /// Why, and how to mend it.
    pub(crate) error: String,
}

impl Refusal {
    /// The wish is not granted.
    pub(crate) fn refused(why: impl fmt::Display) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            why: why.to_string(),
        }
    }

    /// It cannot be carried out at present.
    pub(crate) fn unavailable(why: impl fmt::Display) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            why: why.to_string(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(Refused { error: self.why })).into_response()
    }
}

impl From<AdminError> for Refusal {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Fault(fault) => fault.into(),
            AdminError::Refused(AdminRefusal::Password(verdict)) => {
                Self::refused(password_reasons(&verdict))
            }
            AdminError::Refused(refusal @ AdminRefusal::Busy { .. }) => Self::unavailable(refusal),
            AdminError::Refused(refusal) => Self::refused(refusal),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let mut why = fault.to_string();
        let mut cause = std::error::Error::source(&fault);
        while let Some(deeper) = cause {
            why = format!("{why}: {deeper}");
            cause = deeper.source();
        }
        Self::unavailable(why)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(conflict) => Self::refused(conflict),
            fault @ (StoreError::Unavailable(_) | StoreError::Full | StoreError::Corrupt(_)) => {
                Self::unavailable(fault)
            }
        }
    }
}

/// All reasons why a password cannot be set, in the operator's words.
fn password_reasons(verdict: &Verdict) -> String {
    let reasons: Vec<String> = verdict.reasons().map(reason_in_words).collect();
    format!("the password cannot be used: {}", reasons.join("; "))
}

/// Why a rule is not met, in the operator's words.
pub(crate) fn reason_in_words(reason: Reason) -> String {
    match reason {
        Reason::Empty => "it is empty".to_owned(),
        Reason::TooShort { missing, minimum } => {
            format!("it is {missing} characters short of {minimum}")
        }
        Reason::TooLong { maximum } => format!("it is longer than {maximum} characters"),
        Reason::Unreadable => "it holds a control character or one that is unassigned".to_owned(),
        Reason::Common => "it is one of those that everybody tries first".to_owned(),
        Reason::OwnData(datum) => format!("it holds {}", own_datum(datum)),
        Reason::TooUniform { bits, minimum_bits } => {
            format!("it holds too few different characters ({bits} of {minimum_bits} bits)")
        }
        Reason::FewClasses { found, minimum, .. } => {
            format!("it holds characters of {found} kinds, and {minimum} are needed")
        }
        Reason::FewOfClass { missing, .. } => {
            let missing = missing.each().filter(|(_, count)| *count > 0);
            let missing =
                missing.map(|(class, count)| format!("{count} more {}", class_name(class)));
            format!("it needs {}", missing.collect::<Vec<_>>().join(", "))
        }
        Reason::FewDistinct { found, minimum } => {
            format!("it holds {found} different characters, and {minimum} are needed")
        }
        Reason::Repeats { maximum } => {
            format!("a character stands more than {maximum} times in a row")
        }
        Reason::Runs { maximum } => format!(
            "it runs along a keyboard, the alphabet or the digits for more than {maximum} characters"
        ),
        Reason::Guessable { found, minimum } => {
            format!("it is guessed within {found} guesses, and {minimum} are needed")
        }
        Reason::Listed => "it stands on the organisation's own list".to_owned(),
        Reason::Breached => "it was breached somewhere".to_owned(),
        Reason::BreachUnknown => "nobody can say at present whether it was breached".to_owned(),
        Reason::Current => "it is the current one".to_owned(),
        Reason::Similar => "it is too near to the current one".to_owned(),
        Reason::Reused { last } => format!("it is one of the last {last} of the account"),
        _ => "it breaks a rule".to_owned(),
    }
}

/// A kind of characters, in the operator's words.
pub(crate) const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Lower => "small letters",
        Class::Upper => "capitals",
        Class::Digit => "digits",
        Class::Sign => "signs",
    }
}

const fn own_datum(datum: OwnDatum) -> &'static str {
    match datum {
        OwnDatum::Email => "the e-mail address",
        OwnDatum::Host => "the name of a host here",
        OwnDatum::Login => "the login",
        OwnDatum::Name => "the person's name",
        OwnDatum::Product => "the product's name",
        OwnDatum::Tenant => "the organisation's name",
        OwnDatum::Year => "this year or one beside it",
    }
}
