//! The request path: admit, authenticate, authorize, forward. Sees neither SQL nor HTML.

mod admit;
mod answer;
mod ascii;
mod authenticate;
mod context;
mod cookies;
mod decide;
mod door;
mod forward;
mod gate;
mod in_process;
mod response;
mod tenure;
pub(crate) mod upstream;
mod websocket;

pub(crate) mod access_log;
pub(crate) mod rate_limit;
pub(crate) mod refusal;
pub(crate) mod request_id;
pub(crate) mod site;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;

use self::{
    access_log::AccessLog, rate_limit::AddressLimit, refusal::ErrorPages, request_id::RequestIds,
    site::Site,
};
use crate::{
    assertion::Passports, clock::Clock, listener::open_requests::OpenRequests, metrics::Metrics,
    portal::Routers, store::sessions::SessionStore,
};

/// The application that Pingora runs for each request. Cheap to clone: each worker has its own.
#[derive(Clone)]
pub(crate) struct Gate(Arc<GateParts>);

/// What the gate needs of the rest of the system.
pub(crate) struct GateParts {
    /// What configuration says; a request keeps to the one that it began with.
    pub(crate) site: Arc<ArcSwap<Site>>,
    /// Sessions.
    pub(crate) sessions: Arc<dyn SessionStore>,
    /// Identity for upstreams, signed.
    pub(crate) passports: Arc<Passports>,
    /// The pages that are served in this process.
    pub(crate) routers: Routers,
    /// Error pages.
    pub(crate) error_pages: Arc<dyn ErrorPages>,
    /// What is being answered, by session.
    pub(crate) open_requests: Arc<OpenRequests>,
    /// How often strangers are answered.
    pub(crate) limit: Arc<ArcSwap<AddressLimit>>,
    /// How often services with public routes answer them.
    pub(crate) public_limit: Arc<ArcSwap<AddressLimit>>,
    /// References of requests.
    pub(crate) request_ids: RequestIds,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
    /// Access lines.
    pub(crate) access_log: AccessLog,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Gate {
    /// A gate of these parts.
    pub(crate) fn new(parts: GateParts) -> Self {
        Self(Arc::new(parts))
    }
}
