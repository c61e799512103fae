//! The admin API, on a Unix socket that only the owner and root may open.

pub(crate) mod client;
pub(crate) mod http;
pub(crate) mod management;
pub(crate) mod socket;

use serde::{Deserialize, Serialize};

/// Who asks: a user of the operating system, vouched for by the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Operator {
    /// The user's number; the journal's actor is `os:<uid>`.
    pub(crate) uid: u32,
}

/// What the API answers when it refuses.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Refused {
    /// Why, and how to mend it.
    pub(crate) error: String,
}
