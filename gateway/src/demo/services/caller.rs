//! The person on whose behalf a request comes, as the gateway tells it.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::page::Language;

/// What the gateway says of the person, and the language of the browser.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// How the service addresses the person.
    pub(super) name: String,
    /// The organisation.
    pub(super) tenant: String,
    /// What the person may do.
    pub(super) roles: Vec<String>,
    /// In which language to answer.
    pub(super) language: Language,
}

impl Caller {
    /// Whether the person holds `role`.
    pub(super) fn holds(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let field = |name: &str| {
            let value = parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        let name = match field("remote-login") {
            "" => field("remote-user"),
            login => login,
        };
        Ok(Self {
            name: name.to_owned(),
            tenant: field("remote-tenant").to_owned(),
            roles: field("remote-groups")
                .split(',')
                .map(str::trim)
                .filter(|role| !role.is_empty())
                .map(str::to_owned)
                .collect(),
            language: Language::preferred(field("accept-language")),
        })
    }
}
