//! Hand-over of a sign-in from the portal to an application host, by a ticket of one use.

use std::time::Duration;

use aws_lc_rs::digest;
use octroi_policy::{
    host::Host,
    session::{Computer, judge},
    time::Timestamp,
};

use super::{
    Fault, Identity,
    client::ClientFacts,
    secret::{EnterTicket, SessionToken},
    sessions::SignedIn,
};
use crate::{
    journal::event::{Actor, Draft, Event, Personal, SignInFailure},
    store::{
        Conflict, StoreError,
        sessions::TokenHash,
        tickets::{Ticket, TicketRedemption},
    },
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

/// What came of asking for a ticket.
pub(crate) enum TicketOutcome {
    /// The ticket, for the redirect to the host and nothing else.
    Issued(EnterTicket),
    /// The session has ended meanwhile.
    SessionEnded,
    /// The session has as many open tickets as it may have.
    TooManyAtOnce {
        /// After this time the oldest have expired.
        retry_after: Duration,
    },
}

/// What came of a ticket.
pub(crate) enum EnterOutcome {
    /// The host has its token.
    Entered(EnteredSession),
    /// Unknown, used, expired, or made for another host or nonce: nobody is told which.
    Refused,
    /// The ticket was right, and its session has ended meanwhile.
    SessionEnded,
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
        signed_in: &SignedIn,
        host: &Host,
        nonce: NonceHash,
    ) -> Result<TicketOutcome, Fault> {
        let ticket = EnterTicket::draw(self.0.entropy.as_ref())?;
        let kept = Ticket {
            hash: ticket.digest(),
            session: signed_in.session(),
            host: host.clone(),
            nonce_hash: nonce.0,
            assurance: signed_in.assurance(),
            expires_at: self.0.clock.now().after(TICKET_LIFE),
        };
        match self.0.stores.tickets.insert(kept).await {
            Ok(()) => Ok(TicketOutcome::Issued(ticket)),
            Err(StoreError::Conflict(Conflict::Missing)) => Ok(TicketOutcome::SessionEnded),
            Err(StoreError::Conflict(Conflict::LimitReached)) => Ok(TicketOutcome::TooManyAtOnce {
                retry_after: TICKET_LIFE,
            }),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Spends a ticket on `host`; of any number of parallel uses one wins.
    pub(crate) async fn enter(
        &self,
        client: &ClientFacts,
        ticket: &EnterTicket,
        host: &Host,
        nonce: NonceHash,
    ) -> Result<EnterOutcome, Fault> {
        let now = self.0.clock.now();
        let token = SessionToken::draw(self.0.entropy.as_ref())?;
        let event = Event::HostEntered { host: host.clone() };
        let line = Draft {
            request: Some(client.request),
            personal: Personal {
                address: Some(client.address),
                ..Personal::default()
            },
            ..Draft::new(now, Actor::Anonymous, event)
        };
        let redemption = TicketRedemption {
            hash: ticket.digest(),
            host: host.clone(),
            nonce_hash: nonce.0,
            token: TokenHash(token.digest()),
            at: now,
            journal: vec![line],
        };
        let Some(live) = self.0.stores.tickets.redeem(redemption).await? else {
            let reason = SignInFailure::TicketRefused;
            self.0.note_dead_link(client, None, reason, now).await?;
            return Ok(EnterOutcome::Refused);
        };
        let record = &live.session.record;
        match judge(record, &live.facts, live.session.standing(), host, now) {
            Ok(_) => Ok(EnterOutcome::Entered(EnteredSession {
                token,
                ends_at: record.ends_at,
                computer: record.computer,
            })),
            Err(_) => Ok(EnterOutcome::SessionEnded),
        }
    }
}

/// How long a ticket is good for: the browser follows the redirect at once.
pub(crate) const TICKET_LIFE: Duration = Duration::from_mins(1);
