//! Application hosts: sending people to the portal, and taking them in when they come back.

use axum::{extract::Query, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{
    ask::{Ask, session_cookie},
    cookies,
    failure::{self, Action, Message},
    frame::{Sentence, see_other, with_cookies},
    passage::{self, PassageId, Sealed, own_target},
};
use crate::identity::{handover::EnterOutcome, secret::EnterTicket, sessions::Presence};

/// Where to go after signing in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Destination {
    return_to: String,
}

/// What the portal sends back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Arrival {
    id: String,
    ticket: String,
}

/// `GET /.octroi/login` on an application host: to the portal, with the way back in a cookie.
pub(super) async fn leave(ask: Ask, Query(destination): Query<Destination>) -> Response {
    let from = passage::Request {
        host: &ask.visitor.host,
        target: &destination.return_to,
        headers: &ask.headers,
        now: ask.now,
    };
    match passage::depart(&ask.site, &ask.portal.keyring, &*ask.portal.entropy, &from) {
        Ok(departure) => {
            let response = see_other(&departure.location);
            with_cookies(response, departure.cookies.into_iter().map(Some))
        }
        Err(fault) => failure::fault(&ask, &fault.into()),
    }
}

/// `GET /.octroi/enter`: spends the ticket, gives this host its token, and goes on to what was
/// asked for.
pub(super) async fn enter(ask: Ask, Query(arrival): Query<Arrival>) -> Response {
    let host = &ask.visitor.host;
    let Some(id) = PassageId::read(&arrival.id) else {
        return expired(&ask, None);
    };
    let sealed = passage::arrive(&ask.portal.keyring, host, &id, &ask.headers, ask.now);
    let (Some(sealed), Some(ticket)) = (sealed, EnterTicket::parse(arrival.ticket.as_bytes()))
    else {
        return expired(&ask, None);
    };
    let clear = cookies::clear(&id.cookie_name());
    let outcome = ask
        .identity()
        .enter(&ask.visitor.client, &ticket, host, sealed.nonce)
        .await;
    match outcome {
        Err(fault) => failure::fault(&ask, &fault),
        Ok(EnterOutcome::Entered(session)) => {
            let cookie = session_cookie(&ask, &session.token, session.computer, session.ends_at);
            with_cookies(see_other(&sealed.target), [clear, cookie])
        }
        // Sent twice, by a double click or a second tab: whoever is in already goes on.
        Ok(EnterOutcome::Refused | EnterOutcome::SessionEnded) => match ask.presence().await {
            Err(fault) => failure::fault(&ask, &fault),
            Ok(Presence::SignedIn(_)) => with_cookies(see_other(&sealed.target), [clear]),
            Ok(_) => with_cookies(expired(&ask, Some(&sealed)), [clear]),
        },
    }
}

/// Everything that is not a ticket for this browser, host and minute: one page, and the way to
/// begin again.
fn expired(ask: &Ask, sealed: Option<&Sealed>) -> Response {
    let target = sealed.map_or("/", |sealed| sealed.target.as_str());
    let target = own_target(&ask.visitor.host, target);
    let paragraphs = vec![Sentence::plain(ask.texts.get("enter-dead"))];
    let mut page = Message::new(StatusCode::GONE, "enter-dead-title", paragraphs);
    page.actions.push(Action {
        href: target,
        label: ask.texts.get("start-again"),
    });
    page.answer(ask)
}
