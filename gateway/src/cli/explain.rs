//! `octroi explain`: whether a request would pass, and by which rule.

#[cfg(test)]
mod tests;

use std::{fmt, net::Ipv4Addr, sync::Arc, time::Duration};

use clap::Args;
use http::{HeaderMap, HeaderValue, Method, header};
use octroi_config::Settings;
use octroi_policy::{
    assurance::Assurance,
    decision::{Decision, Explanation, HostMatch, explain},
    host::Host,
    id::{AccountId, SessionId, TenantId},
    request::{CanonicalRequest, RequestParts, Scheme},
    rule::Route,
    session::{
        Computer, SessionEpoch, SessionRecord, Stage, Standing, TenantGrant, TokenFacts, judge,
    },
    subject::Subject,
    time::Timestamp,
};
use serde::Serialize;

use super::{Failure, GatewayAt, Outcome, Output, connection::Connection};
use crate::{
    admin::{facts, times},
    clock::{Clock, SystemClock},
};

/// What `explain` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
Nothing is sent anywhere: the routes of the file are asked, and with --as the account as it is stored.
Exit code 0: it would pass; 1: it would not, or only after signing in.

Example: octroi explain GET https://paie.example.com/slips --as acme/marie")]
pub(crate) struct Arguments {
    /// The method, such as GET
    #[arg(value_name = "METHOD")]
    method: String,
    /// The whole address, such as <https://paie.example.com/slips>
    #[arg(value_name = "URL")]
    url: String,
    /// Who asks; nobody is signed in without it
    #[arg(long = "as", value_name = "TENANT/LOGIN")]
    account: Option<String>,
    #[command(flatten)]
    config: GatewayAt,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Outcome {
    let environment = std::env::vars_os().collect();
    let settings = octroi_config::load(&arguments.config.file.path, &environment)
        .map_err(|problems| Failure::Refused(problems.to_string()))?
        .settings;
    let person = match &arguments.account {
        Some(account) => Some(Person::of(find(account, &arguments.config)?)?),
        None => None,
    };
    let story = story(
        &settings,
        &arguments.method,
        &arguments.url,
        person.as_ref(),
        SystemClock.now(),
    )?;
    output.fact(&story);
    if [PERMIT, OWN_PAGE].contains(&story.verdict.as_str()) {
        Ok(())
    } else {
        Err(Failure::Shown)
    }
}

fn find(account: &str, config: &GatewayAt) -> Result<facts::Account, Failure> {
    let request = facts::OneAccount {
        account: account.to_owned(),
    };
    Connection::open(config)?.ask("/v1/accounts/show", &request)
}

/// Who asks, as a session that began this moment would have it.
#[derive(Debug)]
struct Person {
    name: String,
    record: SessionRecord,
    /// What it may do, in words.
    holds: String,
    /// Why the person could not sign in at all.
    hindered: Option<String>,
}

impl Person {
    fn of(account: facts::Account) -> Result<Self, Failure> {
        let odd = |what: &str| Failure::Unavailable(format!("the store tells an odd {what}"));
        let (tenant, _) = account
            .account
            .split_once('/')
            .ok_or_else(|| odd("account"))?;
        let roles: Result<Arc<[_]>, _> = account.roles.iter().map(|role| role.parse()).collect();
        let grants: Option<Box<[_]>> = account.grants.iter().map(granted).collect();
        let record = SessionRecord {
            id: SessionId::from_bytes([0; 16]),
            account: account
                .id
                .parse::<AccountId>()
                .map_err(|_| odd("account id"))?,
            tenant_id: TenantId::from_bytes([0; 16]),
            tenant: tenant.parse().map_err(|_| odd("tenant"))?,
            roles: roles.map_err(|_| odd("role"))?,
            grants: grants.ok_or_else(|| odd("grant"))?,
            epoch: SessionEpoch(0),
            stage: Stage::Full,
            computer: Computer::Private,
            started_at: Timestamp::EPOCH,
            authenticated_at: Timestamp::EPOCH,
            ends_at: Timestamp::EPOCH.after(Duration::MAX),
            idle_limit: Duration::MAX,
        };
        let holds = holds(tenant, &account);
        let hindered = (account.standing != "ready").then_some(account.standing);
        Ok(Self {
            name: account.account,
            record,
            holds,
            hindered,
        })
    }
}

/// What an account holds, to be read beside what a route wants.
fn holds(tenant: &str, account: &facts::Account) -> String {
    let in_words = |roles: &[String]| match roles {
        [] => "no role".to_owned(),
        [role] => format!("the role {role}"),
        roles => format!("the roles {}", roles.join(", ")),
    };
    let lent = account.grants.iter().map(|grant| {
        let (roles, tenant, until) = (in_words(&grant.roles), &grant.tenant, &grant.ends_at);
        format!("{roles} for the tenant {tenant} until {until}")
    });
    let own = format!("{} in the tenant {tenant}", in_words(&account.roles));
    let all: Vec<String> = std::iter::once(own).chain(lent).collect();
    all.join("; ")
}

fn granted(grant: &facts::Grant) -> Option<TenantGrant> {
    let roles = grant.roles.iter().map(|role| role.parse().ok());
    Some(TenantGrant {
        tenant: grant.tenant.parse().ok()?,
        roles: roles.collect::<Option<_>>()?,
        ends_at: times::read(&grant.ends_at).ok()?,
    })
}

/// Asks the routes.
fn story(
    settings: &Settings,
    method: &str,
    url: &str,
    person: Option<&Person>,
    now: Timestamp,
) -> Result<Story, Failure> {
    let asked = Asked::read(method, url)?;
    let mut story = Story {
        method: method.to_owned(),
        url: url.to_owned(),
        account: person.map(|person| person.name.clone()),
        verdict: String::new(),
        once_signed_in: None,
        route: None,
        passes: None,
        holds: person.map(|person| person.holds.clone()),
        host: None,
        upstreams: Vec::new(),
        considered: Vec::new(),
        note: None,
    };
    let request = match asked.request() {
        Ok(request) => request,
        Err(malformed) => {
            malformed.as_str().clone_into(&mut story.verdict);
            story.note = Some("no server may read this request in its own way".to_owned());
            return Ok(story);
        }
    };
    if *request.host() == settings.server.portal || is_reserved(&request) {
        OWN_PAGE.clone_into(&mut story.verdict);
        story.note = Some("the gateway answers itself; no route is asked".to_owned());
        return Ok(story);
    }
    let subject = |person| subject_of(person, request.host(), now);
    let ask = |subject| explain(settings.routes.table(), &request, subject, now);
    let ready = person.filter(|person| person.hindered.is_none());
    story.tell(&ask(ready.and_then(subject)), settings);
    if let Some(hindered) = person.and_then(|person| person.hindered.as_ref()) {
        // Whoever was invited a moment ago is asked for here before a route is switched on.
        let (verdict, _) = told_by(&ask(person.and_then(subject)).decision);
        story.once_signed_in = Some(verdict.to_owned());
        story.note = Some(format!(
            "the account is {}, so nobody is signed in with it yet; once somebody is: {verdict}",
            hindered.replace('_', " ")
        ));
    }
    Ok(story)
}

/// Somebody who signed in this moment, and was let enter this host.
fn subject_of<'a>(person: &'a Person, host: &Host, now: Timestamp) -> Option<Subject<'a>> {
    let token = TokenFacts {
        host: host.clone(),
        assurance: Assurance::Password,
        issued_at: now,
    };
    let standing = Standing {
        account_epoch: Some(SessionEpoch(0)),
        last_used_at: now,
        ended: false,
    };
    judge(&person.record, &token, standing, host, now).ok()
}

/// A request that somebody thought of.
struct Asked {
    method: Method,
    target: String,
    headers: HeaderMap,
}

impl Asked {
    fn read(method: &str, url: &str) -> Result<Self, Failure> {
        let wrong = || Failure::Usage(format!("{url:?} is not an address like https://host/path"));
        let method = method
            .parse()
            .map_err(|_| Failure::Usage(format!("{method:?} is not a method")))?;
        let rest = url.strip_prefix("https://").ok_or_else(wrong)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, target) = rest.split_at_checked(end).ok_or_else(wrong)?;
        let mut headers = HeaderMap::new();
        let host = HeaderValue::from_str(host).map_err(|_| wrong())?;
        headers.insert(header::HOST, host);
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        Ok(Self {
            method,
            target,
            headers,
        })
    }

    fn request(&self) -> Result<CanonicalRequest, octroi_policy::request::Malformed> {
        CanonicalRequest::from_parts(&RequestParts {
            scheme: Scheme::Https,
            method: &self.method,
            target: self.target.as_bytes(),
            parsed_target: None,
            authority: None,
            headers: &self.headers,
            server_name: None,
            client: Ipv4Addr::LOCALHOST.into(),
        })
    }
}

/// What would become of a request.
#[derive(Debug, Serialize)]
struct Story {
    method: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// `permit`, or the stable id of what stands in the way.
    verdict: String,
    /// The verdict for an account that cannot be signed in to now, once it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    once_signed_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// Whom the route lets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<String>,
    /// What the account holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    upstreams: Vec<String>,
    considered: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A route that was looked at.
#[derive(Debug, Serialize)]
struct Step {
    route: String,
    host: String,
    path: String,
    methods: Vec<String>,
    outcome: &'static str,
}

impl Story {
    fn tell(&mut self, explanation: &Explanation<'_>, settings: &Settings) {
        let (verdict, route) = told_by(&explanation.decision);
        let index = match &explanation.decision {
            Decision::Permit(permit) => Some(permit.route_index()),
            Decision::Challenge(challenge) => Some(challenge.index),
            Decision::Deny(_) => None,
        };
        verdict.clone_into(&mut self.verdict);
        self.route = route.map(|route| route.name.to_string());
        self.passes = route.map(|route| route.access.to_string());
        self.host = match &explanation.host {
            HostMatch::Pattern(pattern) => Some(pattern.to_string()),
            HostMatch::Unknown => None,
        };
        let way = index.and_then(|index| settings.routes.get(index));
        self.upstreams = way.map_or_else(Vec::new, |way| {
            way.to.iter().map(ToString::to_string).collect()
        });
        self.considered = explanation
            .considered
            .iter()
            .map(|it| Step {
                route: it.route.name.to_string(),
                host: it.route.host.to_string(),
                path: it.route.path.to_string(),
                methods: it.route.methods.iter().map(ToString::to_string).collect(),
                outcome: it.outcome.as_str(),
            })
            .collect();
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.account.as_deref().unwrap_or("nobody signed in");
        write!(f, "{} {} as {who}: {}", self.method, self.url, self.verdict)?;
        if let Some(route) = &self.route {
            write!(f, " by route {route}")?;
        }
        for step in &self.considered {
            let methods = match step.methods.as_slice() {
                [] => "all methods".to_owned(),
                methods => methods.join(" "),
            };
            write!(
                f,
                "\n  {:<13} {}: {}{} for {methods}",
                step.outcome, step.route, step.host, step.path
            )?;
        }
        if let Some(passes) = &self.passes {
            write!(f, "\n  lets in {passes}")?;
        }
        if let (Some(account), Some(holds)) = (&self.account, &self.holds) {
            write!(f, "\n  {account} holds {holds}")?;
        }
        if !self.upstreams.is_empty() {
            write!(f, "\n  to {}", self.upstreams.join(", "))?;
        }
        match &self.note {
            Some(note) => write!(f, "\n  {note}"),
            None => Ok(()),
        }
    }
}

/// The verdict, and the route that decided.
fn told_by<'a>(decision: &Decision<'a>) -> (&'static str, Option<&'a Route>) {
    match decision {
        Decision::Permit(permit) => (PERMIT, Some(permit.route())),
        Decision::Challenge(challenge) => (challenge.kind.as_str(), Some(challenge.route)),
        Decision::Deny(denial) => (denial.reason.as_str(), denial.route),
    }
}

/// Whether the gateway keeps the path for itself, on every host.
fn is_reserved(request: &CanonicalRequest) -> bool {
    request.path().as_str().split('/').nth(1) == Some(".octroi")
}

/// The verdict of a request that no route decides on.
const OWN_PAGE: &str = "own_page";
/// The verdict of a request that passes.
const PERMIT: &str = "permit";
