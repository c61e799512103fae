//! The admin API, on a Unix socket that only the owner and root may open.
//!
//! The command line is its only client. Where a gateway runs, it asks over the socket; where none
//! does, it serves the same router to itself, so that each operation exists once.

pub(crate) mod client;
pub(crate) mod facts;
pub(crate) mod http;
pub(crate) mod management;
pub(crate) mod socket;
pub(crate) mod times;

mod accounts;
mod journal;
mod passphrase;
mod refusal;
mod sessions;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{Json, Router, extract::State, routing::post};

use self::{
    facts::{Done, Status},
    refusal::Refusal,
};
use crate::{
    clock::Clock, entropy::Entropy, identity::Identity, journal::JournalStore, portal::Site,
};

pub(crate) use self::{
    passphrase::passphrase,
    refusal::{class_name, reason_in_words},
};

/// What the operations work with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    /// People.
    pub(crate) identity: Identity,
    /// What happened.
    pub(crate) journal: Arc<dyn JournalStore>,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// Chance, for provisional passwords.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// The portal, for links and letters.
    pub(crate) site: Arc<ArcSwap<Site>>,
    /// The gateway that runs; `None` where the command line opened the store itself.
    pub(crate) gateway: Option<Arc<dyn Gateway>>,
}

/// The running gateway, as far as an operator steers it.
#[async_trait::async_trait]
pub(crate) trait Gateway: Send + Sync + 'static {
    /// Reads the configuration again and says what changed; the old one stays where anything is wrong.
    async fn reload(&self) -> Result<String, String>;
}

/// All operations. Each request bears the [`crate::identity::client::Operator`] who asks.
pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/v1/status", post(status))
        .route("/v1/reload", post(reload))
        .merge(accounts::router())
        .merge(sessions::router())
        .merge(journal::router())
        .with_state(desk)
}

async fn status(State(desk): State<Desk>) -> Json<Status> {
    Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        running: desk.gateway.is_some(),
    })
}

async fn reload(State(desk): State<Desk>) -> Result<Json<Done>, Refusal> {
    let Some(gateway) = &desk.gateway else {
        return Err(Refusal::refused(
            "no gateway runs, so there is nothing to reload",
        ));
    };
    match gateway.reload().await {
        Ok(done) => Ok(Json(Done { done })),
        Err(problems) => Err(Refusal::refused(problems)),
    }
}

#[cfg(test)]
mod tests;
