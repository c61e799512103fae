//! A person's sessions: where they are signed in, and how to end what they do not know.

use askama::Template;
use axum::{Form, extract::rejection::FormRejection, http::StatusCode, response::Response};
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
use crate::identity::sessions::{SessionFacts, SignedIn};

/// A form that ends or renews sessions.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SessionForm {
    form: String,
    session: String,
}

/// `GET /.octroi/account/sessions`.
pub(super) async fn show(ask: Ask) -> Response {
    match account::signed_in(&ask).await {
        Ok(signed_in) => page(&ask, &signed_in, None).await,
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
    page(ask, signed_in, Some(notice)).await
}

async fn page(ask: &Ask, signed_in: &SignedIn, notice: Option<Notice>) -> Response {
    let facts = match ask.identity().own_sessions(signed_in).await {
        Ok(facts) => facts,
        Err(fault) => return failure::fault(ask, &fault),
    };
    let mut sessions: Vec<SessionCard> = facts
        .iter()
        .map(|session| SessionCard::new(ask, session, signed_in.session()))
        .collect();
    sessions.sort_by_key(|session| !session.is_this);
    let others = sessions.iter().filter(|session| !session.is_this).count();
    let Framed { mut frame, cookie } =
        ask.frame_in_session(ask.texts.get("sessions-title"), signed_in);
    if let Some(form) = &mut frame.language_form {
        "/.octroi/account/sessions".clone_into(&mut form.back);
    }
    let body = SessionsPage {
        frame,
        notice,
        sessions,
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
            started: calendar.sentence(facts.started_at),
            used: calendar.sentence(facts.last_used_at),
            ends: calendar.sentence(facts.ends_at),
            address: facts.address.as_deref().map(str::to_owned),
            computer: ask.texts.get(computer),
        }
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    notice: Option<Notice>,
    sessions: Vec<SessionCard>,
    others: u64,
}
