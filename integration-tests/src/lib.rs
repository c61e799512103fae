//! What the tests from outside share: the real binary in a world of its own, hostile clients, and an upstream that records.
//!
//! Nothing here depends on a crate of octroi: the product is driven as its users and its attackers drive it. Everything
//! blocks, on threads: a test reads from top to bottom.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a harness that cannot do its work ends the test at once, with the reason"
)]

pub mod world;

pub mod authority;
pub mod binary;
pub mod database;
pub mod page;
pub mod recorder;
pub mod visitor;

pub mod answer;
pub mod h1;
pub mod h2;
pub mod hpack;
pub mod patience;
pub mod plain;
pub mod wire;
