//! The way in: accept, TLS, HTTP/1.1 and HTTP/2 loops of our own around Pingora's proxy.

pub(crate) mod facts;
pub(crate) mod limits;
pub(crate) mod open_requests;
pub(crate) mod tunnel;
