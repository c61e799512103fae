//! Argon2id over a password and a pepper: made, verified, and always at the same cost.

mod stand_in;

use std::sync::Arc;

use arc_swap::ArcSwap;
use argon2::{
    Algorithm, Argon2, KeyId, Params, ParamsBuilder, PasswordHash as Phc, Version,
    password_hash::phc::{Ident, Output, ParamsString, Salt},
};
use octroi_policy::{password::opaque::OpaquePassword, throttle::Source};
use zeroize::Zeroizing;

pub(super) use self::stand_in::Lot;
use self::stand_in::Population;
use super::{
    Fault,
    hashing_pool::{Arena, HashingCapacity, HashingLoad, HashingPool, NotHashed},
};
use crate::{
    constant_time,
    keyring::{KeyVersion, Keyring},
    store::accounts::{HashCount, PasswordHash},
};

/// What a hash costs. Parameters may rise over the years; they never fall below the floor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HashCost {
    memory_kib: u32,
    passes: u32,
}

impl HashCost {
    /// OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes, 1 lane.
    pub(crate) const FLOOR: Self = Self {
        memory_kib: 19_456,
        passes: 2,
    };
    /// 1 GiB a thread is more than any sign-in should cost.
    pub(crate) const MEMORY_KIB_MAX: u32 = 1 << 20;
    /// More passes only make people wait.
    pub(crate) const PASSES_MAX: u32 = 16;

    /// This cost, if it is not below the floor and not beyond reason.
    pub(crate) fn new(memory_kib: u32, passes: u32) -> Option<Self> {
        let fits = (Self::FLOOR.memory_kib..=Self::MEMORY_KIB_MAX).contains(&memory_kib)
            && (Self::FLOOR.passes..=Self::PASSES_MAX).contains(&passes);
        fits.then_some(Self { memory_kib, passes })
    }

    /// A cost that makes tests quick, and is worth nothing.
    #[cfg(test)]
    pub(crate) const fn for_tests(memory_kib: u32) -> Self {
        Self {
            memory_kib,
            passes: 1,
        }
    }

    const fn kib_passes(self) -> u32 {
        self.memory_kib.saturating_mul(self.passes)
    }
}

/// A secret that is hashed with every password and kept outside of the store.
pub(crate) struct Pepper {
    /// Its name in the hashes that were made with it: the root key that it was derived from.
    pub(crate) version: KeyVersion,
    /// The secret.
    pub(crate) secret: Zeroizing<[u8; 32]>,
}

/// The peppers of this installation: one for new hashes, and those that older hashes name.
pub(crate) struct Peppers {
    /// For new hashes.
    pub(crate) current: Pepper,
    /// For hashes made earlier. One is dropped only when no hash names it.
    pub(crate) earlier: Vec<Pepper>,
}

impl Peppers {
    /// The peppers of a keyring: every version that it holds.
    pub(crate) fn of(keyring: &Keyring) -> Option<Self> {
        let pepper = |version| {
            let secret = keyring.pepper(version)?;
            Some(Pepper { version, secret })
        };
        let newest = keyring.newest_version();
        Some(Self {
            current: pepper(newest)?,
            earlier: (0..newest.0).map(KeyVersion).filter_map(pepper).collect(),
        })
    }

    fn named(&self, key_id: &[u8]) -> Option<&Pepper> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|pepper| pepper.version.0.to_be_bytes() == key_id)
    }
}

/// Hashes and verifies, on the threads of the pool.
pub(super) struct PasswordHasher {
    pub(super) pool: HashingPool,
    recipe: Arc<Recipe>,
}

/// What takes a hash's place where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct StandIn {
    /// Drawn anew each time.
    pub(super) salt: [u8; 16],
    /// What it costs, by the login.
    pub(super) lot: Lot,
}

/// What came of a verification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verified {
    /// It is the password. `outdated` where it should be hashed anew.
    Matches {
        /// Whether the hash was made under other parameters or another pepper than today's.
        outdated: bool,
    },
    /// It is not, or there is none.
    Differs,
}

/// Why there is neither hash nor verdict.
#[derive(Debug)]
pub(super) enum NoVerdict {
    /// Too many at once.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
    /// It cannot be done.
    Fault(Fault),
}

impl PasswordHasher {
    /// Starts the threads.
    pub(super) fn start(
        capacity: HashingCapacity,
        cost: HashCost,
        peppers: Peppers,
    ) -> std::io::Result<Self> {
        Ok(Self {
            pool: HashingPool::start(capacity)?,
            recipe: Arc::new(Recipe {
                cost,
                peppers,
                population: ArcSwap::default(),
            }),
        })
    }

    /// What the threads have done and have to do.
    pub(super) const fn load(&self) -> &Arc<HashingLoad> {
        self.pool.load()
    }

    /// Takes note of what hashes are kept, for those who have none.
    pub(super) fn take_note(&self, kept: &[HashCount]) {
        // What does not read is no hash of ours: whoever has it cannot sign in, and is told so.
        let counted = kept.iter().filter_map(|count| {
            let phc = Phc::new(&count.parameters).ok()?;
            Some((read_params(&phc).ok()?, count.accounts))
        });
        self.recipe
            .population
            .store(Arc::new(Population::of(counted)));
    }

    /// Hashes a password under today's parameters.
    pub(super) async fn hash(
        &self,
        source: Option<Source>,
        password: OpaquePassword,
        salt: [u8; 16],
    ) -> Result<PasswordHash, NoVerdict> {
        let recipe = Arc::clone(&self.recipe);
        self.on_pool(source, move |arena| recipe.hash(arena, &password, salt))
            .await
    }

    /// Verifies a password against a hash; costs as much without a password or a hash, whose place
    /// `stand_in` takes.
    pub(super) async fn verify(
        &self,
        source: Option<Source>,
        password: Option<Arc<OpaquePassword>>,
        stored: Option<PasswordHash>,
        stand_in: StandIn,
    ) -> Result<Verified, NoVerdict> {
        let recipe = Arc::clone(&self.recipe);
        self.on_pool(source, move |arena| {
            recipe.verify(arena, password.as_deref(), stored.as_ref(), stand_in)
        })
        .await
    }

    async fn on_pool<T, W>(&self, source: Option<Source>, work: W) -> Result<T, NoVerdict>
    where
        T: Send + 'static,
        W: FnOnce(&mut Arena) -> Result<T, Unhashable> + Send + 'static,
    {
        match self.pool.run(source, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(unhashable)) => Err(NoVerdict::Fault(Fault::Hash(unhashable))),
            Err(NotHashed::Busy) => Err(NoVerdict::Busy {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            }),
            Err(NotHashed::Failed) => Err(NoVerdict::Fault(Fault::Hashing)),
        }
    }
}

/// Why a hash in the store is of no use: damage, or another installation's keyring.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Unhashable {
    /// It cannot have been written by this program.
    #[error("a password hash in the store is damaged")]
    Damaged,
    /// Argon2 does not take it.
    #[error("Argon2 refused its parameters: {0}")]
    Refused(argon2::Error),
    /// It names a pepper that the keyring does not hold.
    #[error(
        "a password hash names a pepper that is not in the keyring; restore the keyring that it was made with"
    )]
    UnknownPepper,
}

impl From<argon2::Error> for Unhashable {
    fn from(error: argon2::Error) -> Self {
        Self::Refused(error)
    }
}

/// The queue holds about a second's work; by then there is room for most of those who were refused.
const RETRY_AFTER_SECONDS: u32 = 2;

/// 256 bits.
const OUTPUT_LEN: usize = 32;

struct Recipe {
    cost: HashCost,
    peppers: Peppers,
    population: ArcSwap<Population>,
}

impl Recipe {
    fn hash(
        &self,
        arena: &mut Arena,
        password: &OpaquePassword,
        salt: [u8; 16],
    ) -> Result<PasswordHash, Unhashable> {
        let params = self.current_params()?;
        let output = derive(
            arena,
            &self.peppers.current,
            &params,
            password.as_bytes(),
            &salt,
        )?;
        let phc = Phc {
            algorithm: Ident::new(Algorithm::Argon2id.as_str()).map_err(|_| Unhashable::Damaged)?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|_| Unhashable::Damaged)?,
            salt: Some(Salt::new(&salt).map_err(|_| Unhashable::Damaged)?),
            hash: Some(Output::new(output.as_slice()).map_err(|_| Unhashable::Damaged)?),
        };
        Ok(PasswordHash::from_phc(Zeroizing::new(phc.to_string())))
    }

    fn verify(
        &self,
        arena: &mut Arena,
        password: Option<&OpaquePassword>,
        stored: Option<&PasswordHash>,
        stand_in: StandIn,
    ) -> Result<Verified, Unhashable> {
        let current = self.current_params()?;
        let text = password.map_or(&b"-"[..], OpaquePassword::as_bytes);
        let Some(stored) = stored else {
            let population = self.population.load();
            let params = population.drawn(stand_in.lot).unwrap_or(&current);
            let pepper = &self.peppers.current;
            let unused = derive(arena, pepper, params, text, &stand_in.salt)?;
            std::hint::black_box(unused);
            self.pad(arena, params)?;
            return Ok(Verified::Differs);
        };
        let stored = Stored::read(stored)?;
        let pepper = self
            .peppers
            .named(stored.params.keyid())
            .ok_or(Unhashable::UnknownPepper)?;
        let output = derive(arena, pepper, &stored.params, text, &stored.salt)?;
        self.pad(arena, &stored.params)?;
        let equal = constant_time::are_equal(output.as_slice(), &stored.output);
        if equal && password.is_some() {
            let outdated = stored.params != current;
            Ok(Verified::Matches { outdated })
        } else {
            Ok(Verified::Differs)
        }
    }

    fn current_params(&self) -> Result<Params, Unhashable> {
        let mut builder = ParamsBuilder::new();
        builder
            .m_cost(self.cost.memory_kib)
            .t_cost(self.cost.passes)
            .p_cost(1)
            .output_len(OUTPUT_LEN)
            .keyid(KeyId::new(&self.peppers.current.version.0.to_be_bytes())?);
        Ok(builder.build()?)
    }

    /// Does what a hash of today would have cost more than the stored one, so that accounts whose
    /// hash is older answer no sooner (attack class C5).
    fn pad(&self, arena: &mut Arena, stored: &Params) -> Result<(), Unhashable> {
        let spent = stored.m_cost().saturating_mul(stored.t_cost());
        let missing = self.cost.kib_passes().saturating_sub(spent);
        let passes = missing.div_ceil(self.cost.memory_kib);
        let Some(memory_kib) = missing.checked_div(passes) else {
            return Ok(());
        };
        let params = Params::new(
            memory_kib.max(Params::MIN_M_COST),
            passes,
            1,
            Some(OUTPUT_LEN),
        )?;
        let unused = derive(arena, &self.peppers.current, &params, b"-", &[0; 16])?;
        std::hint::black_box(unused);
        Ok(())
    }
}

/// A hash as it was read from the store.
struct Stored {
    params: Params,
    salt: Vec<u8>,
    output: Zeroizing<Vec<u8>>,
}

impl Stored {
    fn read(stored: &PasswordHash) -> Result<Self, Unhashable> {
        let phc = Phc::new(stored.expose_phc()).map_err(|_| Unhashable::Damaged)?;
        let params = read_params(&phc)?;
        match (phc.salt, phc.hash) {
            (Some(salt), Some(output)) if output.len() == OUTPUT_LEN => Ok(Self {
                params,
                salt: salt.to_vec(),
                output: Zeroizing::new(output.as_bytes().to_vec()),
            }),
            _ => Err(Unhashable::Damaged),
        }
    }
}

/// The parameters of a hash of ours.
fn read_params(phc: &Phc) -> Result<Params, Unhashable> {
    let params = Params::try_from(phc).map_err(|_| Unhashable::Damaged)?;
    let ours = phc.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && phc.version == Some(Version::V0x13.into())
        && params.p_cost() == 1
        && params.m_cost() <= HashCost::MEMORY_KIB_MAX
        && params.t_cost() <= HashCost::PASSES_MAX;
    ours.then_some(params).ok_or(Unhashable::Damaged)
}

fn derive(
    arena: &mut Arena,
    pepper: &Pepper,
    params: &Params,
    password: &[u8],
    salt: &[u8],
) -> Result<Zeroizing<[u8; OUTPUT_LEN]>, Unhashable> {
    let argon2 = Argon2::new_with_secret(
        pepper.secret.as_slice(),
        Algorithm::Argon2id,
        Version::V0x13,
        params.clone(),
    )?;
    let mut output = Zeroizing::new([0; OUTPUT_LEN]);
    let blocks = arena.blocks(params.block_count(), params.t_cost());
    argon2.hash_password_into_with_memory(password, salt, output.as_mut_slice(), blocks)?;
    Ok(output)
}

#[cfg(test)]
mod tests;
