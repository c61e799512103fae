//! The whole request path, from a client's bytes to what the service saw, in one process.

mod answers;
mod forwarding;
mod identity;
mod limits;
mod refusals;
mod reload;
mod sessions;
mod upstreams;
mod weather;
pub(super) mod world;

use self::world::{Seen, World};
