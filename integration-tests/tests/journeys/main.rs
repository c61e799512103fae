//! What people do with a demonstration that has just been started, told as they would tell it. HTTP shows everything here
//! but looks; `browser/` follows the same ways in Chromium.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test says why and ends"
)]

mod causes;
mod first_sign_in;
mod hand_over;
mod invitation;
mod own_sessions;
mod revocation;
mod tenants_and_degrees;
mod transfers;
mod unauthorized;
