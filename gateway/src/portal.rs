//! What people see: sign-in, passwords, sessions, sign-out, errors; server-rendered, in French and English.
//!
//! Two routers: the portal host serves all pages and the JSON API; application hosts serve only
//! the hand-over of a sign-in, the way out, and what pages are made of. A handler extracts, asks
//! identity once, and answers with a page.

pub(crate) mod dates;
pub(crate) mod language;
pub(crate) mod look;
pub(crate) mod site;
pub(crate) mod texts;

mod visitor;

mod ask;
mod cookies;
mod forms;
mod frame;
mod parts;
pub(crate) mod passage;

mod account;
mod api;
mod browser;
mod enter;
mod failure;
mod files;
mod invitation;
mod password_words;
mod passwords;
mod preferences;
mod sessions;
mod sign_in;
mod sign_out;

pub(crate) mod errors;
pub(crate) mod letter;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{
    Router,
    routing::{get, post},
};

pub(crate) use self::{forms::FormSeal, site::Site, visitor::Visitor};
use crate::{clock::Clock, entropy::Entropy, identity::Identity, keyring::Keyring};

/// What the portal is made of. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Portal {
    identity: Identity,
    site: Arc<ArcSwap<Site>>,
    keyring: Arc<Keyring>,
    forms: FormSeal,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// The two routers into which the proxy hands what it does not forward.
#[derive(Clone)]
pub(crate) struct Routers {
    /// Everything on the portal host.
    pub(crate) portal: Router,
    /// `/.octroi/…` of every other host.
    pub(crate) application: Router,
}

impl Portal {
    /// A portal over these parts. `site` is swapped by whoever reloads the configuration.
    pub(crate) fn new(
        identity: Identity,
        site: Arc<ArcSwap<Site>>,
        keyring: Arc<Keyring>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let forms = FormSeal::new(Arc::clone(&keyring), Arc::clone(&entropy));
        Self {
            identity,
            site,
            keyring,
            forms,
            clock,
            entropy,
        }
    }

    /// Both routers. Every request they are given bears a [`Visitor`]; one without is answered
    /// with 500.
    pub(crate) fn routers(self) -> Routers {
        Routers {
            portal: portal_pages(self.clone()),
            application: application_pages(self),
        }
    }
}

fn portal_pages(portal: Portal) -> Router {
    Router::new()
        .route("/", get(account::front_door))
        .route("/.well-known/security.txt", get(files::security_txt))
        .route("/.octroi/login", get(sign_in::show).post(sign_in::submit))
        .route(
            "/.octroi/invitation",
            get(invitation::show).post(invitation::submit),
        )
        .route("/.octroi/account", get(account::show))
        .route(
            "/.octroi/account/password",
            get(passwords::show).post(passwords::submit),
        )
        .route("/.octroi/account/password/changed", get(passwords::changed))
        .route("/.octroi/account/sessions", get(sessions::show))
        .route("/.octroi/account/sessions/end", post(sessions::end_one))
        .route(
            "/.octroi/account/sessions/end-others",
            post(sessions::end_others),
        )
        .route("/.octroi/account/stay", post(sessions::stay))
        .route("/.octroi/language", post(preferences::choose_language))
        .route(
            "/.octroi/logout",
            get(sign_out::show).post(sign_out::submit),
        )
        .route("/.octroi/session", get(api::session))
        .route("/.octroi/assets/{name}", get(files::asset))
        .nest("/.octroi/api/v1", api_pages())
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method_not_allowed)
        .with_state(portal)
}

fn api_pages() -> Router<Portal> {
    Router::new()
        .route("/login", post(api::login))
        .route("/session", get(api::session))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
}

/// No password is typed and no account is changed on a host where a service can run script.
fn application_pages(portal: Portal) -> Router {
    Router::new()
        .route("/.octroi/login", get(enter::leave))
        .route("/.octroi/enter", get(enter::enter))
        .route(
            "/.octroi/logout",
            get(sign_out::show).post(sign_out::submit),
        )
        .route("/.octroi/session", get(api::session))
        .route("/.octroi/assets/{name}", get(files::asset))
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method_not_allowed)
        .with_state(portal)
}

#[cfg(test)]
mod tests;
