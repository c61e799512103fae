//! What the door refuses by itself; the proxy words the answers, so that they are like all others.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use octroi_policy::request::Malformed;

use super::facts::ConnectionFacts;

/// Why a request head goes no further than the door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DoorRefusal {
    /// It has no reading, or more than one.
    Malformed(Malformed),
    /// It is longer, or has more fields, than is borne.
    HeadTooLarge,
    /// It was not whole in time.
    HeadTooSlow,
    /// Its body did not come in time, and nobody had taken it on yet.
    BodyTooSlow,
}

/// Words what the door refuses, and keeps count of it.
pub(crate) trait DoorRefusals: Send + Sync + 'static {
    /// The whole answer to a request on this connection that goes no further. Its access line and
    /// its reference are made here, once for each call.
    fn refuse(&self, facts: &Arc<ConnectionFacts>, refusal: DoorRefusal) -> Response<Bytes>;

    /// Keeps count of a request over HTTP/2 that was refused beneath us, where its head was never
    /// seen: its access line is made here.
    fn refused_unseen(&self, facts: &Arc<ConnectionFacts>);
}
