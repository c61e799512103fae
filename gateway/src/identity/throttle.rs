//! Failed attempts on one account: counted before they are made, forgiven when they succeed.
//!
//! Whoever tries a password of an account draws on the same counters, on whatever way in: sign-in,
//! API, change of password (attack class C2).

use std::{net::IpAddr, sync::Arc, time::Duration};

use octroi_policy::{
    id::TenantName,
    throttle::{Failures, Net, Source},
    time::Timestamp,
};
use tokio::time::timeout;

use super::{
    Fault, Services,
    password_hash::Lot,
    turns::{Turn, Turns},
};
use crate::{
    journal::FailureSource,
    keyring::Purpose,
    store::throttle::{PerCounter, Reservation, Reserved, ThrottleCounter, ThrottleKey},
};

/// The counters of one account, one source, and the net around it.
pub(super) struct Counters {
    keys: PerCounter<ThrottleKey>,
}

impl Counters {
    /// The keys, to be cleared by a command.
    pub(super) fn into_keys(self) -> Vec<ThrottleKey> {
        self.keys.into_each().collect()
    }

    /// What attempts of this source at this account take turns by.
    pub(super) const fn of_source(&self) -> ThrottleKey {
        self.keys.source
    }
}

/// Attempts of one source at one account take turns. An attempt under way counts as a failure: the
/// right ones would otherwise shut each other out, and with a turn each they still see what the one
/// before came to.
pub(super) struct OneAtATime(pub(super) Arc<Turns<ThrottleKey>>);

impl OneAtATime {
    /// Nobody waits.
    pub(super) fn new() -> Self {
        Self(Turns::new(1, WAITING_MAX))
    }
}

/// The turn of an attempt: until it is dropped no other one of the same source at the same account
/// is looked at.
pub(super) struct OwnTurn {
    counters: Counters,
    /// None where too many wait, or it took too long.
    turn: Option<Turn<ThrottleKey>>,
}

/// An attempt that may be made, and is counted as failed until it is forgiven or given back.
pub(super) struct Granted {
    reservation: Reservation,
    _turn: Turn<ThrottleKey>,
}

impl Granted {
    /// The counters, to be cleared by the command that the attempt leads to.
    pub(super) fn forgives(&self) -> Vec<ThrottleKey> {
        self.reservation.keys.into_each().collect()
    }

    /// Failures on the account from anywhere since the last success, this one not among them.
    pub(super) const fn refused_attempts(&self) -> u32 {
        self.reservation.before.account.failures
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
    /// Its turn did not come: others of the same source at the same account are looked at first.
    Crowded {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
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
        let account = [tenant.as_bytes(), login.as_bytes()];
        let [tenant, login] = account;
        let source = Source::of(address).to_bytes();
        let net = Net::of(address).map(Net::to_bytes);
        let key = |purpose, parts: &[&[u8]]| ThrottleKey(self.keyed(purpose, parts));
        Counters {
            keys: PerCounter {
                source: key(b"account and source", &[tenant, login, &source]),
                account: key(b"account", &account),
                net: net.map(|net| key(b"account and net", &[tenant, login, &net])),
            },
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

    /// Waits for the turn of an attempt.
    pub(super) async fn own_turn(&self, counters: Counters) -> OwnTurn {
        let turn = self.one_at_a_time.0.take(counters.of_source());
        let turn = timeout(PATIENCE, turn).await.ok().flatten();
        OwnTurn { counters, turn }
    }

    /// Asks for an attempt whose turn it is, and counts it.
    pub(super) async fn reserve(&self, turn: OwnTurn, now: Timestamp) -> Result<Attempt, Fault> {
        let OwnTurn { counters, turn } = turn;
        let Some(turn) = turn else {
            return Ok(Attempt::Crowded {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            });
        };
        let judge = |counters: &PerCounter<ThrottleCounter>| {
            let of_source = failures(counters.source).retry_at(now);
            let of_net = counters
                .net
                .and_then(|net| failures(net).of_net().retry_at(now));
            let retry_at = of_source.max(of_net);
            retry_at.map(|retry_at| retry_at.since(now))
        };
        let reserved = self
            .stores
            .throttle
            .reserve(counters.keys, now, &judge)
            .await?;
        Ok(match reserved {
            Reserved::Granted(reservation) => Attempt::Granted(Granted {
                reservation,
                _turn: turn,
            }),
            Reserved::Refused { retry_after } => Attempt::Refused {
                retry_at: now.after(retry_after),
            },
        })
    }

    /// Takes the count of an attempt back that could not be made.
    pub(super) async fn give_back(&self, granted: &Granted) -> Result<(), Fault> {
        Ok(self.stores.throttle.give_back(&granted.reservation).await?)
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

const fn failures(counter: ThrottleCounter) -> Failures {
    Failures {
        count: counter.failures,
        first_at: counter.first_failed_at,
        last_at: counter.last_failed_at,
    }
}

/// Attempts of one source at one account that may wait for their turn: the jobs of a service account
/// that begin on the hour.
const WAITING_MAX: usize = 64;

/// How long an attempt waits for its turn: people do not wait longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// By then some of those who wait have had their turn.
const RETRY_AFTER_SECONDS: u32 = 2;
