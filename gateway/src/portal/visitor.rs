//! Who stands before the page, as the proxy saw them: put into each request before it gets here.

use std::sync::Arc;

use octroi_policy::host::Host;

use crate::identity::{client::ClientFacts, secret::SessionToken};

/// What the proxy established about a request that the portal answers.
#[derive(Clone)]
pub(crate) struct Visitor {
    /// Address, browser and request id.
    pub(crate) client: ClientFacts,
    /// The host that was asked, in canonical form; one of ours.
    pub(crate) host: Host,
    /// The one `__Host-octroi` cookie, if it was sent and can be read. Not judged yet: that is
    /// done by [`crate::identity::Identity::presence`].
    pub(crate) token: Option<Arc<SessionToken>>,
}
