//! Secrets that pass through: no Debug, no Display, no comparison, wiped when dropped.

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::entropy::{self, Entropy, EntropyUnavailable};

/// A password as somebody typed it. Forms and bodies are read straight into it.
#[derive(Default)]
pub(crate) struct TypedPassword(Zeroizing<String>);

impl TypedPassword {
    /// What was typed.
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for judging and hashing only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for TypedPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Declares a bearer secret of 32 bytes from the system, kept nowhere but at its bearer.
macro_rules! bearer_secret {
    ($(#[$doc:meta])* $name:ident, $purpose:literal) => {
        $(#[$doc])*
        pub(crate) struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// Draws a new one.
            pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
                entropy::random(entropy).map(|bytes| Self(Zeroizing::new(bytes)))
            }

            /// Reads what a client presents: 43 characters of base64url (RFC 4648, section 5)
            /// without padding. Anything else is no such secret.
            pub(crate) fn parse(presented: &[u8]) -> Option<Self> {
                let mut bytes = Zeroizing::new([0; 32]);
                if BASE64URL_NOPAD.decode_len(presented.len()) != Ok(bytes.len()) {
                    return None;
                }
                BASE64URL_NOPAD.decode_mut(presented, bytes.as_mut_slice()).ok()?;
                Some(Self(bytes))
            }

            /// The text for its bearer: cookie value or link, never log, journal or error.
            pub(crate) fn expose(&self) -> Zeroizing<String> {
                Zeroizing::new(BASE64URL_NOPAD.encode(self.0.as_slice()))
            }

            /// What is kept of it: SHA-256 over purpose and bytes, so that a secret of one
            /// purpose is found in no table of another (attack class B10).
            pub(crate) fn digest(&self) -> [u8; 32] {
                let mut context = digest::Context::new(&digest::SHA256);
                context.update($purpose);
                context.update(self.0.as_slice());
                let mut out = [0; 32];
                out.copy_from_slice(context.finish().as_ref());
                out
            }
        }
    };
}

bearer_secret! {
    /// What a browser presents as `__Host-octroi`: 256 bits, for one host.
    SessionToken, b"octroi session token\0"
}
bearer_secret! {
    /// What carries a sign-in from the portal to an application host: 256 bits, 60 s, one use.
    EnterTicket, b"octroi enter ticket\0"
}
bearer_secret! {
    /// What an invitation link carries: 256 bits, one use.
    InvitationToken, b"octroi invitation\0"
}
