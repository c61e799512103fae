//! Where a person may be sent after signing in: to a host of ours, and nowhere else.

#[cfg(test)]
mod tests;

use std::fmt;

use http::uri::PathAndQuery;

use crate::{host::Host, path, request::Malformed};

/// A place on one of our own hosts, in canonical form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnTo {
    host: Host,
    target: PathAndQuery,
}

impl ReturnTo {
    /// The longest URL that is kept, in bytes: it has to fit in a cookie with its seal (RFC 6265,
    /// section 6.1, lets browsers drop cookies over 4,096 bytes).
    pub const BYTES_MAX: usize = 2048;

    /// The place that a person asked for, on the host that they asked: whatever the text is, it
    /// leads to no other host (attack class B1).
    ///
    /// # Errors
    ///
    /// When the target is not in origin form, too long, or has two readings.
    pub fn on(host: Host, target: &str) -> Result<Self, Malformed> {
        if target.len() > Self::BYTES_MAX {
            return Err(Malformed::TargetTooLong);
        }
        let target = path::canonical_target(target.as_bytes(), None)?;
        Ok(Self { host, target })
    }

    /// The host, which is one of ours.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Path and query.
    pub const fn target(&self) -> &PathAndQuery {
        &self.target
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.host, self.target)
    }
}
