//! Failed attempts on one account: counted before they are made, forgiven when they succeed.
//!
//! Whoever tries a password of an account draws on the same counters, on whatever way in: sign-in,
//! API, change of password (attack class C2).

use std::net::IpAddr;

use octroi_policy::{
    id::TenantName,
    throttle::{Failures, Source},
    time::Timestamp,
};

use super::{Fault, Services, password_hash::Lot};
use crate::{
    journal::FailureSource,
    keyring::Purpose,
    store::throttle::{Reservation, Reserved, ThrottleCounter, ThrottleKey},
};

/// The counters of one account and one source.
pub(super) struct Counters {
    keys: [ThrottleKey; 2],
}

impl Counters {
    /// The keys, to be cleared by a command.
    pub(super) fn into_keys(self) -> Vec<ThrottleKey> {
        self.keys.to_vec()
    }
}

/// An attempt that may be made, and is counted as failed until it is forgiven or given back.
pub(super) struct Granted(Reservation);

impl Granted {
    /// The counters, to be cleared by the command that the attempt leads to.
    pub(super) fn forgives(&self) -> Vec<ThrottleKey> {
        self.0.keys.to_vec()
    }

    /// Failures on the account from anywhere since the last success, this one not among them.
    pub(super) const fn refused_attempts(&self) -> u32 {
        let [_, of_account] = self.0.before;
        of_account.failures
    }
}

/// Whether an attempt may be made.
pub(super) enum Attempt {
    /// It may.
    Granted(Granted),
    /// It must wait.
    Refused {
        /// Until then.
        retry_at: Timestamp,
    },
}

impl Services {
    /// The counters for a login, whether or not there is such an account: one form of it, so that
    /// all ways to type it share them (attack class C1).
    pub(super) fn counters(
        &self,
        tenant: Option<&TenantName>,
        login: &str,
        address: IpAddr,
    ) -> Counters {
        let tenant = tenant.map_or("", TenantName::as_str);
        let source = Source::of(address).to_bytes();
        Counters {
            keys: [
                ThrottleKey(self.keyed(
                    b"account and source",
                    &[tenant.as_bytes(), login.as_bytes(), &source],
                )),
                ThrottleKey(self.keyed(b"account", &[tenant.as_bytes(), login.as_bytes()])),
            ],
        }
    }

    /// What a look at this login costs where it has no hash: the same for all ways to type it.
    pub(super) fn lot(&self, tenant: Option<&TenantName>, login: &str) -> Lot {
        let tenant = tenant.map_or("", TenantName::as_str);
        let drawn = u128::from_be_bytes(self.keyed(b"lot", &[tenant.as_bytes(), login.as_bytes()]));
        Lot(u64::try_from(drawn >> u64::BITS).unwrap_or(0))
    }

    /// The source of a failure, as the journal groups them.
    pub(super) fn failure_source(&self, address: IpAddr) -> FailureSource {
        FailureSource(self.keyed(b"source", &[&Source::of(address).to_bytes()]))
    }

    /// Asks for an attempt, and counts it.
    pub(super) async fn reserve(
        &self,
        counters: &Counters,
        now: Timestamp,
    ) -> Result<Attempt, Fault> {
        let judge = |[of_source, _]: &[ThrottleCounter; 2]| {
            let failures = Failures {
                count: of_source.failures,
                first_at: of_source.first_failed_at,
                last_at: of_source.last_failed_at,
            };
            failures.retry_at(now).map(|retry_at| retry_at.since(now))
        };
        let reserved = self
            .stores
            .throttle
            .reserve(counters.keys, now, &judge)
            .await?;
        Ok(match reserved {
            Reserved::Granted(reservation) => Attempt::Granted(Granted(reservation)),
            Reserved::Refused { retry_after } => Attempt::Refused {
                retry_at: now.after(retry_after),
            },
        })
    }

    /// Takes the count of an attempt back that could not be made.
    pub(super) async fn give_back(&self, granted: &Granted) -> Result<(), Fault> {
        Ok(self.stores.throttle.give_back(&granted.0).await?)
    }

    /// The first half of a keyed hash over a purpose and parts.
    fn keyed(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 16] {
        let parts: Vec<&[u8]> = std::iter::once(purpose)
            .chain(parts.iter().copied())
            .collect();
        let hash = self.keyring.keyed_hash(Purpose::Throttle, &parts);
        let mut half = [0; 16];
        for (byte, from) in half.iter_mut().zip(hash) {
            *byte = from;
        }
        half
    }
}
