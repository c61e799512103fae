//! The request path, in order: admit, authenticate, authorize, forward.
