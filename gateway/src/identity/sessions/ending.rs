//! The ends of sessions: by their owner, by an operator, by another sign-in.

use octroi_policy::{
    host::Host,
    id::{AccountId, SessionId, TenantId},
    session::SessionRecord,
};

use super::{SignedIn, SignedOut};
use crate::{
    identity::{
        Fault, Identity, Services,
        client::{ClientFacts, Operator},
        secret::SessionToken,
        trace,
    },
    journal::event::{Actor, Draft, Event, Personal},
    store::sessions::{EndCause, EndReason, SessionEnding},
};

impl Identity {
    /// Ends one of the person's own sessions. `false` where they have no such live session.
    pub(crate) async fn end_own_session(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
        session: SessionId,
    ) -> Result<bool, Fault> {
        let owner = self.0.owner_of(session).await?;
        if owner.is_none_or(|(_, account)| account != signed_in.account()) {
            return Ok(false);
        }
        let at = self.0.clock.now();
        let cause = EndCause::EndedElsewhere;
        let event = Event::SessionEnded { cause };
        let journal = vec![trace::of_signed_in(client, signed_in, session, event, at)];
        self.0.end(session, EndReason { cause, at, journal }).await
    }

    /// Ends all of the person's sessions but this one; says how many.
    pub(crate) async fn end_other_sessions(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
    ) -> Result<usize, Fault> {
        let at = self.0.clock.now();
        let cause = EndCause::EndedElsewhere;
        let kept = Some(signed_in.session());
        let event = Event::SessionsEnded { cause, kept };
        let mut line = trace::of_signed_in(client, signed_in, signed_in.session(), event, at);
        line.session = None;
        let reason = EndReason {
            cause,
            at,
            journal: vec![line],
        };
        self.0.end_all(signed_in.account(), kept, reason).await
    }

    /// Signs out: the portal, all hosts, all unused tickets. `None` where nobody was signed in.
    /// Pending sessions end too.
    pub(crate) async fn sign_out(
        &self,
        client: &ClientFacts,
        token: &SessionToken,
        host: &Host,
    ) -> Result<Option<SignedOut>, Fault> {
        let services = &self.0;
        let Some(live) = services.live_token(token).await? else {
            return Ok(None);
        };
        if live.facts.host != *host {
            return Ok(None);
        }
        let record = &live.session.record;
        let at = services.clock.now();
        let cause = EndCause::SignedOut;
        let line = Draft {
            tenant: Some(record.tenant_id),
            account: Some(record.account),
            session: Some(record.id),
            request: Some(client.request),
            personal: Personal {
                address: Some(client.address),
                ..Personal::default()
            },
            ..Draft::new(
                at,
                Actor::Account(record.account),
                Event::SessionEnded { cause },
            )
        };
        // Its end comes first; what it had open elsewhere is only read to tell the person.
        let ended = services
            .end(
                record.id,
                EndReason {
                    cause,
                    at,
                    journal: vec![line],
                },
            )
            .await?;
        if !ended {
            return Ok(None);
        }
        let portal = services.settings.load().portal.clone();
        let seen = services.stores.sessions.find(record.id).await?;
        let mut hosts = seen.map_or_else(Vec::new, |seen| seen.hosts);
        hosts.retain(|host| *host != portal);
        Ok(Some(SignedOut {
            computer: record.computer,
            hosts,
        }))
    }

    /// Ends a session on an operator's behalf. `false` where there is no such live session.
    pub(crate) async fn revoke_session(
        &self,
        operator: Operator,
        session: SessionId,
    ) -> Result<bool, Fault> {
        let Some((tenant, account)) = self.0.owner_of(session).await? else {
            return Ok(false);
        };
        let at = self.0.clock.now();
        let cause = EndCause::Revoked;
        let mut line = Draft::new(at, operator.into(), Event::SessionEnded { cause });
        line.tenant = Some(tenant);
        line.account = Some(account);
        line.session = Some(session);
        self.0
            .end(
                session,
                EndReason {
                    cause,
                    at,
                    journal: vec![line],
                },
            )
            .await
    }

    /// Ends all sessions of an account on an operator's behalf; says how many.
    pub(crate) async fn revoke_sessions_of(
        &self,
        operator: Operator,
        account: AccountId,
    ) -> Result<usize, Fault> {
        let at = self.0.clock.now();
        let cause = EndCause::Revoked;
        let event = Event::SessionsEnded { cause, kept: None };
        let mut line = Draft::new(at, operator.into(), event);
        line.account = Some(account);
        self.0
            .end_all(
                account,
                None,
                EndReason {
                    cause,
                    at,
                    journal: vec![line],
                },
            )
            .await
    }
}

impl Services {
    /// The session that a browser's earlier token for the portal belongs to.
    pub(in crate::identity) async fn session_of(
        &self,
        token: Option<&SessionToken>,
    ) -> Result<Option<SessionId>, Fault> {
        let Some(token) = token else {
            return Ok(None);
        };
        let live = self.live_token(token).await?;
        let portal = &self.settings.load().portal;
        Ok(live
            .filter(|live| live.facts.host == *portal)
            .map(|live| live.session.record.id))
    }

    /// Whose session it is, by tenant and account. Memory is asked first: what has to be ended lives
    /// there, and nothing that is slow or damaged in the store may stand before its end.
    async fn owner_of(&self, session: SessionId) -> Result<Option<(TenantId, AccountId)>, Fault> {
        let sessions = &self.stores.sessions;
        let owner = |record: &SessionRecord| (record.tenant_id, record.account);
        if let Some(live) = sessions.live(session) {
            return Ok(Some(owner(&live.record)));
        }
        let found = sessions.find(session).await?;
        Ok(found.map(|found| owner(&found.record)))
    }

    /// The account's sessions that live, as memory has them.
    pub(in crate::identity) fn live_of(&self, account: AccountId) -> Vec<SessionId> {
        let live = self.stores.sessions.live_of(account);
        live.iter().map(|live| live.record.id).collect()
    }

    /// Ends a session and what it has open. What is open ends even where the store fails: in
    /// memory the session is dead by then.
    pub(in crate::identity) async fn end(
        &self,
        session: SessionId,
        reason: EndReason,
    ) -> Result<bool, Fault> {
        let ended = self
            .stores
            .sessions
            .end(SessionEnding { session, reason })
            .await;
        self.ender.end_session(session);
        Ok(ended?)
    }

    async fn end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
        reason: EndReason,
    ) -> Result<usize, Fault> {
        let mut open = self.live_of(account);
        open.retain(|id| Some(*id) != except);
        let ended = self.stores.sessions.end_all(account, except, reason).await;
        for id in open {
            self.ender.end_session(id);
        }
        // One that was opened between the two look-ups.
        let ended = ended?;
        for id in &ended {
            self.ender.end_session(*id);
        }
        Ok(ended.len())
    }
}
