//! Choosing a password: the first one by invitation, and another one later.

use askama::Template;
use axum::{
    Form,
    extract::{Query, rejection::FormRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    account,
    ask::{Ask, Framed},
    failure,
    frame::{Frame, Sentence, answer, see_other, with_cookies},
    parts::{Notice, NoticeKind, PasswordField, Problem, distrust},
    passage::Passage,
    password_words::{failed_rules, rule_texts},
    sign_in::{self, Destination},
    texts::Texts,
};
use crate::identity::{
    passwords::PasswordChange,
    secret::TypedPassword,
    sessions::{PendingSession, Presence, SignedIn},
};

/// The form of a change as sent. `repeat` comes only from browsers without script.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChangeForm {
    form: String,
    current: TypedPassword,
    new: TypedPassword,
    repeat: Option<TypedPassword>,
    host: String,
    id: String,
    nonce: String,
}

/// Who changes a password: somebody who proves the old one, or somebody who was given a
/// provisional one and has just used it.
enum Changer {
    SignedIn(SignedIn),
    Pending(PendingSession),
}

/// `GET /.octroi/account/password`.
pub(super) async fn show(ask: Ask, Query(destination): Query<Destination>) -> Response {
    let passage = destination.passage(&ask);
    match changer(&ask).await {
        Ok(changer) => page(&ask, StatusCode::OK, &changer, passage, Vec::new(), None).await,
        Err(elsewhere) => elsewhere,
    }
}

/// `POST /.octroi/account/password`.
pub(super) async fn submit(ask: Ask, form: Result<Form<ChangeForm>, FormRejection>) -> Response {
    let Ok(Form(form)) = form else {
        return failure::unreadable_form(&ask);
    };
    let passage = Passage::read(&ask.site, &form.host, &form.id, &form.nonce);
    let changer = match changer(&ask).await {
        Ok(changer) => changer,
        Err(elsewhere) => return elsewhere,
    };
    if let Err(forgery) = ask.check_form(&form.form) {
        let notice = distrust(&ask, forgery);
        return page(
            &ask,
            StatusCode::FORBIDDEN,
            &changer,
            passage,
            Vec::new(),
            Some(notice),
        )
        .await;
    }
    let problems = problems_of(&ask, &changer, &form);
    if !problems.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return page(&ask, status, &changer, passage, problems, None).await;
    }
    let (client, new) = (&ask.visitor.client, form.new);
    let outcome = match &changer {
        Changer::SignedIn(signed_in) => {
            ask.identity()
                .change_password(client, signed_in, form.current, new)
                .await
        }
        Changer::Pending(pending) => ask.identity().choose_password(client, pending, new).await,
    };
    match outcome {
        Err(fault) => failure::fault(&ask, &fault),
        Ok(outcome) => respond(&ask, &changer, passage, outcome).await,
    }
}

async fn respond(
    ask: &Ask,
    changer: &Changer,
    passage: Option<Passage>,
    outcome: PasswordChange,
) -> Response {
    match outcome {
        PasswordChange::Changed(session) => match changer {
            // A provisional password stood between the person and their service: on they go.
            Changer::Pending(_) => sign_in::welcome(ask, &session, passage.as_ref()).await,
            Changer::SignedIn(_) => {
                let next = see_other("/.octroi/account/password/changed");
                with_cookies(next, [ask.session_cookie(&session)])
            }
        },
        PasswordChange::NotAcceptable(verdict) => {
            let problems = failed_rules(ask.texts, &verdict);
            page(
                ask,
                StatusCode::UNPROCESSABLE_ENTITY,
                changer,
                passage,
                problems,
                None,
            )
            .await
        }
        PasswordChange::WrongCurrent => {
            let problem = Problem::new(ask.texts, "current", "current-wrong");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(ask, status, changer, passage, vec![problem], None).await
        }
        PasswordChange::TooManyAttempts { retry_at } => {
            let moment = ask.calendar().clock(retry_at);
            let sentence = Sentence::with_time(ask.texts, "limited", moment);
            let notice = Some(Notice::new(NoticeKind::Refused, sentence));
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = page(ask, status, changer, passage, Vec::new(), notice).await;
            failure::retry_after(response, retry_at.since(ask.now).as_secs().max(1))
        }
        PasswordChange::Busy {
            retry_after_seconds,
        } => {
            let seconds = u64::from(retry_after_seconds);
            let text = ask.texts.with("busy", "n", seconds);
            let notice = Some(Notice::plain(NoticeKind::Refused, text));
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let response = page(ask, status, changer, passage, Vec::new(), notice).await;
            failure::retry_after(response, seconds)
        }
        PasswordChange::SessionEnded => see_other("/.octroi/login"),
    }
}

/// `GET /.octroi/account/password/changed`: the account, with word that it is done.
pub(super) async fn changed(ask: Ask) -> Response {
    match account::signed_in(&ask).await {
        Ok(signed_in) => {
            let text = ask.texts.get("password-changed");
            let notice = Notice::plain(NoticeKind::Done, text);
            account::page(&ask, &signed_in, Some(notice)).await
        }
        Err(elsewhere) => elsewhere,
    }
}

async fn changer(ask: &Ask) -> Result<Changer, Response> {
    match ask.presence().await {
        Ok(Presence::SignedIn(signed_in)) => {
            ask.renew(&signed_in);
            Ok(Changer::SignedIn(signed_in))
        }
        Ok(Presence::MustChangePassword(pending)) => Ok(Changer::Pending(pending)),
        Ok(Presence::NotPresented | Presence::Rejected(_)) => Err(see_other("/.octroi/login")),
        Err(fault) => Err(failure::fault(ask, &fault)),
    }
}

/// What can be said of the form without asking anybody.
fn problems_of(ask: &Ask, changer: &Changer, form: &ChangeForm) -> Vec<Problem> {
    let mut problems = Vec::new();
    if matches!(changer, Changer::SignedIn(_)) && form.current.expose().is_empty() {
        problems.push(Problem::new(ask.texts, "current", "current-empty"));
    }
    problems.extend(typed_badly(ask.texts, &form.new, form.repeat.as_ref()));
    problems
}

/// An empty field, or two entries that differ.
pub(super) fn typed_badly(
    texts: &Texts,
    new: &TypedPassword,
    repeat: Option<&TypedPassword>,
) -> Option<Problem> {
    let new = new.expose();
    if new.is_empty() {
        return Some(Problem::new(texts, "new", "new-empty"));
    }
    // Not a comparison of secrets: both were typed into the same form.
    let differs = repeat.is_some_and(|repeat| repeat.expose() != new);
    differs.then(|| Problem::new(texts, "new", "repeat-differs"))
}

async fn page(
    ask: &Ask,
    status: StatusCode,
    changer: &Changer,
    passage: Option<Passage>,
    problems: Vec<Problem>,
    notice: Option<Notice>,
) -> Response {
    let texts = ask.texts;
    let account = match changer {
        Changer::SignedIn(signed_in) => signed_in.account(),
        Changer::Pending(pending) => pending.account(),
    };
    let rules = match ask.identity().password_rules(account).await {
        Ok(rules) => rules,
        Err(fault) => return failure::fault(ask, &fault),
    };
    let (framed, login) = match changer {
        Changer::SignedIn(signed_in) => {
            let login = match ask.identity().own_account(signed_in).await {
                Ok(facts) => facts.full_login(),
                Err(fault) => return failure::fault(ask, &fault),
            };
            (
                ask.frame_in_session(texts.get("password-title"), signed_in),
                Some(login),
            )
        }
        Changer::Pending(_) => (ask.frame_in_pending_session(texts.get("first-title")), None),
    };
    let Framed { mut frame, cookie } = framed;
    frame.has_problems = status != StatusCode::OK;
    let label = texts.get("password-current");
    let body = ChangePage {
        current: matches!(changer, Changer::SignedIn(_))
            .then(|| PasswordField::current("current", label, &problems)),
        new_password: PasswordField::chosen(texts, &problems),
        repeat: PasswordField::repeated(texts, &problems),
        rules: rule_texts(texts, &rules),
        frame,
        notice,
        problems,
        login,
        passage,
    };
    with_cookies(answer(status, ask.language(), &body), [cookie])
}

#[derive(Template)]
#[template(path = "change_password.html")]
struct ChangePage {
    frame: Frame,
    notice: Option<Notice>,
    problems: Vec<Problem>,
    login: Option<String>,
    current: Option<PasswordField>,
    rules: Vec<String>,
    new_password: PasswordField,
    repeat: PasswordField,
    passage: Option<Passage>,
}
