//! The way from an application host to the portal and back: what is carried along, and how it is
//! kept from being forged.
//!
//! The application host seals a nonce and the path asked for into a cookie of its own and sends
//! the person to the portal with the nonce's hash. The ticket that comes back is bound to that
//! hash, so it is worthless in any other browser (attack class B1, login forgery).

use std::{fmt::Write as _, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue};
use octroi_policy::{host::Host, return_to::ReturnTo, time::Timestamp};

use super::{cookies, site::Site};
use crate::{
    entropy::{Entropy, EntropyUnavailable, random},
    identity::{handover::NonceHash, secret::EnterTicket},
    keyring::{Keyring, Purpose},
};

/// A person on their way to an application host, as the portal's pages carry them along.
#[derive(Clone)]
pub(crate) struct Passage {
    /// Where they go.
    pub(crate) host: Host,
    /// Which of the host's cookies it is about.
    pub(crate) id: PassageId,
    nonce: NonceHash,
}

/// Names one of the cookies that a host keeps for people on their way: 16 random bytes as text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PassageId(String);

/// What the application host finds in its cookie when the person comes back.
pub(super) struct Sealed {
    pub(super) nonce: NonceHash,
    pub(super) target: String,
    expires_at: Timestamp,
}

/// A person sent to the portal: where to, and the cookies that the host sets for it.
pub(crate) struct Departure {
    /// The portal's address.
    pub(crate) location: String,
    /// `Set-Cookie` fields.
    pub(crate) cookies: Vec<HeaderValue>,
}

impl Passage {
    /// Reads what came with a query or a form. Anything that is not a way to one of our
    /// application hosts is no passage, and the person stays on the portal.
    pub(super) fn read(site: &Site, host: &str, id: &str, nonce: &str) -> Option<Self> {
        let host = host
            .parse()
            .ok()
            .filter(|host| site.is_application_host(host))?;
        let id = PassageId::read(id)?;
        let mut bytes = [0; 32];
        if BASE64URL_NOPAD.decode_len(nonce.len()) != Ok(bytes.len()) {
            return None;
        }
        BASE64URL_NOPAD
            .decode_mut(nonce.as_bytes(), &mut bytes)
            .ok()?;
        Some(Self {
            host,
            id,
            nonce: NonceHash::from_bytes(bytes),
        })
    }

    /// What the ticket is bound to.
    pub(super) const fn nonce(&self) -> NonceHash {
        self.nonce
    }

    /// The hash as text, for forms and queries.
    pub(crate) fn nonce_text(&self) -> String {
        BASE64URL_NOPAD.encode(self.nonce.as_bytes())
    }

    /// The passage as a query, to be carried from page to page.
    pub(super) fn query(&self) -> String {
        format!(
            "host={}&id={}&nonce={}",
            self.host,
            self.id.0,
            self.nonce_text()
        )
    }

    /// Where the host takes the ticket. Worthless without the nonce, so it may stand in `Location`.
    pub(super) fn enter_url(&self, site: &Site, ticket: &EnterTicket) -> String {
        format!(
            "{}/.octroi/enter?id={}&ticket={}",
            site.origin(&self.host),
            self.id.0,
            *ticket.expose()
        )
    }
}

impl PassageId {
    /// Reads an id; it becomes part of a cookie's name.
    pub(super) fn read(text: &str) -> Option<Self> {
        let decoded = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (decoded.len() == ID_BYTES).then(|| Self(text.to_owned()))
    }

    /// The name of the cookie.
    pub(super) fn cookie_name(&self) -> String {
        format!("{}{}", cookies::ENTER, self.0)
    }

    /// The text, for forms.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Sends a person who asked for `target` to the portal.
pub(crate) fn depart(
    site: &Site,
    keyring: &Keyring,
    entropy: &dyn Entropy,
    from: &Request<'_>,
) -> Result<Departure, EntropyUnavailable> {
    let id = PassageId(BASE64URL_NOPAD.encode(&random::<ID_BYTES>(entropy)?));
    let nonce: [u8; 32] = random(entropy)?;
    let passage = Passage {
        host: from.host.clone(),
        id,
        nonce: NonceHash::of(&nonce),
    };
    let expires_at = from.now.after(LIFE);
    let target = own_target(from.host, from.target);
    let plain = [
        &nonce[..],
        &expires_at.as_unix_millis().to_be_bytes(),
        target.as_bytes(),
    ]
    .concat();
    let sealed = keyring.seal(
        Purpose::SealedCookie,
        &context(from.host, &passage.id),
        &plain,
        entropy,
    )?;
    let mut cookies = superfluous(keyring, from);
    cookies.extend(cookies::set(
        &passage.id.cookie_name(),
        &BASE64URL_NOPAD.encode(&sealed),
        Some(LIFE),
    ));
    let mut location = site.portal_url("/.octroi/login?");
    // Writing to a String cannot fail.
    let _ = write!(location, "{}", passage.query());
    Ok(Departure { location, cookies })
}

/// What is to be known of a request whose sender has to sign in.
pub(crate) struct Request<'a> {
    /// The host that was asked.
    pub(crate) host: &'a Host,
    /// The path and query that were asked for.
    pub(crate) target: &'a str,
    /// The request's fields.
    pub(crate) headers: &'a HeaderMap,
    /// Now.
    pub(crate) now: Timestamp,
}

/// What this host's cookie says of the passage `id`; `None` where there is none that counts.
pub(super) fn arrive(
    keyring: &Keyring,
    host: &Host,
    id: &PassageId,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Sealed> {
    let value = cookies::read(headers, &id.cookie_name())?;
    unseal(keyring, host, id, value).filter(|sealed| now < sealed.expires_at)
}

/// The path to go back to: one of this host's that is not ours, else its front page.
pub(super) fn own_target(host: &Host, asked: &str) -> String {
    ReturnTo::on(host.clone(), asked)
        .ok()
        .map(|place| place.target().as_str().to_owned())
        .filter(|target| {
            let path = target.split('?').next().unwrap_or_default();
            path != "/.octroi" && !path.starts_with("/.octroi/")
        })
        .unwrap_or_else(|| "/".to_owned())
}

fn unseal(keyring: &Keyring, host: &Host, id: &PassageId, value: &str) -> Option<Sealed> {
    let sealed = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
    let plain = keyring
        .open(Purpose::SealedCookie, &context(host, id), &sealed)
        .ok()?;
    let (nonce, rest) = plain.split_first_chunk::<32>()?;
    let (expires_at, target) = rest.split_first_chunk::<8>()?;
    Some(Sealed {
        nonce: NonceHash::of(nonce),
        target: String::from_utf8(target.to_vec()).ok()?,
        expires_at: Timestamp::from_unix_millis(i64::from_be_bytes(*expires_at)),
    })
}

/// Clears the cookies of earlier passages beyond those that may stay beside a new one, oldest first.
fn superfluous(keyring: &Keyring, from: &Request<'_>) -> Vec<HeaderValue> {
    let mut held: Vec<(Option<Timestamp>, &str)> = cookies::all(from.headers)
        .filter_map(|(name, value)| {
            let id = PassageId::read(name.strip_prefix(cookies::ENTER)?);
            let sealed = id.and_then(|id| unseal(keyring, from.host, &id, value));
            Some((sealed.map(|sealed| sealed.expires_at), name))
        })
        .collect();
    held.sort();
    let too_many = held.len().saturating_sub(COOKIES_MAX - 1);
    held.iter()
        .take(too_many)
        .filter_map(|(_, name)| cookies::clear(name))
        .collect()
}

/// A cookie opens on its own host and under its own name alone.
fn context(host: &Host, id: &PassageId) -> Vec<u8> {
    [b"enter:", host.as_str().as_bytes(), b":", id.0.as_bytes()].concat()
}

/// How long a person may take over signing in.
const LIFE: Duration = Duration::from_mins(10);
/// People on their way in several tabs of one browser: the sixth takes the place of the first.
const COOKIES_MAX: usize = 5;
const ID_BYTES: usize = 16;

#[cfg(test)]
mod tests;
