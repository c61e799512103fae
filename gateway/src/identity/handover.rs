//! Hand-over of a sign-in from the portal to an application host, by a ticket of one use.

use aws_lc_rs::digest;
use octroi_policy::{
    host::Host,
    session::{Computer, Rejection},
    time::Timestamp,
};

use super::{
    Fault, Identity,
    client::ClientFacts,
    secret::{EnterTicket, SessionToken},
    sessions::SignedIn,
};

/// SHA-256 of the nonce that the application host sealed into its own cookie.
#[derive(Clone, Copy)]
pub(crate) struct NonceHash([u8; 32]);

impl NonceHash {
    /// The hash of a nonce.
    pub(crate) fn of(nonce: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, nonce).as_ref());
        Self(bytes)
    }

    /// The hash that the portal was handed in a query.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the query.
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What came of a ticket.
pub(crate) enum EnterOutcome {
    /// The host has its token.
    Entered(EnteredSession),
    /// Unknown, used, expired, or made for another host or nonce: nobody is told which.
    Refused,
    /// The ticket was right, and its session has ended meanwhile.
    SessionEnded(Rejection),
}

/// The token that a host was given.
pub(crate) struct EnteredSession {
    /// The token, for this host's cookie and nothing else.
    pub(crate) token: SessionToken,
    /// When the session ends whatever happens.
    pub(crate) ends_at: Timestamp,
    /// Whose computer it is: decides on the cookie's life.
    pub(crate) computer: Computer,
}

impl Identity {
    /// Makes a ticket for `host`, bound to the session and to the nonce. Good for 60 s and one use.
    pub(crate) async fn issue_ticket(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
        host: &Host,
        nonce: NonceHash,
    ) -> Result<EnterTicket, Fault> {
        let _ = (client, signed_in, host, nonce);
        Err(Fault::NotAvailable)
    }

    /// Spends a ticket on `host`; of any number of parallel uses one wins.
    pub(crate) async fn enter(
        &self,
        client: &ClientFacts,
        ticket: &EnterTicket,
        host: &Host,
        nonce: NonceHash,
    ) -> Result<EnterOutcome, Fault> {
        let _ = (client, ticket, host, nonce);
        Err(Fault::NotAvailable)
    }
}
