//! What let an open request in, judged anew under the configuration of the moment.

use std::sync::Arc;

use arc_swap::ArcSwap;
use octroi_policy::{
    decision::{self, Decision, DenyReason, RouteIndex},
    request::CanonicalRequest,
};

use super::{authenticate::judge, decide::answerer, refusal::Refusal, site::Site};
use crate::{clock::Clock, listener::open_requests::Tenure, store::live::LiveToken};

/// A request of a signed-in person that was let in.
pub(super) struct Admitted {
    pub(super) site: Arc<ArcSwap<Site>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) known: Arc<LiveToken>,
    pub(super) request: CanonicalRequest,
    /// Of a WebSocket: the page that opened it.
    pub(super) origin: Option<Box<str>>,
}

impl Admitted {
    /// Whether it would be let in now. That the route leads elsewhere, or has other deadlines, is
    /// no reason to refuse: a request in flight keeps to those that it began with.
    ///
    /// # Errors
    ///
    /// Why it would not.
    pub(super) fn judge(&self) -> Result<(), Refusal> {
        let site = self.site.load();
        let now = self.clock.now();
        if answerer(&site, &self.request).is_some() {
            return Err(Refusal::Denied(DenyReason::PathUnknown));
        }
        let subject = judge(&self.known, self.request.host(), now)
            .map_err(|rejection| Refusal::SignInNeeded(Some(rejection)))?;
        match decision::authorize(site.table(), &self.request, Some(subject), now) {
            Decision::Permit(permit) => self.judge_origin(&site, permit.route_index()),
            Decision::Challenge(_) => Err(Refusal::StrongerSignInNeeded),
            Decision::Deny(denial) => Err(Refusal::Denied(denial.reason)),
        }
    }

    fn judge_origin(&self, site: &Site, index: RouteIndex) -> Result<(), Refusal> {
        match &self.origin {
            Some(origin) if !is_listed(site, index, &self.request, origin) => {
                Err(Refusal::ForeignOrigin)
            }
            _ => Ok(()),
        }
    }
}

impl Tenure for Admitted {
    fn holds(&self) -> bool {
        self.judge().is_ok()
    }
}

/// Whether a page of `origin` may open a socket on a route: one of the same origin, or a listed one.
pub(super) fn is_listed(
    site: &Site,
    index: RouteIndex,
    request: &CanonicalRequest,
    origin: &str,
) -> bool {
    let listed = site.settings(index).is_some_and(|route| {
        let mut origins = route.websocket_origins.iter();
        origins.any(|listed| listed.as_str() == origin)
    });
    listed || request.is_same_origin(origin)
}
