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
    id::{AccountId, SessionId, TenantId},
    request::{CanonicalRequest, RequestParts, Scheme},
    session::{
        Computer, SessionEpoch, SessionRecord, Stage, Standing, TenantGrant, TokenFacts, judge,
    },
    time::Timestamp,
};
use serde::Serialize;

use super::{ConfigFile, Failure, Outcome, Output, connection::Connection};
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
    config: ConfigFile,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Outcome {
    let environment = std::env::vars_os().collect();
    let settings = octroi_config::load(&arguments.config.path, &environment)
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

fn find(account: &str, config: &ConfigFile) -> Result<facts::Account, Failure> {
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
        let hindered = (account.standing != "ready").then_some(account.standing);
        Ok(Self {
            name: account.account,
            record,
            hindered,
        })
    }
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
        route: None,
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
    let token = TokenFacts {
        host: request.host().clone(),
        assurance: Assurance::Password,
        issued_at: now,
    };
    let standing = Standing {
        account_epoch: Some(SessionEpoch(0)),
        last_used_at: now,
        ended: false,
    };
    let ready = person.filter(|person| person.hindered.is_none());
    let subject =
        ready.and_then(|person| judge(&person.record, &token, standing, &token.host, now).ok());
    story.tell(
        &explain(settings.routes.table(), &request, subject, now),
        settings,
    );
    if let Some(hindered) = person.and_then(|person| person.hindered.as_ref()) {
        story.note = Some(format!(
            "the account is {}, so nobody is signed in with it yet",
            hindered.replace('_', " ")
        ));
    }
    Ok(story)
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
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
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
        let (verdict, route, index) = match &explanation.decision {
            Decision::Permit(permit) => (PERMIT, Some(permit.route()), Some(permit.route_index())),
            Decision::Challenge(challenge) => (
                challenge.kind.as_str(),
                Some(challenge.route),
                Some(challenge.index),
            ),
            Decision::Deny(denial) => (denial.reason.as_str(), denial.route, None),
        };
        verdict.clone_into(&mut self.verdict);
        self.route = route.map(|route| route.name.to_string());
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
        if !self.upstreams.is_empty() {
            write!(f, "\n  to {}", self.upstreams.join(", "))?;
        }
        match &self.note {
            Some(note) => write!(f, "\n  {note}"),
            None => Ok(()),
        }
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
