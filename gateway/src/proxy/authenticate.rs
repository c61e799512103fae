//! Who asks: a cookie becomes a live session, or a reason why not.

use std::sync::Arc;

use http::{HeaderMap, header};
use octroi_policy::{
    host::Host,
    session::{self, Rejection},
    subject::Subject,
    time::Timestamp,
};

use super::{
    cookies::{self, Presented},
    refusal::Refusal,
};
use crate::{
    identity::secret::SessionToken,
    store::{
        live::LiveToken,
        sessions::{Cached, SessionStore, TokenHash},
    },
};

/// What a request presents as proof.
pub(super) enum Credential {
    /// Nothing.
    None,
    /// A session's token.
    Token(SessionToken),
    /// A cookie of our name that is no token.
    Unreadable,
}

/// What came of it.
pub(super) enum Authentication {
    /// Nothing was presented.
    NotPresented,
    /// A token that is known. It counts only while [`judge`] says so.
    Known(Arc<LiveToken>),
    /// What was presented does not count.
    Rejected(Rejection),
}

/// Reads the credentials of a request.
///
/// # Errors
///
/// [`Refusal::Cookie`] for two cookies of ours, [`Refusal::ApiToken`] for an API token, and
/// [`Refusal::TwoCredentials`] for both kinds at once. Any other `Authorization` is the upstream's.
pub(super) fn credential(headers: &HeaderMap) -> Result<Credential, Refusal> {
    let presented = cookies::presented(headers);
    if bears_api_token(headers) {
        return Err(match presented {
            Presented::Nothing => Refusal::ApiToken,
            Presented::Token(_) | Presented::Repeated => Refusal::TwoCredentials,
        });
    }
    match presented {
        Presented::Nothing => Ok(Credential::None),
        Presented::Repeated => Err(Refusal::Cookie),
        Presented::Token(value) => {
            Ok(SessionToken::parse(value).map_or(Credential::Unreadable, Credential::Token))
        }
    }
}

/// Looks a credential up.
///
/// # Errors
///
/// [`Refusal::StoreUnavailable`] when the store cannot be asked: not knowing never opens the door.
pub(super) async fn authenticate(
    sessions: &dyn SessionStore,
    credential: &Credential,
) -> Result<Authentication, Refusal> {
    let token = match credential {
        Credential::None => return Ok(Authentication::NotPresented),
        Credential::Unreadable => return Ok(Authentication::Rejected(Rejection::Unknown)),
        Credential::Token(token) => TokenHash(token.digest()),
    };
    let known = match sessions.cached(&token) {
        Cached::Hit(known) => Some(known),
        Cached::KnownAbsent => None,
        Cached::Miss => sessions.load(&token).await.map_err(|fault| {
            tracing::error!(%fault, "a session could not be looked up");
            Refusal::StoreUnavailable
        })?,
    };
    Ok(known.map_or(
        Authentication::Rejected(Rejection::Unknown),
        Authentication::Known,
    ))
}

/// Whether a known token counts on `host` at `now`.
///
/// # Errors
///
/// Why not.
pub(super) fn judge<'a>(
    known: &'a LiveToken,
    host: &Host,
    now: Timestamp,
) -> Result<Subject<'a>, Rejection> {
    let standing = known.session.standing();
    session::judge(&known.session.record, &known.facts, standing, host, now)
}

fn bears_api_token(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).iter().any(|value| {
        let value = value.as_bytes().trim_ascii();
        let Some((scheme, rest)) = value.split_at_checked(BEARER.len()) else {
            return false;
        };
        let token = rest.trim_ascii_start();
        scheme.eq_ignore_ascii_case(BEARER)
            && token.len() < rest.len()
            && token.starts_with(API_TOKEN)
    })
}

const BEARER: &[u8] = b"Bearer";
const API_TOKEN: &[u8] = b"oct_";

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(fields: &[(&'static str, &str)]) -> &'static str {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        match credential(&headers) {
            Ok(Credential::None) => "none",
            Ok(Credential::Token(_)) => "token",
            Ok(Credential::Unreadable) => "unreadable",
            Err(refusal) => refusal.outcome().id,
        }
    }

    #[test]
    fn exactly_one_credential_of_ours_counts_and_other_schemes_are_the_upstreams() {
        let token = format!("__Host-octroi={}", "A".repeat(43));
        let token = token.as_str();
        for (fields, expected) in [
            (&[][..], "none"),
            (&[("cookie", token)], "token"),
            (&[("cookie", "__Host-octroi=x")], "unreadable"),
            (&[("cookie", token), ("cookie", token)], "cookie_repeated"),
            (&[("authorization", "Bearer oct_x")], "api_token"),
            (&[("authorization", "bearer   oct_x")], "api_token"),
            (&[("authorization", "Bearer\toct_x")], "api_token"),
            (&[("authorization", "\tBEARER \t oct_x")], "api_token"),
            (&[("authorization", "Beareroct_x")], "none"),
            (&[("cookie", "=__Host-octroi=x")], "none"),
            (
                &[("authorization", "Bearer oct_x"), ("cookie", token)],
                "two_credentials",
            ),
            (&[("authorization", "Bearer x"), ("cookie", token)], "token"),
            (&[("authorization", "Basic b2N0Xw==")], "none"),
        ] {
            assert_eq!(outcome(fields), expected, "{fields:?}");
        }
    }
}
