//! Operations on accounts.

use std::time::Duration;

use axum::{Extension, Json, Router, extract::State, routing::post};
use octroi_policy::{
    id::{Role, TenantName},
    session::TenantGrant,
};

use super::{
    Desk,
    facts::{
        self, Account, Accounts, AddRequest, Done, GrantRequest, HandedPassword, Invitation,
        InviteRequest, ListAccountsRequest, NewAccountRequest, OneAccount, Provisional,
        ResetRequest, RolesRequest,
    },
    passphrase,
    refusal::Refusal,
    times,
};
use crate::{
    identity::{
        accounts::{
            AccountFacts, AdminError, AdminRefusal, Language, NewAccount, Standing, changes::Grant,
        },
        client::Operator,
        invitations::InvitationLife,
    },
    portal::{
        self,
        letter::{self, Letter},
    },
};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/v1/accounts/add", post(add))
        .route("/v1/accounts/invite", post(invite))
        .route("/v1/accounts/list", post(list))
        .route("/v1/accounts/show", post(show))
        .route("/v1/accounts/lock", post(lock))
        .route("/v1/accounts/unlock", post(unlock))
        .route("/v1/accounts/roles", post(roles))
        .route("/v1/accounts/grant", post(grant))
        .route("/v1/accounts/reset", post(reset))
        .route("/v1/accounts/delete", post(delete))
}

type Answer<T> = Result<Json<T>, Refusal>;

async fn add(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<AddRequest>,
) -> Answer<Provisional> {
    let account = added(&desk, operator, request.new, request.password.as_ref()).await?;
    provide(&desk, operator, account, request.password)
        .await
        .map(Json)
}

async fn reset(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<ResetRequest>,
) -> Answer<Provisional> {
    let account = desk.identity.find_account(&request.account).await?;
    provide(&desk, operator, account, request.password)
        .await
        .map(Json)
}

async fn invite(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<InviteRequest>,
) -> Answer<Invitation> {
    let life = InvitationLife::new(Duration::from_hours(request.hours.into()))
        .ok_or_else(|| Refusal::refused("an invitation is good for 1 to 168 hours"))?;
    let account = match desk.identity.find_account(&request.new.account).await {
        Ok(account) => account,
        Err(AdminError::Refused(AdminRefusal::UnknownAccount | AdminRefusal::UnknownTenant)) => {
            added(&desk, operator, request.new, None).await?
        }
        Err(error) => return Err(error.into()),
    };
    let issued = desk.identity.invite(operator, account.id, life).await?;
    let site = desk.site.load();
    let letter = Letter::new(&site, &issued, portal::language::Language::French);
    let letter = letter.map_err(Refusal::unavailable)?;
    Ok(Json(Invitation {
        account: name_of(&account),
        link: letter::link(&site, &issued.token),
        expires_at: times::written(issued.expires_at),
        letter: letter.text,
        sheet: letter.html,
    }))
}

async fn list(
    State(desk): State<Desk>,
    Json(request): Json<ListAccountsRequest>,
) -> Answer<Accounts> {
    let tenant = request.tenant.as_deref().map(tenant_name).transpose()?;
    let (accounts, unreadable) = desk.identity.accounts(tenant.as_ref()).await?;
    Ok(Json(Accounts {
        accounts: accounts.into_iter().map(shown).collect(),
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    }))
}

async fn show(State(desk): State<Desk>, Json(request): Json<OneAccount>) -> Answer<Account> {
    let account = desk.identity.find_account(&request.account).await?;
    Ok(Json(shown(account)))
}

async fn lock(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<OneAccount>,
) -> Answer<Done> {
    let account = desk.identity.find_account(&request.account).await?;
    desk.identity.lock_account(operator, account.id).await?;
    Ok(done(&account, "is locked, and its sessions are ended"))
}

async fn unlock(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<OneAccount>,
) -> Answer<Done> {
    let account = desk.identity.find_account(&request.account).await?;
    desk.identity.unlock_account(operator, account.id).await?;
    Ok(done(&account, "is unlocked"))
}

async fn roles(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<RolesRequest>,
) -> Answer<Done> {
    let roles = roles_of(&request.roles)?;
    let account = desk.identity.find_account(&request.account).await?;
    desk.identity.set_roles(operator, account.id, roles).await?;
    Ok(done(
        &account,
        "has other roles, and its sessions are ended",
    ))
}

async fn grant(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<GrantRequest>,
) -> Answer<Done> {
    let tenant = tenant_name(&request.tenant)?;
    let grant = match request.hours {
        None => None,
        Some(hours @ 1..=GRANT_HOURS_MAX) => Some(Grant {
            roles: roles_of(&request.roles)?,
            life: Duration::from_hours(hours.into()),
        }),
        Some(_) => return Err(Refusal::refused("a grant lasts 1 to 8760 hours")),
    };
    let account = desk.identity.find_account(&request.account).await?;
    let set = desk
        .identity
        .set_grant(operator, account.id, &tenant, grant);
    set.await?;
    Ok(done(
        &account,
        "has other rights on that tenant, and its sessions are ended",
    ))
}

async fn delete(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<OneAccount>,
) -> Answer<Done> {
    let account = desk.identity.find_account(&request.account).await?;
    let is_complete = desk.identity.delete_account(operator, account.id).await?;
    let what = if is_complete {
        "is deleted, and the key to its personal data is destroyed"
    } else {
        "is deleted; the key to its personal data is not out of the files yet, because the disk failed or a reader such as a backup holds them: it is tried again each minute, and the log says why"
    };
    Ok(done(&account, what))
}

/// Adds an account, and its tenant where that was asked for.
async fn added(
    desk: &Desk,
    operator: Operator,
    new: NewAccountRequest,
    password: Option<&HandedPassword>,
) -> Result<AccountFacts, Refusal> {
    let (tenant, login) = new
        .account
        .split_once('/')
        .ok_or_else(|| Refusal::refused("an account is named TENANT/LOGIN"))?;
    let tenant = tenant_name(tenant)?;
    let roles = roles_of(&new.roles)?;
    let language = new.language.as_deref().map(language_of).transpose()?;
    if new.new_tenant {
        add_tenant(desk, operator, &tenant).await?;
    }
    let account = NewAccount {
        tenant,
        login: login.to_owned(),
        name: new.name,
        email: new.email,
        language,
        roles,
    };
    let judged = match password {
        Some(password) => {
            desk.identity
                .judge_provisional(&account, &password.typed())
                .await
        }
        None => Ok(()),
    };
    let made = match judged {
        Ok(()) => desk.identity.add_account(operator, account).await,
        Err(refused) => Err(refused),
    };
    match made {
        Ok(id) => Ok(desk.identity.account(id).await?),
        Err(AdminError::Refused(AdminRefusal::UnknownTenant)) => Err(Refusal::refused(
            "there is no such tenant; with --new-tenant it is made",
        )),
        Err(error) => Err(error.into()),
    }
}

/// A tenant that exists already is as good as a new one.
async fn add_tenant(desk: &Desk, operator: Operator, name: &TenantName) -> Result<(), Refusal> {
    let display_name = name.as_str().to_owned();
    let added = desk
        .identity
        .add_tenant(operator, name.clone(), display_name);
    match added.await {
        Ok(_) | Err(AdminError::Refused(AdminRefusal::TenantTaken)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Sets the provisional password that was handed in, or one that is made here.
async fn provide(
    desk: &Desk,
    operator: Operator,
    account: AccountFacts,
    given: Option<HandedPassword>,
) -> Result<Provisional, Refusal> {
    let (password, made) = if let Some(password) = given {
        (password.typed(), None)
    } else {
        let made = passphrase(&*desk.entropy).map_err(Refusal::unavailable)?;
        let made = HandedPassword::new(made);
        (made.typed(), Some(made))
    };
    let set = desk
        .identity
        .reset_password(operator, account.id, password)
        .await?;
    Ok(Provisional {
        account: name_of(&account),
        password: made,
        expires_at: times::written(set.expires_at),
    })
}

fn done(account: &AccountFacts, what: &str) -> Json<Done> {
    Json(Done {
        done: format!("{} {what}", name_of(account)),
    })
}

/// An account as operators name it: `TENANT/LOGIN`.
pub(super) fn name_of(account: &AccountFacts) -> String {
    format!("{}/{}", account.tenant, account.login)
}

fn shown(account: AccountFacts) -> Account {
    let (standing, expires_at, locked_at) = match account.standing {
        Standing::AwaitingPassword => ("awaiting_password", None, None),
        Standing::Locked { locked_at } => ("locked", None, Some(locked_at)),
        Standing::Provisional { expires_at } => ("provisional", Some(expires_at), None),
        Standing::Ready => ("ready", None, None),
    };
    Account {
        account: name_of(&account),
        id: account.id.to_string(),
        organisation: account.organisation,
        name: account.name,
        email: account.email,
        language: account
            .language
            .map(|language| language.as_str().to_owned()),
        roles: words(&account.roles),
        grants: account.grants.iter().map(shown_grant).collect(),
        standing: standing.to_owned(),
        expires_at: expires_at.map(times::written),
        locked_at: locked_at.map(times::written),
        created_at: times::written(account.created_at),
        password_changed_at: account.password_changed_at.map(times::written),
    }
}

fn shown_grant(grant: &TenantGrant) -> facts::Grant {
    facts::Grant {
        tenant: grant.tenant.to_string(),
        roles: words(&grant.roles),
        ends_at: times::written(grant.ends_at),
    }
}

fn words(roles: &[Role]) -> Vec<String> {
    roles.iter().map(ToString::to_string).collect()
}

fn roles_of(words: &[String]) -> Result<Vec<Role>, Refusal> {
    let parse = |role: &String| {
        role.parse()
            .map_err(|error| Refusal::refused(format!("role {role:?}: {error}")))
    };
    words.iter().map(parse).collect()
}

fn tenant_name(text: &str) -> Result<TenantName, Refusal> {
    text.parse()
        .map_err(|error| Refusal::refused(format!("tenant {text:?}: {error}")))
}

fn language_of(code: &str) -> Result<Language, Refusal> {
    Language::from_tag(code).ok_or_else(|| Refusal::refused("a language is fr or en"))
}

/// A year: rights on another tenant are lent, not given.
const GRANT_HOURS_MAX: u16 = 8_760;
