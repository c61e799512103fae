//! The request path: admit, authenticate, authorize, forward. Sees neither SQL nor HTML.

pub(crate) mod refusal;
