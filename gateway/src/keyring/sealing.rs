//! Authenticated encryption of small values under one key.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
};
use zeroize::Zeroizing;

use super::hmac_of_parts;
use crate::entropy::{Entropy, EntropyUnavailable, random};

/// A 256-bit key. Without `Debug`, `Display` or `PartialEq`; wiped when dropped.
#[derive(Clone)]
pub(crate) struct SealingKey(Zeroizing<[u8; 32]>);

/// The value was not sealed under this key for this context, or was altered since.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not sealed under this key for this purpose, or altered since")]
pub(crate) struct Unsealable;

impl SealingKey {
    /// A new key.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        Ok(Self(Zeroizing::new(random(entropy)?)))
    }

    /// The key that a store kept, sealed itself.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes)
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The key that follows from `root` for `label`.
    pub(super) fn derived(root: &hkdf::Prk, label: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        expand(root, label, bytes.as_mut());
        Self(bytes)
    }

    /// The key itself, to be sealed under another or given to the password hash.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts `plaintext`, bound to `context`.
    ///
    /// Each value has a key and nonce of its own, derived with 16 random bytes, so that the number
    /// of values is not bounded by the chance that two 96-bit nonces meet (NIST SP 800-38D,
    /// section 8.3).
    pub(crate) fn seal(
        &self,
        context: &[u8],
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EntropyUnavailable> {
        let salt: [u8; SALT_LEN] = random(entropy)?;
        let mut sealed = Vec::with_capacity(OVERHEAD + plaintext.len());
        sealed.extend_from_slice(plaintext);
        let (key, nonce) = self.once(&salt);
        encrypt(&key, nonce, context, &mut sealed);
        sealed.splice(..0, [FORMAT].into_iter().chain(salt));
        Ok(sealed)
    }

    /// Decrypts what [`SealingKey::seal`] made under the same key and context.
    pub(crate) fn open(
        &self,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        #[cfg(test)]
        counting::note();
        let (&format, rest) = sealed.split_first().ok_or(Unsealable)?;
        let (salt, ciphertext) = rest.split_first_chunk().ok_or(Unsealable)?;
        if format != FORMAT {
            return Err(Unsealable);
        }
        let (key, nonce) = self.once(salt);
        let mut opened = Zeroizing::new(ciphertext.to_vec());
        let len = key
            .open_in_place(nonce, Aad::from(context), opened.as_mut_slice())
            .map_err(|_| Unsealable)?
            .len();
        opened.truncate(len);
        Ok(opened)
    }

    /// HMAC-SHA-256 of `parts` under this key.
    pub(crate) fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        hmac_of_parts(&key, parts)
    }

    fn once(&self, salt: &[u8; SALT_LEN]) -> (LessSafeKey, Nonce) {
        let mut material = Zeroizing::new([0_u8; 32 + NONCE_LEN]);
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(self.0.as_slice());
        expand(&prk, b"octroi seal 1", material.as_mut());
        let (key, nonce) = material.split_at(32);
        let mut fixed = [0; NONCE_LEN];
        fixed.copy_from_slice(nonce);
        (
            LessSafeKey::new(aes(key)),
            Nonce::assume_unique_for_key(fixed),
        )
    }
}

/// Bytes that sealing adds: format, salt, tag.
const OVERHEAD: usize = 1 + SALT_LEN + 16;

const SALT_LEN: usize = 16;

/// The first byte of what is sealed, so that another construction can follow this one.
const FORMAT: u8 = 1;

#[expect(
    clippy::expect_used,
    reason = "AES-GCM fails above 64 GiB alone (NIST SP 800-38D, section 5.2.1.1); what is sealed here fits into a row"
)]
fn encrypt(key: &LessSafeKey, nonce: Nonce, context: &[u8], value: &mut Vec<u8>) {
    key.seal_in_place_append_tag(nonce, Aad::from(context), value)
        .expect("the value is far shorter than AES-GCM allows");
}

#[expect(
    clippy::expect_used,
    reason = "the key is 32 bytes long, which is the only thing that is checked"
)]
fn aes(key: &[u8]) -> UnboundKey {
    UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes")
}

#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA-256 gives up to 8160 bytes (RFC 5869, section 2.3), and 44 are asked at most"
)]
fn expand(prk: &hkdf::Prk, label: &[u8], out: &mut [u8]) {
    struct Len(usize);
    impl hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    prk.expand(&[label], Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .expect("the length is within the bounds of HKDF");
}

/// How often this thread has decrypted anything.
#[cfg(test)]
pub(crate) mod counting {
    use std::cell::Cell;

    thread_local! {
        static OPENED: Cell<u32> = const { Cell::new(0) };
    }

    pub(super) fn note() {
        OPENED.set(OPENED.get() + 1);
    }

    /// How often since the last time.
    pub(crate) fn take() -> u32 {
        OPENED.take()
    }
}
