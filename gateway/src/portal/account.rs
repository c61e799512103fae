//! A person's own account: the services that are open to them, and what they can change.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use octroi_policy::{
    rule::{Access, HostPattern},
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

/// The services that a session opens, in the order of the configuration, each host and path once.
/// A route for a family of hosts names no address that could be a link.
fn services(site: &Site, record: &SessionRecord, now: Timestamp) -> Vec<Service> {
    let mut found: Vec<Service> = Vec::new();
    for (route, _) in site.routes.iter() {
        let (HostPattern::Exact(host), Access::SignedIn { allow, .. }) =
            (&route.host, &route.access)
        else {
            continue;
        };
        let path = route.path.as_str();
        let takes_get = route.methods.is_empty() || route.methods.contains(&http::Method::GET);
        let href = format!("{}{path}", site.origin(host));
        if takes_get
            && allow.admits(record, now)
            && found.iter().all(|service| service.href != href)
        {
            let label = if path == "/" {
                host.to_string()
            } else {
                format!("{host}{path}")
            };
            found.push(Service { href, label });
        }
    }
    found
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
