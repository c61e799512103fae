//! Session tickets: a returning client is spared the full handshake.

use std::sync::Arc;

use rustls::{crypto::aws_lc_rs::Ticketer, server::ProducesTickets};

/// A source of tickets whose keys are random, never leave this process, change every 6 hours and
/// open nothing after 12: inside what RFC 9325, section 3.4 asks for (keys changed at least weekly).
/// All listeners share one, so that a ticket of one worker is good at the next.
///
/// # Errors
///
/// When the system gives no random bytes.
pub fn rotating() -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
    Ticketer::new()
}
