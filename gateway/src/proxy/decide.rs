//! The course of one request: admit, find who answers, authenticate, authorize, make the forwarding.

use std::sync::Arc;

use http::{HeaderMap, Method, header};
use octroi_policy::{
    decision::{self, ChallengeKind, Decision, Permit, RouteIndex},
    request::CanonicalRequest,
    session::{Rejection, renewal::Use},
};
use pingora::proxy::Session;

use super::{
    GateParts,
    admit::admit,
    authenticate::{Authentication, Credential, authenticate, credential, judge},
    context::{Context, Record},
    forward::Forwarding,
    refusal::Refusal,
    site::Site,
    tenure::{Admitted, is_listed},
    websocket::{self, Handshake},
};
use crate::{
    assertion::{Bearer, Passport, PassportFault},
    identity::secret::SessionToken,
    listener::open_requests::OpenLabel,
    store::live::LiveToken,
};

/// What is to be done with a request that is not refused.
pub(super) enum Course {
    /// It goes to its service; the evidence is in the context.
    Forward,
    /// It becomes a WebSocket to its service.
    Tunnel(Handshake),
    /// It is answered by a page of this process.
    Page(Answerer, Option<SessionToken>),
    /// A person is shown the way to sign in.
    SignIn,
}

/// Which pages answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answerer {
    /// Those of the portal host.
    Portal,
    /// Those that every application host has.
    Application,
}

/// Decides on a request. What it learns goes into the context's record as it goes.
///
/// # Errors
///
/// Why the request goes nowhere.
pub(super) async fn decide(
    gate: &GateParts,
    session: &Session,
    context: &mut Context,
) -> Result<Course, Refusal> {
    let head = session.req_header();
    context.record.method = head.method.clone();
    if context.record.id.is_none() {
        return Err(Refusal::Fault);
    }
    let request = admit(session, &context.record)?;
    context.record.request = Some(request.clone());
    let site = Arc::clone(&context.record.site);
    let credential = credential(&head.headers)?;
    let handshake = websocket::asked(head)?;
    if let Some(answerer) = answerer(&site, &request) {
        return match (handshake, credential) {
            (Some(_), _) => Err(Refusal::Upgrade),
            (None, Credential::Token(token)) => {
                note_session(gate, &mut context.record, &request, &token);
                Ok(Course::Page(answerer, Some(token)))
            }
            (None, Credential::None | Credential::Unreadable) => Ok(Course::Page(answerer, None)),
        };
    }
    let who = authenticate(&*gate.sessions, &credential).await?;
    let asking = Asking {
        gate,
        site: &site,
        request: &request,
        headers: &head.headers,
    };
    match asking.authorize(who, handshake.is_some(), context).await {
        Ok(()) => Ok(handshake.map_or(Course::Forward, Course::Tunnel)),
        Err(Refusal::SignInNeeded(_) | Refusal::StrongerSignInNeeded)
            if handshake.is_none() && is_navigation(&head.method, &head.headers) =>
        {
            Ok(Course::SignIn)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Who answers on a host and path that no upstream may have.
pub(super) fn answerer(site: &Site, request: &CanonicalRequest) -> Option<Answerer> {
    if request.host() == site.portal() {
        return Some(Answerer::Portal);
    }
    let rest = request.path().as_str().strip_prefix(RESERVED)?;
    let reserved = rest.is_empty() || rest.starts_with('/');
    // The page that says that no service has this host is dressed by the same files.
    let is_asset = rest.starts_with("/assets/");
    (reserved && (is_asset || site.names_host(request.host()))).then_some(Answerer::Application)
}

/// Pages judge a token themselves; the record says whose request it was, and the limit by address
/// spares who is signed in.
fn note_session(
    gate: &GateParts,
    record: &mut Record,
    request: &CanonicalRequest,
    token: &SessionToken,
) {
    use crate::store::sessions::{Cached, TokenHash};
    let Cached::Hit(known) = gate.sessions.cached(&TokenHash(token.digest())) else {
        return;
    };
    let counts = match judge(&known, request.host(), record.at) {
        Ok(_) | Err(Rejection::NotFull) => true,
        Err(_) => false,
    };
    if counts {
        record.session = Some(known);
    }
}

/// One request on its way to a service.
struct Asking<'a> {
    gate: &'a GateParts,
    site: &'a Arc<Site>,
    request: &'a CanonicalRequest,
    headers: &'a HeaderMap,
}

impl Asking<'_> {
    async fn authorize(
        &self,
        who: Authentication,
        is_upgrade: bool,
        context: &mut Context,
    ) -> Result<(), Refusal> {
        let now = context.record.at;
        let (known, rejection) = match who {
            Authentication::NotPresented => (None, None),
            Authentication::Rejected(rejection) => (None, Some(rejection)),
            Authentication::Known(known) => (Some(known), None),
        };
        let judged = known
            .as_ref()
            .map(|known| judge(known, self.request.host(), now));
        let (subject, rejection) = match judged {
            Some(Ok(subject)) => (Some(subject), None),
            Some(Err(rejection)) => (None, Some(rejection)),
            None => (None, rejection),
        };
        // Who stands behind a token that does not count is nobody.
        let known = known.as_ref().filter(|_| subject.is_some());
        context.signed_in = known.is_some();
        let permit = match decision::authorize(self.site.table(), self.request, subject, now) {
            Decision::Permit(permit) => permit,
            Decision::Challenge(challenge) => {
                context.record.take_route(challenge.index);
                context.record.session = known.cloned();
                return Err(match challenge.kind {
                    ChallengeKind::SignIn(_) => Refusal::SignInNeeded(rejection),
                    ChallengeKind::StepUp(_) => Refusal::StrongerSignInNeeded,
                });
            }
            Decision::Deny(denial) => {
                if let Some(index) = denial.index {
                    context.record.take_route(index);
                }
                context.record.session = known.cloned();
                return Err(Refusal::Denied(denial.reason));
            }
        };
        context.record.take_route(permit.route_index());
        let passport = match (known, permit.passage()) {
            (Some(known), Some(_)) => {
                let origin = self.origin(permit.route_index(), is_upgrade)?;
                self.register(known, origin, &mut context.record)?;
                self.renew(permit.route_index(), known, &context.record);
                context.record.session = Some(Arc::clone(known));
                Some(self.passport(&permit).await?)
            }
            // A public route's upstream is told nothing of the person.
            (_, None) => None,
            (None, Some(_)) => return Err(Refusal::Invariant),
        };
        context.forwarding = Some(Forwarding::new(permit, passport, &context.record));
        Ok(())
    }

    /// Keeps the request under its session, so that the session's end is its end; and looks once
    /// more, since the session may have ended just before, and the rules may have changed.
    fn register(
        &self,
        known: &Arc<LiveToken>,
        origin: Option<&str>,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let open = record.open().ok_or(Refusal::Fault)?;
        let tenure = Arc::new(Admitted {
            site: Arc::clone(&self.gate.site),
            clock: Arc::clone(&self.gate.clock),
            known: Arc::clone(known),
            request: self.request.clone(),
            origin: origin.map(Box::from),
        });
        let label = OpenLabel {
            session: known.session.record.id,
            tenure: tenure.clone(),
        };
        record.keep_registered(self.gate.open_requests.register(label, open));
        if self.gate.site.load().version() != self.site.version() {
            return tenure.judge();
        }
        match judge(known, self.request.host(), record.at) {
            Ok(_) => Ok(()),
            Err(rejection) => Err(Refusal::SignInNeeded(Some(rejection))),
        }
    }

    /// The origin of a WebSocket. A browser sends our cookie along with one that any page opens:
    /// only its `Origin` tells which page that is.
    fn origin(&self, index: RouteIndex, is_upgrade: bool) -> Result<Option<&str>, Refusal> {
        if !is_upgrade {
            return Ok(None);
        }
        let mut origins = self.headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Err(Refusal::ForeignOrigin);
        };
        let origin = origin.to_str().map_err(|_| Refusal::ForeignOrigin)?;
        if is_listed(self.site, index, self.request, origin) {
            Ok(Some(origin))
        } else {
            Err(Refusal::ForeignOrigin)
        }
    }

    fn renew(&self, index: RouteIndex, known: &LiveToken, record: &Record) {
        let settings = self.site.settings(index);
        let background = settings.is_some_and(|route| route.background);
        if Use::of(self.request.method(), self.headers, background).renews() {
            known.session.touch(record.at);
        }
    }

    async fn passport(&self, permit: &Permit<'_>) -> Result<Arc<Passport>, Refusal> {
        let index = permit.route_index();
        let (Some(passage), Some(route)) = (permit.passage(), self.site.settings(index)) else {
            return Err(Refusal::Invariant);
        };
        let bearer = Bearer {
            passage,
            issuer: self.site.portal_url(),
            audience: &route.audience,
            identity: &route.identity,
            site_version: self.site.version(),
            route: index,
        };
        let issued = self.gate.passports.for_bearer(&bearer).await;
        issued.map_err(|fault| {
            tracing::error!(%fault, "no identity could be made for an upstream");
            match fault {
                PassportFault::Store(_) => Refusal::StoreUnavailable,
                PassportFault::Entropy(_)
                | PassportFault::Key(_)
                | PassportFault::AccountGone
                | PassportFault::Field(_) => Refusal::Fault,
            }
        })
    }
}

/// Whether a browser goes to a page, and a person would see a redirect.
fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    if method != Method::GET && method != Method::HEAD {
        return false;
    }
    match headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => wants_page(headers),
    }
}

/// Whether the client asks for HTML.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| {
        let value = value.as_bytes();
        value
            .windows(PAGE.len())
            .any(|window| window.eq_ignore_ascii_case(PAGE))
    })
}

/// The prefix of every host that belongs to the gateway.
pub(super) const RESERVED: &str = "/.octroi";

const PAGE: &[u8] = b"text/html";
