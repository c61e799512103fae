//! A person's sessions: where they are signed in, and how to end what they do not know.

use askama::Template;
use axum::{
    Form,
    extract::{Query, rejection::FormRejection},
    http::StatusCode,
    response::Response,
};
use octroi_policy::{id::SessionId, session::Computer};
use serde::Deserialize;

use super::{
    account,
    ask::{Ask, Framed},
    browser,
    dates::Moment,
    failure,
    frame::{Frame, answer, see_other, with_cookies},
    parts::{Notice, NoticeKind},
};
use crate::identity::sessions::{EndCause, OwnSessions, PastSession, SessionFacts, SignedIn};

/// A form that ends or renews sessions.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SessionForm {
    form: String,
    session: String,
}

/// Which page of the list; what is no number is the first.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    page: String,
}

/// `GET /.octroi/account/sessions`.
pub(super) async fn show(ask: Ask, Query(place): Query<Place>) -> Response {
    match account::signed_in(&ask).await {
        Ok(signed_in) => {
            let number = place.page.parse().unwrap_or(1);
            page(&ask, &signed_in, number, None).await
        }
        Err(elsewhere) => elsewhere,
    }
}

/// `POST /.octroi/account/sessions/end`: ends one. One that is not there is as good as ended.
pub(super) async fn end_one(ask: Ask, form: Result<Form<SessionForm>, FormRejection>) -> Response {
    let (signed_in, form) = match trusted(&ask, form).await {
        Ok(trusted) => trusted,
        Err(response) => return response,
    };
    let Ok(session) = form.session.parse::<SessionId>() else {
        return failure::unreadable_form(&ask);
    };
    match ask
        .identity()
        .end_own_session(&ask.visitor.client, &signed_in, session)
        .await
    {
        Ok(_) => done(&ask, &signed_in, "session-ended").await,
        Err(fault) => failure::fault(&ask, &fault),
    }
}

/// `POST /.octroi/account/sessions/end-others`: ends all but this one.
pub(super) async fn end_others(
    ask: Ask,
    form: Result<Form<SessionForm>, FormRejection>,
) -> Response {
    let (signed_in, _) = match trusted(&ask, form).await {
        Ok(trusted) => trusted,
        Err(response) => return response,
    };
    match ask
        .identity()
        .end_other_sessions(&ask.visitor.client, &signed_in)
        .await
    {
        Ok(_) => done(&ask, &signed_in, "sessions-ended").await,
        Err(fault) => failure::fault(&ask, &fault),
    }
}

/// `POST /.octroi/account/stay`: the person is still there; [`account::signed_in`] renews.
pub(super) async fn stay(ask: Ask, form: Result<Form<SessionForm>, FormRejection>) -> Response {
    match trusted(&ask, form).await {
        Ok(_) => see_other("/.octroi/account"),
        Err(response) => response,
    }
}

async fn trusted(
    ask: &Ask,
    form: Result<Form<SessionForm>, FormRejection>,
) -> Result<(SignedIn, SessionForm), Response> {
    let Form(form) = form.map_err(|_| failure::unreadable_form(ask))?;
    let signed_in = account::signed_in(ask).await?;
    ask.check_form(&form.form)
        .map_err(|forgery| failure::distrusted_form(ask, forgery, "/.octroi/account/sessions"))?;
    Ok((signed_in, form))
}

async fn done(ask: &Ask, signed_in: &SignedIn, key: &str) -> Response {
    let notice = Notice::plain(NoticeKind::Done, ask.texts.get(key));
    page(ask, signed_in, 1, Some(notice)).await
}

/// Sessions on one page: with the list of past ones, the page stays within its 60 KiB.
const A_PAGE: usize = 30;

async fn page(ask: &Ask, signed_in: &SignedIn, number: usize, notice: Option<Notice>) -> Response {
    let OwnSessions { mut live, past } = match ask.identity().own_session_history(signed_in).await {
        Ok(sessions) => sessions,
        Err(fault) => return failure::fault(ask, &fault),
    };
    let this = signed_in.session();
    live.sort_by_key(|session| session.id != this);
    let others = live.len().saturating_sub(1);
    let pages = live.len().div_ceil(A_PAGE).max(1);
    let number = number.clamp(1, pages);
    let sessions = live
        .iter()
        .skip(number.saturating_sub(1).saturating_mul(A_PAGE))
        .take(A_PAGE)
        .map(|session| SessionCard::new(ask, session, this))
        .collect();
    let past = past.iter().map(|session| PastRow::new(ask, session));
    let Framed { mut frame, cookie } =
        ask.frame_in_session(ask.texts.get("sessions-title"), signed_in);
    if let Some(form) = &mut frame.language_form {
        "/.octroi/account/sessions".clone_into(&mut form.back);
    }
    let body = SessionsPage {
        frame,
        notice,
        sessions,
        past: if number == 1 {
            past.collect()
        } else {
            Vec::new()
        },
        zone: ask.calendar().zone_at(ask.now),
        pages: (pages > 1).then(|| Pages::new(ask, number, pages)),
        others: u64::try_from(others).unwrap_or(u64::MAX),
    };
    with_cookies(answer(StatusCode::OK, ask.language(), &body), [cookie])
}

/// One session as its owner sees it.
pub(crate) struct SessionCard {
    id: String,
    is_this: bool,
    browser: String,
    started: Moment,
    used: Moment,
    ends: Moment,
    address: Option<String>,
    computer: String,
}

impl SessionCard {
    fn new(ask: &Ask, facts: &SessionFacts, this: SessionId) -> Self {
        let calendar = ask.calendar();
        let computer = match facts.computer {
            Computer::Private => "session-computer-private",
            Computer::Public => "session-computer-public",
        };
        Self {
            id: facts.id.to_string(),
            is_this: facts.id == this,
            browser: browser::name(facts.user_agent.as_deref(), ask.texts),
            started: calendar.day_and_time(facts.started_at),
            used: calendar.day_and_time(facts.last_used_at),
            ends: calendar.day_and_time(facts.ends_at),
            address: facts.address.as_deref().map(str::to_owned),
            computer: ask.texts.get(computer),
        }
    }
}

/// One session that is over.
pub(crate) struct PastRow {
    browser: String,
    started: Moment,
    ended: Moment,
    cause: String,
}

impl PastRow {
    fn new(ask: &Ask, session: &PastSession) -> Self {
        let calendar = ask.calendar();
        Self {
            browser: browser::name(session.user_agent.as_deref(), ask.texts),
            started: calendar.day_and_time(session.started_at),
            ended: calendar.day_and_time(session.ended_at),
            cause: ask.texts.get(cause_key(session.cause)),
        }
    }
}

/// Why a session ended, in its owner's words.
const fn cause_key(cause: EndCause) -> &'static str {
    match cause {
        EndCause::SignedOut => "session-over-signed-out",
        EndCause::EndedElsewhere => "session-over-elsewhere",
        EndCause::Replaced => "session-over-replaced",
        EndCause::PasswordChanged => "session-over-password",
        EndCause::Expired => "session-over-expired",
        EndCause::Idle => "session-over-idle",
        EndCause::TooMany => "session-over-too-many",
        EndCause::Revoked
        | EndCause::PasswordReset
        | EndCause::AccountLocked
        | EndCause::AccountUnlocked
        | EndCause::RolesChanged
        | EndCause::GrantsChanged
        | EndCause::AccountErased => "session-over-administration",
    }
}

/// Where in a list of several pages this one stands.
pub(crate) struct Pages {
    here: String,
    previous: Option<usize>,
    next: Option<usize>,
}

impl Pages {
    fn new(ask: &Ask, number: usize, pages: usize) -> Self {
        let (at, of) = (number.to_string(), pages.to_string());
        let here = [("page", (&at).into()), ("pages", (&of).into())];
        Self {
            here: ask.texts.fill("sessions-page", here),
            previous: number.checked_sub(1).filter(|page| *page > 0),
            next: number.checked_add(1).filter(|page| *page <= pages),
        }
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    notice: Option<Notice>,
    sessions: Vec<SessionCard>,
    past: Vec<PastRow>,
    zone: String,
    pages: Option<Pages>,
    others: u64,
}
