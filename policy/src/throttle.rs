//! How long an account makes one source wait after failures: arithmetic on counters, no state.
//!
//! CNIL, deliberation 2022-100, case 2: more than a minute after five failures, growing, and no
//! more than 25 attempts in 24 hours. What is counted is a pair of account and source, so that
//! guesses from elsewhere do not lock the owner out (attack class C3); and a pair of account and
//! [`Net`], since one party can hold many sources.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::time::Timestamp;

/// Failures of one account from one source within the last [`WINDOW`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the first of them was.
    pub first_at: Timestamp,
    /// When the last of them was.
    pub last_at: Timestamp,
}

/// Failures are counted over this time, from the first of them on.
pub const WINDOW: Duration = Duration::from_hours(24);

/// Attempts in [`WINDOW`] that are looked at; one more is refused, right or wrong.
pub const ATTEMPTS_MAX: u32 = 25;

/// Failures that cost no wait: people mistype.
pub const FREE_FAILURES: u32 = 4;

/// The wait after the first failure that costs one: above the CNIL's minute.
pub const FIRST_WAIT: Duration = Duration::from_secs(64);

/// The longest wait between two attempts (NIST SP 800-63B-4, section 3.2.2: "up to an hour").
pub const WAIT_MAX: Duration = Duration::from_hours(1);

impl Failures {
    /// From when on the next attempt is looked at; `None` if at once.
    pub fn retry_at(self, now: Timestamp) -> Option<Timestamp> {
        let window_ends_at = self.first_at.after(WINDOW);
        if self.count == 0 || now >= window_ends_at {
            return None;
        }
        let retry_at = if self.count >= ATTEMPTS_MAX {
            window_ends_at
        } else {
            self.last_at.after(wait_after(self.count))
        };
        (retry_at > now).then_some(retry_at)
    }

    /// The failures of a whole [`Net`], as they count for each of its sources: a net is granted as
    /// much as [`SOURCES_OF_A_NET`] of them.
    #[must_use]
    pub const fn of_net(self) -> Self {
        Self {
            count: self.count / SOURCES_OF_A_NET,
            ..self
        }
    }
}

/// The wait after so many failures: doubles from [`FIRST_WAIT`] to [`WAIT_MAX`].
pub fn wait_after(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(FREE_FAILURES + 1) else {
        return Duration::ZERO;
    };
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    FIRST_WAIT.saturating_mul(factor).min(WAIT_MAX)
}

/// The part of an address that one source owns: the whole of an IPv4 address, the /64 of an IPv6
/// one (a subscriber has at least that).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Source(IpAddr);

impl Source {
    /// The source behind an address. An IPv4 address written as IPv6 is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            v4 @ IpAddr::V4(_) => v4,
            IpAddr::V6(v6) => {
                let prefix = u128::from(v6) & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from(prefix))
            }
        })
    }

    /// The net that it is a part of; `None` where it counts by itself alone.
    pub fn net(self) -> Option<Net> {
        Net::of(self.0)
    }

    /// Its bytes, for a keyed hash.
    pub fn to_bytes(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        }
    }
}

/// What one party may hold many sources of: the /48 of an IPv6 address, which homes and tunnels are
/// given as a whole. An IPv4 address is scarce, and nothing wider than it is one party's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Net(Ipv6Addr);

impl Net {
    /// The net around an address; `None` where it counts by itself alone.
    pub fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => {
                let prefix = u128::from(v6) & (u128::MAX << 80);
                Some(Self(Ipv6Addr::from(prefix)))
            }
        }
    }

    /// Its bytes, for a keyed hash.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.octets()
    }
}

/// A net is granted as much as so many sources: a network for phones gives each a /64 out of one /48,
/// and its people are not one party.
pub const SOURCES_OF_A_NET: u32 = 16;

#[cfg(test)]
mod tests;
