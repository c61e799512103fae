//! The demo's people: made up, in two organisations that both have a `marie`.

use std::{net::IpAddr, path::Path};

use octroi_policy::{id::RequestId, session::Computer};
use serde::{Deserialize, Serialize};

use super::{DemoFault, files};
use crate::{
    admin::passphrase,
    entropy::{Entropy, random},
    identity::{
        Identity,
        accounts::{AccountFacts, AdminError, AdminRefusal, Language, NewAccount, Standing},
        client::{ClientFacts, Operator},
        invitations::{InvitationAnswer, InvitationLife, InvitationOutcome},
        secret::TypedPassword,
    },
};

/// One account, as `demo.json` tells it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Person {
    /// The login within the tenant.
    pub(super) login: String,
    /// The password; known to everybody who can read the demo's directory.
    pub(super) password: String,
    /// The organisation.
    pub(super) tenant: String,
    /// The roles.
    pub(super) roles: Vec<String>,
    /// Whether the password must be changed at the first sign-in.
    pub(super) provisional: bool,
}

/// The people of this installation, with passwords that are drawn once and then kept in `file`.
/// They are kept before the first account is made, so that an interrupted setup can go on.
pub(super) fn recorded(file: &Path, entropy: &dyn Entropy) -> Result<Vec<Person>, DemoFault> {
    if let Some(text) = files::read_if_there(file)? {
        return serde_json::from_str(&text).map_err(|error| DemoFault::Malformed {
            file: file.to_owned(),
            error,
        });
    }
    let draw = |fixture: &Fixture| {
        Ok(Person {
            login: fixture.login.to_owned(),
            password: passphrase(entropy)?.to_string(),
            tenant: fixture.tenant.to_owned(),
            roles: fixture.roles.iter().map(|&role| role.to_owned()).collect(),
            provisional: fixture.provisional,
        })
    };
    let people = FIXTURES
        .iter()
        .map(draw)
        .collect::<Result<Vec<_>, DemoFault>>()?;
    let text = serde_json::to_string_pretty(&people).map_err(|error| DemoFault::Malformed {
        file: file.to_owned(),
        error,
    })?;
    files::write(file, text.as_bytes(), files::Readers::Owner)?;
    Ok(people)
}

/// Makes the organisations and accounts that are missing, the way an operator and the person
/// would: the ready ones follow an invitation, the others have a provisional password.
pub(super) async fn settle(
    identity: &Identity,
    people: &[Person],
    entropy: &dyn Entropy,
) -> Result<(), DemoFault> {
    for (name, display_name) in TENANTS {
        let name = name.parse().map_err(DemoFault::other)?;
        match identity
            .add_tenant(Operator::System, name, display_name.to_owned())
            .await
        {
            Ok(_) | Err(AdminError::Refused(AdminRefusal::TenantTaken)) => {}
            Err(error) => return Err(DemoFault::other(error)),
        }
    }
    for person in people {
        settle_one(identity, person, entropy).await?;
    }
    Ok(())
}

async fn settle_one(
    identity: &Identity,
    person: &Person,
    entropy: &dyn Entropy,
) -> Result<(), DemoFault> {
    let account = match identity
        .find_account(&format!("{}/{}", person.tenant, person.login))
        .await
    {
        Ok(account) => account,
        Err(AdminError::Refused(AdminRefusal::UnknownAccount)) => add(identity, person).await?,
        Err(error) => return Err(DemoFault::other(error)),
    };
    let password = TypedPassword::new(person.password.clone());
    match (account.standing, person.provisional) {
        (Standing::AwaitingPassword, false) => accept(identity, &account, password, entropy).await,
        // A day later the provisional ones would have expired: a demo begins anew.
        (Standing::AwaitingPassword | Standing::Provisional { .. }, true) => {
            let reset = identity.reset_password(Operator::System, account.id, password);
            reset.await.map(|_| ()).map_err(DemoFault::other)
        }
        (Standing::Provisional { .. } | Standing::Ready | Standing::Locked { .. }, _) => Ok(()),
    }
}

async fn add(identity: &Identity, person: &Person) -> Result<AccountFacts, DemoFault> {
    let fixture = FIXTURES
        .iter()
        .find(|fixture| fixture.login == person.login && fixture.tenant == person.tenant);
    let new = NewAccount {
        tenant: person.tenant.parse().map_err(DemoFault::other)?,
        login: person.login.clone(),
        name: fixture.map(|fixture| fixture.name.to_owned()),
        email: None,
        language: Some(Language::French),
        roles: person
            .roles
            .iter()
            .map(|role| role.parse().map_err(DemoFault::other))
            .collect::<Result<_, _>>()?,
    };
    let id = identity
        .add_account(Operator::System, new)
        .await
        .map_err(DemoFault::other)?;
    identity.account(id).await.map_err(DemoFault::other)
}

/// Follows an invitation, and leaves no session behind.
async fn accept(
    identity: &Identity,
    account: &AccountFacts,
    password: TypedPassword,
    entropy: &dyn Entropy,
) -> Result<(), DemoFault> {
    let invite = identity.invite(Operator::System, account.id, InvitationLife::DEFAULT);
    let issued = invite.await.map_err(DemoFault::other)?;
    let client = ClientFacts {
        address: IpAddr::from([127, 0, 0, 1]),
        user_agent: None,
        request: RequestId::from_random(random(entropy)?),
    };
    let answer = InvitationAnswer {
        token: issued.token,
        password,
        computer: Computer::Public,
        replaces: None,
    };
    match identity
        .accept_invitation(&client, answer)
        .await
        .map_err(DemoFault::other)?
    {
        InvitationOutcome::Accepted(_) => {}
        InvitationOutcome::Dead => return Err(DemoFault::Said("the invitation is dead")),
        InvitationOutcome::NotAcceptable(_) => {
            return Err(DemoFault::Said("the password that was drawn breaks a rule"));
        }
        InvitationOutcome::Busy { .. } => {
            return Err(DemoFault::Said("too many passwords are being hashed"));
        }
    }
    let ended = identity
        .revoke_sessions_of(Operator::System, account.id)
        .await;
    ended.map(|_| ()).map_err(DemoFault::other)
}

struct Fixture {
    tenant: &'static str,
    login: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
    provisional: bool,
}

const fn ready(
    tenant: &'static str,
    login: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
) -> Fixture {
    Fixture {
        tenant,
        login,
        name,
        roles,
        provisional: false,
    }
}

const fn provisional(
    tenant: &'static str,
    login: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
) -> Fixture {
    Fixture {
        tenant,
        login,
        name,
        roles,
        provisional: true,
    }
}

/// The two organisations, as routes and as people name them.
const TENANTS: [(&str, &str); 2] = [("acme", "ACME"), ("globex", "Globex")];

const FIXTURES: [Fixture; 9] = [
    ready("acme", "marie", "Marie Dupont", &["occupant", "rh"]),
    ready("globex", "marie", "Marie Peeters", &["occupant", "rh"]),
    ready("acme", "paul", "Paul Bernard", &["occupant"]),
    ready("acme", "lea", "Léa Martin", &["reception"]),
    ready("acme", "samir", "Samir Haddad", &["it"]),
    ready("acme", "visite", "Borne d’accueil", &["visitor"]),
    ready("globex", "tom", "Tom Wouters", &["occupant"]),
    provisional("acme", "jean", "Jean Petit", &["occupant"]),
    provisional("globex", "ines", "Inès Claes", &["rh"]),
];

#[cfg(test)]
mod tests;
