//! Proof that a form was sent from our own page by the browser that was given the page.
//!
//! Two checks, both needed: the browser says that the request comes from the page's own origin,
//! and the form bears a token bound to the session, or before sign-in to a cookie. `SameSite`
//! alone separates nothing between sibling hosts.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use super::cookies;
use crate::{
    entropy::{Entropy, EntropyUnavailable, random},
    identity::secret::SessionToken,
    keyring::{Keyring, Purpose},
};

/// Makes and checks the tokens of forms.
#[derive(Clone)]
pub(crate) struct FormSeal {
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
}

/// A page's token, and the cookie that it is bound to where that is new.
pub(crate) struct IssuedForm {
    /// For the field `form`.
    pub(crate) token: String,
    /// To be set with the page.
    pub(crate) cookie: Option<HeaderValue>,
}

/// Why a form is not looked at. Nothing was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Forgery {
    /// It was sent from another origin.
    ForeignOrigin,
    /// The browser sent neither the session's cookie nor the form's: it keeps no cookies.
    NoCookie,
    /// The token does not belong to the cookie: the page was open for too long.
    Stale,
}

impl FormSeal {
    /// Tokens under this keyring.
    pub(crate) fn new(keyring: Arc<Keyring>, entropy: Arc<dyn Entropy>) -> Self {
        Self { keyring, entropy }
    }

    /// The token of a page for somebody whose session is live.
    pub(crate) fn for_session(&self, token: &SessionToken) -> IssuedForm {
        IssuedForm {
            token: self.token(SESSION, &session_binding(token)),
            cookie: None,
        }
    }

    /// The token of a page for somebody who is not signed in.
    pub(crate) fn before_sign_in(
        &self,
        headers: &HeaderMap,
    ) -> Result<IssuedForm, EntropyUnavailable> {
        if let Some(held) = before_sign_in_binding(headers) {
            return Ok(IssuedForm {
                token: self.token(BEFORE, held.as_bytes()),
                cookie: None,
            });
        }
        let drawn = BASE64URL_NOPAD.encode(&random::<BINDING_BYTES>(&*self.entropy)?);
        Ok(IssuedForm {
            token: self.token(BEFORE, drawn.as_bytes()),
            cookie: cookies::set(cookies::BEFORE_SIGN_IN, &drawn, None),
        })
    }

    /// Whether a form with this token, sent with these headers to `origin`, is one of ours.
    pub(crate) fn check(
        &self,
        token: &str,
        headers: &HeaderMap,
        session: Option<&SessionToken>,
        origin: &str,
    ) -> Result<(), Forgery> {
        if !is_same_origin(headers, origin) {
            return Err(Forgery::ForeignOrigin);
        }
        let before = before_sign_in_binding(headers);
        if session.is_none() && before.is_none() {
            return Err(Forgery::NoCookie);
        }
        let Ok(token) = BASE64URL_NOPAD.decode(token.as_bytes()) else {
            return Err(Forgery::Stale);
        };
        let is_bound = |kind: &[u8], binding: &[u8]| {
            self.keyring
                .is_keyed_hash(Purpose::Forgery, &[kind, binding], &token)
        };
        // A page made before sign-in may be sent after it, from another tab.
        let belongs = session.is_some_and(|session| is_bound(SESSION, &session_binding(session)))
            || before.is_some_and(|before| is_bound(BEFORE, before.as_bytes()));
        if belongs { Ok(()) } else { Err(Forgery::Stale) }
    }

    fn token(&self, kind: &[u8], binding: &[u8]) -> String {
        BASE64URL_NOPAD.encode(&self.keyring.keyed_hash(Purpose::Forgery, &[kind, binding]))
    }
}

/// Whether the browser says that the request comes from our own page (Fetch Metadata, section 2.4).
/// Where it does not speak of that, `Origin` must be ours; `null` and nothing are nobody's.
pub(super) fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let mut sites = headers.get_all(SEC_FETCH_SITE).into_iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) => site == "same-origin",
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut origins = headers.get_all(header::ORIGIN).into_iter();
            let first = origins.next();
            origins.next().is_none() && first.is_some_and(|sent| sent == origin)
        }
    }
}

fn session_binding(token: &SessionToken) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(token.expose().as_bytes().to_vec())
}

/// The value of the cookie, if it is one that we could have set.
fn before_sign_in_binding(headers: &HeaderMap) -> Option<&str> {
    let value = cookies::read(headers, cookies::BEFORE_SIGN_IN)?;
    let decoded = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
    (decoded.len() == BINDING_BYTES).then_some(value)
}

/// Where the request comes from, by the browser's word.
pub(super) const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// What the browser wants the answer for (Fetch Metadata).
pub(super) const SEC_FETCH_DEST: &str = "sec-fetch-dest";
/// 256 bits: more than the 128 that anti-forgery needs (ASVS 11.5.1).
const BINDING_BYTES: usize = 32;
const SESSION: &[u8] = b"session";
const BEFORE: &[u8] = b"before sign-in";

#[cfg(test)]
mod tests;
