//! Whose cost a look at no hash bears: that of some account's, by lot (attack class C5).
//!
//! An older hash is verified under the parameters that it was made with, and padded to today's work. The same work
//! in smaller pieces takes a little less time, so that many tries tell such an account from one whose hash is of
//! today. A login without a hash therefore draws among the accounts that have one, by a secret of the installation
//! and always with the same outcome: of logins that no account has, as many seem older as of those that accounts have.

use argon2::Params;

/// How many accounts have a hash of which parameters.
#[derive(Default)]
pub(super) struct Population(Vec<Share>);

struct Share {
    params: Params,
    accounts: u64,
}

/// Where a login without a hash stands among those that have one: evenly spread over all logins, and secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::identity) struct Lot(pub(in crate::identity) u64);

impl Population {
    /// The cheapest first, so that a login that draws another lot's cost, since people signed in and their hashes
    /// were made anew, draws a higher one: as theirs did.
    pub(super) fn of(counted: impl IntoIterator<Item = (Params, u64)>) -> Self {
        let shares = counted
            .into_iter()
            .map(|(params, accounts)| Share { params, accounts });
        let mut shares: Vec<Share> = shares.collect();
        shares.sort_by_key(|Share { params, .. }| {
            let work = u64::from(params.m_cost()).saturating_mul(params.t_cost().into());
            (work, params.m_cost())
        });
        Self(shares)
    }

    /// The parameters of the account on which the lot falls; `None` where no account has a hash.
    pub(super) fn drawn(&self, lot: Lot) -> Option<&Params> {
        let accounts = |share: &Share| u128::from(share.accounts);
        let total: u128 = self.0.iter().map(accounts).sum();
        // The lot as a share of all lots, of so many accounts.
        let mut place = (u128::from(lot.0) * total) >> u64::BITS;
        let drawn = self.0.iter().find(|share| {
            let is_here = place < accounts(share);
            place = place.saturating_sub(accounts(share));
            is_here
        });
        drawn.map(|share| &share.params)
    }
}
