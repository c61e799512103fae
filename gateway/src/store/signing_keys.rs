//! Keys that sign the identity assertion, sealed under the keyring.

use octroi_policy::time::Timestamp;
use zeroize::Zeroizing;

use super::StoreError;
use crate::journal::Draft;

/// Signing keys: usually two, the one that signs and the one before it, or the one after. No more
/// than [`SIGNING_KEYS_MAX`], whatever the clock did.
#[async_trait::async_trait]
pub(crate) trait SigningKeyStore: Send + Sync + 'static {
    /// All keys, oldest first.
    async fn list(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// Adds a key. [`super::Conflict::Duplicate`] when there is one of this id;
    /// [`super::Conflict::LimitReached`] above [`SIGNING_KEYS_MAX`].
    async fn insert(&self, key: SigningKey, journal: Vec<Draft>) -> Result<(), StoreError>;

    /// Removes a key for good; `false` when there was none.
    async fn remove(&self, key_id: &str, journal: Vec<Draft>) -> Result<bool, StoreError>;
}

/// The most keys at a time.
pub(crate) const SIGNING_KEYS_MAX: usize = 8;

/// A private key and its times. Without `Debug`.
#[derive(Clone)]
pub(crate) struct SigningKey {
    /// The `kid` (RFC 7638 thumbprint), at most 64 bytes.
    pub(crate) key_id: String,
    /// PKCS#8 (DER) of the P-256 private key.
    pub(crate) pkcs8: Zeroizing<Vec<u8>>,
    /// When it was made; published from then on.
    pub(crate) created_at: Timestamp,
    /// From when on it signs.
    pub(crate) signs_from: Timestamp,
}
