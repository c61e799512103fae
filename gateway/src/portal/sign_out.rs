//! Signing out: GET asks, POST does, on the portal and on every application host.
//!
//! After a session on a shared computer the browser visits each host that was used, and each tells
//! it to clear what it keeps. The way from host to host is a sealed list, so that nobody can
//! be sent around by a link of somebody else's making.

use std::time::Duration;

use askama::Template;
use axum::{
    Form,
    extract::{Query, rejection::FormRejection},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use data_encoding::BASE64URL_NOPAD;
use octroi_policy::{host::Host, session::Computer, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ask::{Ask, Framed},
    cookies, failure,
    frame::{Frame, answer, see_other, with_cookies},
    parts::{Notice, NoticeKind, distrust},
};
use crate::{
    entropy::EntropyUnavailable,
    identity::{
        Fault,
        secret::SessionToken,
        sessions::{Presence, SignedIn, SignedOut},
    },
    keyring::Purpose,
};

/// What the query may carry.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Visit {
    round: String,
}

/// The form as sent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignOutForm {
    form: String,
}

/// `GET /.octroi/logout`: asks; or goes on with a round; or says that nobody is signed in.
pub(super) async fn show(ask: Ask, Query(visit): Query<Visit>) -> Response {
    let presence = ask.presence().await;
    if let Some(round) = Round::open(&ask, &visit.round)
        && may_go_round(&ask, presence.as_ref().ok())
    {
        return go_round(&ask, round);
    }
    match presence {
        Err(fault) => failure::fault(&ask, &fault),
        Ok(Presence::SignedIn(signed_in)) => {
            let hosts = match other_hosts(&ask, &signed_in).await {
                Ok(hosts) => hosts,
                Err(fault) => return failure::fault(&ask, &fault),
            };
            confirm(&ask, StatusCode::OK, &hosts, None)
        }
        Ok(Presence::MustChangePassword(_)) => confirm(&ask, StatusCode::OK, &[], None),
        Ok(Presence::NotPresented | Presence::Rejected(_)) => {
            let page = Farewell {
                visit: None,
                cleared: Vec::new(),
                is_public: false,
            };
            page.answer(&ask, [cookies::clear(cookies::SESSION)])
        }
    }
}

/// `POST /.octroi/logout`: ends the session, everywhere.
pub(super) async fn submit(ask: Ask, form: Result<Form<SignOutForm>, FormRejection>) -> Response {
    let Ok(Form(form)) = form else {
        return failure::unreadable_form(&ask);
    };
    if let Err(forgery) = ask.check_form(&form.form) {
        return confirm(
            &ask,
            StatusCode::FORBIDDEN,
            &[],
            Some(distrust(&ask, forgery)),
        );
    }
    match ended(&ask, ask.token()).await {
        Err(response) => response,
        Ok(None) => {
            let page = Farewell {
                visit: None,
                cleared: Vec::new(),
                is_public: false,
            };
            page.answer(&ask, [cookies::clear(cookies::SESSION)])
        }
        Ok(Some(signed_out)) => farewell(&ask, &signed_out),
    }
}

async fn ended(ask: &Ask, token: Option<&SessionToken>) -> Result<Option<SignedOut>, Response> {
    let Some(token) = token else {
        return Ok(None);
    };
    ask.identity()
        .sign_out(&ask.visitor.client, token, &ask.visitor.host)
        .await
        .map_err(|fault| failure::fault(ask, &fault))
}

/// The page after the session ended: the end, or the first step of the round of hosts.
fn farewell(ask: &Ask, signed_out: &SignedOut) -> Response {
    let is_public = signed_out.computer == Computer::Public;
    let mut round = Round {
        left: Vec::new(),
        cleared: vec![ask.visitor.host.to_string()],
        expires_at_millis: ask.now.after(ROUND_LIFE).as_unix_millis(),
    };
    if is_public {
        round.left = signed_out
            .hosts
            .iter()
            .chain([&ask.site.portal])
            .filter(|host| **host != ask.visitor.host)
            .map(ToString::to_string)
            .collect();
        round.left.reverse();
    }
    let visit = match round.next_step(ask) {
        Ok(visit) => visit,
        Err(fault) => return failure::fault(ask, &fault.into()),
    };
    let cleared = if is_public && visit.is_none() {
        round.cleared
    } else {
        Vec::new()
    };
    let page = Farewell {
        visit,
        cleared,
        is_public,
    };
    let mut response = page.answer(ask, [cookies::clear(cookies::SESSION)]);
    let data = if is_public { CLEAR_ALL } else { CLEAR_PAGES };
    response.headers_mut().insert(CLEAR_SITE_DATA, data);
    response
}

/// Whether this browser is the one whose session ended: it has none left here, and it comes as a
/// page. Sent to somebody else, or loaded as a picture, the link of a round must not clear what
/// they have open.
fn may_go_round(ask: &Ask, presence: Option<&Presence>) -> bool {
    let has_session = !matches!(
        presence,
        Some(Presence::NotPresented | Presence::Rejected(_))
    );
    !has_session && ask.is_page()
}

/// A host on the round: clears, and sends the browser on.
fn go_round(ask: &Ask, mut round: Round) -> Response {
    round.cleared.push(ask.visitor.host.to_string());
    let step = match round.next_step(ask) {
        Ok(step) => step,
        Err(fault) => return failure::fault(ask, &fault.into()),
    };
    let mut response = match step {
        Some(step) => see_other(&step.href),
        None => Farewell {
            visit: None,
            cleared: round.cleared,
            is_public: true,
        }
        .answer(ask, [cookies::clear(cookies::SESSION)]),
    };
    response.headers_mut().insert(CLEAR_SITE_DATA, CLEAR_ALL);
    response
}

/// The services that the session has entered.
async fn other_hosts(ask: &Ask, signed_in: &SignedIn) -> Result<Vec<String>, Fault> {
    let sessions = ask.identity().own_sessions(signed_in).await?;
    let this = sessions
        .into_iter()
        .find(|session| session.id == signed_in.session());
    let hosts = this.map(|session| session.hosts).unwrap_or_default();
    Ok(hosts
        .iter()
        .filter(|host| **host != ask.site.portal)
        .map(ToString::to_string)
        .collect())
}

fn confirm(ask: &Ask, status: StatusCode, hosts: &[String], notice: Option<Notice>) -> Response {
    let title = ask.texts.get("signout-title");
    // The token's session may be pending or full: the form is bound to the token either way.
    let Framed { mut frame, cookie } = ask.frame_in_pending_session(title);
    frame.has_problems = notice
        .as_ref()
        .is_some_and(|notice| notice.kind == NoticeKind::Refused);
    let is_portal = ask.visitor.host == ask.site.portal;
    let stay = if is_portal { "/.octroi/account" } else { "/" };
    let what = if hosts.is_empty() {
        ask.texts.get("signout-ask-plain")
    } else {
        ask.texts.with("signout-ask", "hosts", &hosts.join(", "))
    };
    let body = SignOutPage {
        frame,
        notice,
        what,
        stay,
    };
    with_cookies(answer(status, ask.language(), &body), [cookie])
}

/// The hosts that are still to be visited, and those that were. The next one stands last.
#[derive(Deserialize, Serialize)]
struct Round {
    left: Vec<String>,
    cleared: Vec<String>,
    expires_at_millis: i64,
}

impl Round {
    /// The round in the query, if it is of our making, of this hour, and for this host.
    fn open(ask: &Ask, text: &str) -> Option<Self> {
        let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let context = context(ask, ask.visitor.host.as_str());
        let plain = ask
            .portal
            .keyring
            .open(Purpose::SealedCookie, &context, &sealed)
            .ok()?;
        let round: Self = serde_json::from_slice(&plain).ok()?;
        let is_current = ask.now < Timestamp::from_unix_millis(round.expires_at_millis);
        is_current.then_some(round)
    }

    /// The link to the next host, which is taken off the list; `None` at the end.
    fn next_step(&mut self, ask: &Ask) -> Result<Option<Step>, EntropyUnavailable> {
        let Some(next) = self.left.pop() else {
            return Ok(None);
        };
        let Ok(host) = next.parse::<Host>() else {
            return Ok(None);
        };
        let plain = serde_json::to_vec(self).unwrap_or_default();
        let sealed = ask.portal.keyring.seal(
            Purpose::SealedCookie,
            &context(ask, &next),
            &plain,
            &*ask.portal.entropy,
        )?;
        let origin = ask.site.origin(&host);
        let round = BASE64URL_NOPAD.encode(&sealed);
        Ok(Some(Step {
            href: format!("{origin}/.octroi/logout?round={round}"),
            label: ask.texts.with("signedout-visit", "host", &next),
        }))
    }
}

/// What a link of the round is good for: one host, and the browser that signed out. Whoever is sent
/// the link of another does not become the one who leaves. An address that changes on the way ends
/// the round with the ordinary question; the session has ended all the same.
fn context(ask: &Ask, host: &str) -> Vec<u8> {
    let client = &ask.visitor.client;
    let browser = client.user_agent.as_deref().unwrap_or_default();
    format!("sign-out round:{host}\n{}\n{browser}", client.address).into_bytes()
}

/// A host to be visited.
pub(crate) struct Step {
    href: String,
    label: String,
}

/// The last page.
struct Farewell {
    visit: Option<Step>,
    cleared: Vec<String>,
    is_public: bool,
}

impl Farewell {
    fn answer<const N: usize>(self, ask: &Ask, cookies: [Option<HeaderValue>; N]) -> Response {
        let title = if self.visit.is_some() {
            "signedout-visiting"
        } else {
            "signedout-title"
        };
        let Framed { frame, cookie } = ask.frame(ask.texts.get(title));
        let body = SignedOutPage {
            frame,
            sign_in: ask.site.portal_url("/.octroi/login"),
            visit: self.visit,
            cleared: self.cleared,
            is_public: self.is_public,
        };
        let response = answer(StatusCode::OK, ask.language(), &body);
        let response = with_cookies(response, cookies);
        with_cookies(response, [cookie])
    }
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage {
    frame: Frame,
    notice: Option<Notice>,
    what: String,
    stay: &'static str,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    frame: Frame,
    visit: Option<Step>,
    cleared: Vec<String>,
    is_public: bool,
    sign_in: String,
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// On a shared computer nothing stays (Clear Site Data, section 3.1).
const CLEAR_ALL: HeaderValue = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
/// On the person's own computer the remembered language and computer stay.
const CLEAR_PAGES: HeaderValue = HeaderValue::from_static("\"cache\", \"storage\"");
/// How long a round may take.
const ROUND_LIFE: Duration = Duration::from_mins(5);
