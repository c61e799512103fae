//! What may happen. Facts and `now` come in as values, a verdict goes out; nothing here reads a clock, draws a random number or does I/O.
//!
//! The modules stand in the order in which a request, then a sign-in, meets them.

pub mod decision;
pub mod host;
pub mod path;
pub mod request;
pub mod rule;

pub mod assurance;
pub mod identity_headers;
pub mod return_to;
pub mod session;
pub mod subject;

pub mod login;
pub mod password;
pub mod sign_in;
pub mod throttle;

pub mod id;
pub mod time;
