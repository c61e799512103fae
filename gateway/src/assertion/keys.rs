//! Keys that sign assertions: next, current, previous; published before they sign and after.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use octroi_policy::time::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::jwt::Claims;
use crate::{
    journal::{
        Draft,
        event::{Actor, Event},
    },
    store::{
        StoreError,
        signing_keys::{SigningKey, SigningKeyStore},
    },
};

/// All keys of the process, replaced as a whole at each rotation.
pub(crate) struct SigningKeys {
    store: Arc<dyn SigningKeyStore>,
    ring: ArcSwap<Ring>,
}

/// The keys, oldest first, and the document that publishes them.
struct Ring {
    keys: Vec<Arc<Signer>>,
    document: Bytes,
}

/// One key.
pub(super) struct Signer {
    pair: EcdsaKeyPair,
    header: String,
    signs_from: Timestamp,
    jwk: Jwk,
}

/// A public key (RFC 7517; RFC 7518, section 6.2.1).
#[derive(Clone, Serialize)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    kid: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFault {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key could not be made, read or used.
    #[error("a signing key could not be made, read or used")]
    Crypto,
    /// There is no key at all.
    #[error("there is no signing key")]
    NoKey,
}

impl SigningKeys {
    /// How long a key signs.
    pub(crate) const SIGNS_FOR: Duration = Duration::from_hours(30 * 24);
    /// How long a key is published before it signs, so that every verifier has seen it, and after.
    pub(crate) const PUBLISHED_AROUND: Duration = Duration::from_hours(2 * 24);

    /// Reads the keys, and makes the first.
    ///
    /// # Errors
    ///
    /// When the store cannot be used, or a key in it cannot.
    pub(crate) async fn open(
        store: Arc<dyn SigningKeyStore>,
        now: Timestamp,
    ) -> Result<Self, KeyFault> {
        let keys = Self {
            store,
            ring: ArcSwap::from_pointee(Ring::of(Vec::new())),
        };
        keys.rotate(now).await?;
        Ok(keys)
    }

    /// Makes the key that signs next when the current one has its end in sight, and forgets those
    /// that have served. Called every hour, and harmless more often.
    ///
    /// # Errors
    ///
    /// When the store cannot be used; the keys before stay.
    pub(crate) async fn rotate(&self, now: Timestamp) -> Result<(), KeyFault> {
        let mut kept = self.store.list().await?;
        kept.sort_by_key(|key| key.signs_from);
        for from in due(&kept, now) {
            let key = Signer::generate(now, from)?;
            let (key_id, signs_from) = (key.key_id.clone(), key.signs_from);
            let line = journal_line(now, Event::SigningKeyCreated { key_id, signs_from });
            self.store.insert(key.clone(), line).await?;
            kept.push(key);
        }
        kept.sort_by_key(|key| key.signs_from);
        for served in served(&kept, now) {
            let key_id = served.clone();
            let line = journal_line(now, Event::SigningKeyRemoved { key_id });
            self.store.remove(&served, line).await?;
            kept.retain(|key| key.key_id != served);
        }
        let signers = kept.iter().map(|key| Signer::read(key).map(Arc::new));
        let ring = Ring::of(signers.collect::<Result<_, _>>()?);
        self.ring.store(Arc::new(ring));
        Ok(())
    }

    /// The key that signs at `now`. Where the clock stands before all of them, the first: it is
    /// published like the others, and a clock that is put right must not stop every forwarding
    /// until the next rotation.
    pub(super) fn current(&self, now: Timestamp) -> Result<Arc<Signer>, KeyFault> {
        let ring = self.ring.load();
        let mut signing = ring.keys.iter().rev();
        signing
            .find(|key| key.signs_from <= now)
            .or_else(|| ring.keys.first())
            .cloned()
            .ok_or(KeyFault::NoKey)
    }

    /// The JSON Web Key Set (RFC 7517, section 5): every key that signs, signed lately or will sign.
    pub(crate) fn document(&self) -> Bytes {
        self.ring.load().document.clone()
    }
}

fn journal_line(now: Timestamp, event: Event) -> Vec<Draft> {
    vec![Draft::new(now, Actor::System, event)]
}

/// From when on new keys have to sign.
fn due(keys: &[SigningKey], now: Timestamp) -> Vec<Timestamp> {
    let ahead = now.after(SigningKeys::PUBLISHED_AROUND);
    // A key from a time when the clock stood far ahead stands for nothing until its day comes.
    let horizon = now.after(SigningKeys::SIGNS_FOR);
    let known = keys.iter().rfind(|key| key.signs_from <= horizon);
    let signs = |key: &SigningKey| key.signs_from <= now;
    match known {
        None => vec![now],
        Some(_) if !keys.iter().any(signs) => vec![now],
        Some(last) => {
            let ends_at = last.signs_from.after(SigningKeys::SIGNS_FOR);
            if ahead < ends_at {
                return Vec::new();
            }
            // After a long stop the next key is late: it signs at once only where none does well.
            vec![ends_at.max(now)]
        }
    }
}

/// Keys whose successor has signed for long enough.
fn served(keys: &[SigningKey], now: Timestamp) -> Vec<String> {
    let pairs = keys.iter().zip(keys.iter().skip(1));
    pairs
        .filter(|(_, successor)| successor.signs_from.after(SigningKeys::PUBLISHED_AROUND) <= now)
        .map(|(key, _)| key.key_id.clone())
        .collect()
}

impl Ring {
    fn of(keys: Vec<Arc<Signer>>) -> Self {
        let published: Vec<&Jwk> = keys.iter().map(|key| &key.jwk).collect();
        let document = serde_json::json!({ "keys": published }).to_string();
        Self {
            keys,
            document: document.into(),
        }
    }
}

impl Signer {
    /// A new key that signs from `from` on.
    fn generate(now: Timestamp, from: Timestamp) -> Result<SigningKey, KeyFault> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeyFault::Crypto)?;
        let der = pair.to_pkcs8v1().map_err(|_| KeyFault::Crypto)?;
        let pkcs8 = Zeroizing::new(der.as_ref().to_vec());
        let jwk = Jwk::of(&pair)?;
        Ok(SigningKey {
            key_id: jwk.kid,
            pkcs8,
            created_at: now,
            signs_from: from,
        })
    }

    fn read(key: &SigningKey) -> Result<Self, KeyFault> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.pkcs8)
            .map_err(|_| KeyFault::Crypto)?;
        let jwk = Jwk::of(&pair)?;
        let header = Header {
            alg: "ES256",
            kid: &jwk.kid,
            typ: "octroi+jwt",
        };
        let header = serde_json::to_vec(&header).map_err(|_| KeyFault::Crypto)?;
        Ok(Self {
            pair,
            header: BASE64URL_NOPAD.encode(&header),
            signs_from: key.signs_from,
            jwk,
        })
    }

    /// The compact form (RFC 7515, section 3.1), signed by ES256 (RFC 7518, section 3.4).
    pub(super) fn sign(&self, claims: &Claims<'_>) -> Result<String, KeyFault> {
        let mut token = [self.header.as_str(), ".", &claims.encoded()].concat();
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| KeyFault::Crypto)?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(signature.as_ref(), &mut token);
        Ok(token)
    }
}

impl Jwk {
    fn of(pair: &EcdsaKeyPair) -> Result<Self, KeyFault> {
        // SEC 1, section 2.3.3: 4, then both coordinates.
        let [4, point @ ..] = pair.public_key().as_ref() else {
            return Err(KeyFault::Crypto);
        };
        let (x, y) = point.split_at_checked(32).ok_or(KeyFault::Crypto)?;
        let (x, y) = (BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y));
        // RFC 7638, section 3: the required members, in lexical order, without space.
        let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let digest = digest::digest(&digest::SHA256, thumbprint.as_bytes());
        Ok(Self {
            kty: "EC",
            crv: "P-256",
            x,
            y,
            purpose: "sig",
            alg: "ES256",
            kid: BASE64URL_NOPAD.encode(digest.as_ref()),
        })
    }
}
