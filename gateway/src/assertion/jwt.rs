//! The assertion itself: a JSON Web Token (RFC 7519) in compact form.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use octroi_policy::{id::Role, time::Timestamp};
use serde::Serialize;

use super::Bearer;

/// What is said of a person to one service.
#[derive(Serialize)]
pub(super) struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    sid: String,
    tenant: &'a str,
    groups: Vec<&'a str>,
    amr: &'static [&'static str],
    acr: &'static str,
    auth_time: i64,
    iat: i64,
    exp: i64,
    jti: String,
}

impl<'a> Claims<'a> {
    /// Good for `life` from `now` on, and never longer than the session.
    pub(super) fn new(bearer: &Bearer<'a>, jti: &[u8; 16], now: Timestamp, life: Duration) -> Self {
        let passage = bearer.passage;
        let subject = passage.subject;
        let assurance = subject.assurance();
        Self {
            iss: bearer.issuer,
            aud: bearer.audience,
            sub: subject.account().to_string(),
            sid: subject.session().to_string(),
            tenant: passage.tenant.as_str(),
            groups: passage.roles.iter().map(Role::as_str).collect(),
            amr: assurance.methods(),
            acr: assurance.as_str(),
            auth_time: subject.authenticated_at().as_unix_seconds(),
            iat: now.as_unix_seconds(),
            exp: now
                .after(life)
                .min(subject.record().ends_at)
                .as_unix_seconds(),
            jti: BASE64URL_NOPAD.encode(jti),
        }
    }

    /// The claims as they are signed.
    pub(super) fn encoded(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        BASE64URL_NOPAD.encode(&json)
    }
}
