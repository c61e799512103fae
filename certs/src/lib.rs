//! Proof of who we are and of whom we talk to: certificates by name, reload, tickets, TLS settings
//! for both directions, and the authority that development uses.

pub mod bundle;
pub mod reload;
pub mod resolver;

pub mod client;
pub mod tickets;
pub mod tls;

pub mod dev_authority;
