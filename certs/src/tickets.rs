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

#[cfg(test)]
mod tests {
    use super::*;

    /// How long its keys are good is the library's choice, which a new version could change.
    #[test]
    fn no_ticket_is_good_for_more_than_twelve_hours() {
        assert_eq!(rotating().unwrap().lifetime(), 12 * 60 * 60);
    }

    #[test]
    fn a_ticket_is_opened_by_whoever_made_it_and_by_nobody_else() {
        let (own, other) = (rotating().unwrap(), rotating().unwrap());
        let ticket = own.encrypt(b"a session").unwrap();
        assert_eq!(own.decrypt(&ticket).as_deref(), Some(&b"a session"[..]));
        assert_eq!(other.decrypt(&ticket), None);
        assert_ne!(own.encrypt(b"a session").unwrap(), ticket);
    }
}
