//! The first password: a link that shows a form as often as it is opened, and is spent by sending it.

use askama::Template;
use axum::{
    Form,
    extract::{Query, rejection::FormRejection},
    http::StatusCode,
    response::Response,
};
use octroi_policy::session::Computer;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    ask::{Ask, Framed},
    failure,
    failure::Message,
    frame::{Frame, Sentence, answer, with_cookies},
    parts::{ComputerChoice, Notice, NoticeKind, PasswordField, Problem, computer_from, distrust},
    password_words::{failed_rules, rule_texts},
    passwords::typed_badly,
    sign_in,
};
use crate::identity::{
    invitations::{InvitationAnswer, InvitationOutcome, Invitee},
    secret::{InvitationToken, TypedPassword},
};

/// What the link carries.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    token: String,
}

/// The form as sent. `repeat` comes only from browsers without script.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct InvitationForm {
    form: String,
    token: String,
    new: TypedPassword,
    repeat: Option<TypedPassword>,
    computer: String,
}

/// `GET /.octroi/invitation`: shows, spends nothing.
pub(super) async fn show(ask: Ask, Query(link): Query<Link>) -> Response {
    let Some(token) = InvitationToken::parse(link.token.as_bytes()) else {
        return dead(&ask);
    };
    let computer = ask.likely_computer();
    page(&ask, StatusCode::OK, &token, computer, Vec::new(), None).await
}

/// `POST /.octroi/invitation`: sets the password and spends the link.
pub(super) async fn submit(
    ask: Ask,
    form: Result<Form<InvitationForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return failure::unreadable_form(&ask);
    };
    let Some(token) = InvitationToken::parse(form.token.as_bytes()) else {
        return dead(&ask);
    };
    let computer = computer_from(&form.computer);
    if let Err(forgery) = ask.check_form(&form.form) {
        let notice = Some(distrust(&ask, forgery));
        return page(
            &ask,
            StatusCode::FORBIDDEN,
            &token,
            computer,
            Vec::new(),
            notice,
        )
        .await;
    }
    if let Some(problem) = typed_badly(ask.texts, &form.new, form.repeat.as_ref()) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return page(&ask, status, &token, computer, vec![problem], None).await;
    }
    let Some(spent) = InvitationToken::parse(form.token.as_bytes()) else {
        return dead(&ask);
    };
    let sent = InvitationAnswer {
        token: spent,
        password: form.new,
        computer,
        replaces: ask.visitor.token.clone(),
    };
    match ask
        .identity()
        .accept_invitation(&ask.visitor.client, sent)
        .await
    {
        Err(fault) => failure::fault(&ask, &fault),
        Ok(InvitationOutcome::Accepted(session)) => sign_in::welcome(&ask, &session, None).await,
        Ok(InvitationOutcome::Dead) => dead(&ask),
        Ok(InvitationOutcome::NotAcceptable(verdict)) => {
            let problems = failed_rules(ask.texts, &verdict);
            page(
                &ask,
                StatusCode::UNPROCESSABLE_ENTITY,
                &token,
                computer,
                problems,
                None,
            )
            .await
        }
        Ok(InvitationOutcome::Busy {
            retry_after_seconds,
        }) => {
            let seconds = u64::from(retry_after_seconds);
            let text = ask.texts.with("busy", "n", seconds);
            let notice = Some(Notice::plain(NoticeKind::Refused, text));
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let response = page(&ask, status, &token, computer, Vec::new(), notice).await;
            failure::retry_after(response, seconds)
        }
    }
}

/// Used, expired, withdrawn or never made: one page, the same bytes but for its reference.
fn dead(ask: &Ask) -> Response {
    let text = match ask.site.support() {
        Some(contact) => ask.texts.with("link-dead", "contact", contact),
        None => ask.texts.get("link-dead-plain"),
    };
    let said = vec![Sentence::plain(text)];
    let mut page = Message::new(StatusCode::GONE, "link-dead-title", said);
    page.back = Some("/.octroi/invitation");
    page.answer(ask)
}

async fn page(
    ask: &Ask,
    status: StatusCode,
    token: &InvitationToken,
    computer: Computer,
    problems: Vec<Problem>,
    notice: Option<Notice>,
) -> Response {
    let (invitee, rules) = match ask.identity().open_invitation(token).await {
        Ok(Some(open)) => (open.invitee, open.rules),
        Ok(None) => return dead(ask),
        Err(fault) => return failure::fault(ask, &fault),
    };
    let login = invitee.full_login();
    let Invitee { organisation, .. } = invitee;
    let Framed { mut frame, cookie } = ask.frame(ask.texts.get("first-title"));
    frame.has_problems = status != StatusCode::OK;
    let token = token.expose();
    if let Some(form) = &mut frame.language_form {
        form.back = format!("/.octroi/invitation?token={}", *token);
    }
    let body = InvitationPage {
        new_password: PasswordField::chosen(ask.texts, &problems),
        repeat: PasswordField::repeated(ask.texts, &problems),
        rules: rule_texts(ask.texts, &rules),
        computer: ComputerChoice::new(&ask.site, ask.texts, computer),
        frame,
        notice,
        problems,
        token,
        login,
        organisation,
    };
    with_cookies(answer(status, ask.language(), &body), [cookie])
}

#[derive(Template)]
#[template(path = "first_password.html")]
struct InvitationPage {
    frame: Frame,
    notice: Option<Notice>,
    problems: Vec<Problem>,
    token: Zeroizing<String>,
    login: String,
    organisation: String,
    rules: Vec<String>,
    new_password: PasswordField,
    repeat: PasswordField,
    computer: ComputerChoice,
}
