//! What people and those who attack them get from identity, over a store in memory.

mod accounts;
mod alike;
mod counting;
mod handover;
mod invitations;
mod journaled;
mod passwords;
mod sessions;
mod sign_in;
mod statements;
mod throttle;
mod weather;
