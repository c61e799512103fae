//! What people see: sign-in, passwords, sessions, sign-out, errors; server-rendered, in French and English.
//!
//! Two routers: the portal host serves all pages and the JSON API; application hosts serve only
//! the hand-over of a sign-in, the way out, and what pages are made of. A handler extracts, asks
//! identity once, and answers with a page.

pub(crate) mod language;
pub(crate) mod texts;

mod visitor;

pub(crate) use visitor::Visitor;

use axum::Router;

/// The two routers into which the proxy hands what it does not forward.
#[derive(Clone)]
pub(crate) struct Routers {
    /// `/` and `/.octroi/…` of the portal host.
    pub(crate) portal: Router,
    /// `/.octroi/…` of every other host.
    pub(crate) application: Router,
}

/// Builds both routers. Every request they are given bears a [`Visitor`]; one without is answered
/// with 500.
pub(crate) fn routers() -> Routers {
    Routers {
        portal: Router::new(),
        application: Router::new(),
    }
}
