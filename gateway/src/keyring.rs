//! Versioned root keys outside the data directory, and the keys derived from them for each purpose.
//!
//! Whoever holds the data directory without the keyring can read no personal data, verify no
//! password and forge no journal line; whoever loses the keyring loses all of it.

mod file;
pub(crate) mod sealing;

use std::path::Path;

use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

pub(crate) use self::file::KeyringError;
use self::sealing::{SealingKey, Unsealable};
use crate::entropy::{Entropy, EntropyUnavailable, random};

/// The root keys. Without `Debug`; wiped when dropped.
pub(crate) struct Keyring {
    /// Oldest first; never empty.
    roots: Vec<Root>,
}

/// What a key is for. A key of one purpose opens nothing that another sealed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Purpose {
    /// The secret that goes into each password hash besides the password.
    Pepper,
    /// Cookies that carry state through the browser.
    SealedCookie,
    /// Anti-forgery tokens and other proofs that octroi itself made a value.
    Forgery,
    /// The journal's chain, and the hashes of identifiers that name no account.
    Journal,
    /// Records in the store, and the keys of accounts.
    StoreRecord,
    /// Private keys that sign assertions.
    Assertion,
    /// The index by which a login is found.
    LoginIndex,
    /// The names of throttle counters.
    Throttle,
    /// The check value that ties a store to its keyring.
    StoreCheck,
}

impl Purpose {
    /// What the derivation is told. Never change one: what it sealed could not be opened again.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Pepper => b"octroi 1 pepper",
            Self::SealedCookie => b"octroi 1 sealed cookie",
            Self::Forgery => b"octroi 1 forgery",
            Self::Journal => b"octroi 1 journal",
            Self::StoreRecord => b"octroi 1 store record",
            Self::Assertion => b"octroi 1 assertion",
            Self::LoginIndex => b"octroi 1 login index",
            Self::Throttle => b"octroi 1 throttle",
            Self::StoreCheck => b"octroi 1 store check",
        }
    }
}

/// Which root key. Written into what is sealed, and into password hashes as the pepper's `keyid`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct KeyVersion(pub(crate) u16);

impl Keyring {
    /// Makes a keyring with one root key and writes it to a new file that its owner alone may
    /// read. A file that exists is never touched.
    pub(crate) fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyringError> {
        let secret = Zeroizing::new(random(entropy)?);
        file::create(path, &[(KeyVersion(1), secret.clone())])?;
        Ok(Self {
            roots: vec![Root::new(KeyVersion(1), &secret)],
        })
    }

    /// Reads a keyring; a file that others may read is refused.
    pub(crate) fn load(path: &Path) -> Result<Self, KeyringError> {
        let secrets = file::load(path)?;
        Ok(Self {
            roots: secrets
                .iter()
                .map(|(version, secret)| Root::new(*version, secret))
                .collect(),
        })
    }

    /// A keyring that is written nowhere, for stores that are not either.
    #[cfg(test)]
    pub(crate) fn ephemeral(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        let secret = Zeroizing::new(random(entropy)?);
        Ok(Self {
            roots: vec![Root::new(KeyVersion(1), &secret)],
        })
    }

    /// Encrypts with the newest root. `context` says what the value is and where it belongs
    /// (`b"enter-cookie:" + id`): it opens under the same context alone.
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EntropyUnavailable> {
        let root = self.newest();
        let mut sealed = root.version.0.to_be_bytes().to_vec();
        let bound = bound_context(root.version, context);
        sealed.extend(root.key(purpose).seal(&bound, plaintext, entropy)?);
        Ok(sealed)
    }

    /// Decrypts what [`Keyring::seal`] made for the same purpose and context.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (version, sealed) = sealed.split_first_chunk::<2>().ok_or(Unsealable)?;
        let root = self
            .root(KeyVersion(u16::from_be_bytes(*version)))
            .ok_or(Unsealable)?;
        root.key(purpose)
            .open(&bound_context(root.version, context), sealed)
    }

    /// A keyed hash of `parts`, each with its length, so that no two lists of parts are alike.
    ///
    /// Under the oldest root: what is looked up by such a hash is found after a new root was
    /// added. The oldest root is therefore never removed from a keyring.
    pub(crate) fn keyed_hash(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        self.oldest().key(purpose).keyed_hash(parts)
    }

    /// Whether `hash` is the keyed hash of `parts`, in constant time.
    pub(crate) fn is_keyed_hash(&self, purpose: Purpose, parts: &[&[u8]], hash: &[u8]) -> bool {
        let expected = self.keyed_hash(purpose, parts);
        crate::constant_time::are_equal(&expected, hash)
    }

    /// The version under which new passwords are hashed.
    pub(crate) fn newest_version(&self) -> KeyVersion {
        self.newest().version
    }

    /// The pepper of this version, while the keyring holds it.
    pub(crate) fn pepper(&self, version: KeyVersion) -> Option<Zeroizing<[u8; 32]>> {
        let root = self.root(version)?;
        Some(Zeroizing::new(*root.key(Purpose::Pepper).expose()))
    }

    fn root(&self, version: KeyVersion) -> Option<&Root> {
        self.roots.iter().find(|root| root.version == version)
    }

    #[expect(
        clippy::expect_used,
        reason = "each constructor puts in one root at least, and none is ever taken out"
    )]
    fn newest(&self) -> &Root {
        self.roots.last().expect("a keyring holds a root key")
    }

    #[expect(
        clippy::expect_used,
        reason = "each constructor puts in one root at least, and none is ever taken out"
    )]
    fn oldest(&self) -> &Root {
        self.roots.first().expect("a keyring holds a root key")
    }
}

struct Root {
    version: KeyVersion,
    secret: hkdf::Prk,
}

impl Root {
    fn new(version: KeyVersion, secret: &[u8; 32]) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"octroi keyring 1");
        Self {
            version,
            secret: salt.extract(secret),
        }
    }

    fn key(&self, purpose: Purpose) -> SealingKey {
        SealingKey::derived(&self.secret, purpose.label())
    }
}

/// The version is in the header in the clear: it is bound, too.
fn bound_context(version: KeyVersion, context: &[u8]) -> Vec<u8> {
    [&version.0.to_be_bytes(), context].concat()
}

/// HMAC-SHA-256 over parts, each preceded by its length in 8 bytes.
pub(crate) fn hmac_of_parts(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
        context.update(&len.to_be_bytes());
        context.update(part);
    }
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    hash
}

#[cfg(test)]
mod tests;
