//! A person's own account: the services that are open to them, and what they can change.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use octroi_config::settings::RouteSettings;
use octroi_policy::{
    host::Host,
    rule::{Access, HostPattern, Route},
    session::SessionRecord,
    time::Timestamp,
};

use super::{
    ask::{Ask, Framed},
    failure,
    frame::{Frame, answer, see_other, with_cookies},
    parts::Notice,
    site::Site,
};
use crate::identity::sessions::{Presence, SignedIn};

/// `GET /.octroi/account`.
pub(super) async fn show(ask: Ask) -> Response {
    match signed_in(&ask).await {
        Ok(signed_in) => page(&ask, &signed_in, None).await,
        Err(elsewhere) => elsewhere,
    }
}

/// `GET /`: a person who comes to the portal without a destination wants their account.
pub(super) async fn front_door(_ask: Ask) -> Response {
    see_other("/.octroi/account")
}

/// The session of whoever asks, renewed; or where they are sent instead.
pub(super) async fn signed_in(ask: &Ask) -> Result<SignedIn, Response> {
    match ask.presence().await {
        Ok(Presence::SignedIn(signed_in)) => {
            ask.renew(&signed_in);
            Ok(signed_in)
        }
        Ok(Presence::MustChangePassword(_)) => Err(see_other("/.octroi/account/password")),
        Ok(Presence::NotPresented | Presence::Rejected(_)) => Err(see_other("/.octroi/login")),
        Err(fault) => Err(failure::fault(ask, &fault)),
    }
}

/// The account's page, with word of what was just done.
pub(super) async fn page(ask: &Ask, signed_in: &SignedIn, notice: Option<Notice>) -> Response {
    let facts = match ask.identity().own_account(signed_in).await {
        Ok(facts) => facts,
        Err(fault) => return failure::fault(ask, &fault),
    };
    let Framed { frame, cookie } = ask.frame_in_session(ask.texts.get("account-title"), signed_in);
    let body = AccountPage {
        frame,
        notice,
        services: services(&ask.site, signed_in.record(), ask.now),
        login: facts.full_login(),
        organisation: facts.organisation,
    };
    with_cookies(answer(StatusCode::OK, ask.language(), &body), [cookie])
}

/// The services that a session opens, in the order of the configuration, each once: a route that
/// lies below another one of the same service is a rule of it and no service of its own. A route for
/// a family of hosts names no address that could be a link.
fn services(site: &Site, record: &SessionRecord, now: Timestamp) -> Vec<Service> {
    let mut found: Vec<Service> = Vec::new();
    let open: Vec<Open<'_>> = site
        .routes
        .iter()
        .filter_map(|(route, settings)| Open::of(route, settings, record, now))
        .collect();
    for entrance in &open {
        let (host, path) = (entrance.host, entrance.path);
        let href = format!("{}{path}", site.origin(host));
        let is_known = found.iter().any(|service| service.href == href);
        if is_known || open.iter().any(|other| entrance.is_part_of(other)) {
            continue;
        }
        let label = if path == "/" {
            host.to_string()
        } else {
            format!("{host}{path}")
        };
        found.push(Service { href, label });
    }
    found
}

/// A route by which a person may open a service.
struct Open<'a> {
    host: &'a Host,
    path: &'a str,
    settings: &'a RouteSettings,
}

impl<'a> Open<'a> {
    fn of(
        route: &'a Route,
        settings: &'a RouteSettings,
        record: &SessionRecord,
        now: Timestamp,
    ) -> Option<Self> {
        let (HostPattern::Exact(host), Access::SignedIn { allow, .. }) =
            (&route.host, &route.access)
        else {
            return None;
        };
        let takes_get = route.methods.is_empty() || route.methods.contains(&http::Method::GET);
        (takes_get && allow.admits(record, now)).then(|| Self {
            host,
            path: route.path.as_str(),
            settings,
        })
    }

    /// Whether `other` is the same service further up.
    fn is_part_of(&self, other: &Self) -> bool {
        let above = other.path.trim_end_matches('/');
        let rest = self.path.strip_prefix(above);
        self.host == other.host
            && self.settings.to == other.settings.to
            && rest.is_some_and(|rest| rest.starts_with('/') && rest != "/")
    }
}

/// A service that the person may open.
pub(crate) struct Service {
    href: String,
    label: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    notice: Option<Notice>,
    services: Vec<Service>,
    login: String,
    organisation: String,
}
