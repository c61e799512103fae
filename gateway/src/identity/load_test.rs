//! Sessions by the thousand, for benchmarks. Not part of a build that ships: whoever could make a
//! session without a password could be anybody.

use std::net::{IpAddr, Ipv4Addr};

use octroi_policy::{
    host::Host,
    id::{RequestId, TenantName},
    session::{Computer, Stage},
};

use super::{
    Identity,
    accounts::{AdminError, AdminRefusal, NewAccount},
    client::{ClientFacts, Operator},
    secret::SessionToken,
    sign_in::opening::Opening,
};
use crate::{entropy::random, identity::Fault};

impl Identity {
    /// Makes `accounts` accounts in `tenant` and `sessions` sessions spread over them, each with a
    /// token for `host`; gives the last token.
    pub(crate) async fn seed_sessions(
        &self,
        tenant: &TenantName,
        host: &Host,
        accounts: u32,
        sessions: u32,
    ) -> Result<Option<SessionToken>, AdminError> {
        let mut people = Vec::new();
        for number in 0..accounts {
            let new = NewAccount {
                tenant: tenant.clone(),
                login: format!("load-{number}"),
                name: None,
                email: None,
                language: None,
                roles: Vec::new(),
            };
            people.push(self.add_account(Operator::System, new).await?);
        }
        let mut last = None;
        for (id, _) in people.iter().cycle().zip(0..sessions) {
            let account = self
                .0
                .stores
                .accounts
                .by_id(*id)
                .await
                .map_err(Fault::from)?;
            let account = account.ok_or(AdminRefusal::UnknownAccount)?;
            let now = self.0.clock.now();
            let client = ClientFacts {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                user_agent: Some("load test".into()),
                request: RequestId::from_random(
                    random(self.0.entropy.as_ref()).map_err(Fault::from)?,
                ),
            };
            let opening = Opening {
                account: &account,
                epoch: account.epoch,
                stage: Stage::Full,
                computer: Computer::Private,
                started_at: now,
                ends_at: now.after(self.0.settings.load().session_life),
            };
            let (token, mut opening) = self.0.opening(&client, &opening, now)?;
            opening.token.facts.host = host.clone();
            self.0
                .stores
                .sessions
                .open(opening)
                .await
                .map_err(Fault::from)?;
            last = Some(token);
        }
        Ok(last)
    }
}
