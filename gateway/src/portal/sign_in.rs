//! Signing in by page: the form, its answer, and the page that leads on.

use askama::Template;
use axum::{
    Form,
    extract::{Query, rejection::FormRejection},
    http::{StatusCode, header},
    response::Response,
};
use octroi_policy::session::Computer;
use serde::Deserialize;

use super::{
    ask::{Ask, Framed},
    failure,
    frame::{Frame, Sentence, answer, see_other, with_cookies},
    parts::{ComputerChoice, Notice, NoticeKind, PasswordField, Problem, computer_from, distrust},
    passage::Passage,
};
use crate::identity::{
    handover::TicketOutcome,
    secret::TypedPassword,
    sessions::{Presence, SignedIn},
    sign_in::{NewSession, SignInAttempt, SignInOutcome},
};

/// What a query or a form says of where the person is going.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Destination {
    host: String,
    id: String,
    nonce: String,
}

impl Destination {
    pub(super) fn passage(&self, ask: &Ask) -> Option<Passage> {
        Passage::read(&ask.site, &self.host, &self.id, &self.nonce)
    }
}

/// The sign-in form as sent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignInForm {
    form: String,
    login: String,
    password: TypedPassword,
    computer: String,
    host: String,
    id: String,
    nonce: String,
}

/// `GET /.octroi/login`: the form, or straight on for whoever is signed in.
pub(super) async fn show(ask: Ask, Query(destination): Query<Destination>) -> Response {
    let passage = destination.passage(&ask);
    match ask.presence().await {
        Err(fault) => failure::fault(&ask, &fault),
        // A picture or a frame goes nowhere: its tickets would use up those of the person.
        Ok(Presence::SignedIn(_)) if !ask.is_page() => see_other("/.octroi/account"),
        Ok(Presence::SignedIn(signed_in)) => {
            ask.renew(&signed_in);
            match onward(&ask, &signed_in, passage.as_ref()).await {
                Ok(href) => see_other(&href),
                Err(response) => response,
            }
        }
        Ok(Presence::MustChangePassword(_)) => see_other(&password_page(passage.as_ref())),
        Ok(Presence::NotPresented | Presence::Rejected(_)) => {
            let attempt = Attempt::fresh(&ask, passage);
            page(&ask, StatusCode::OK, attempt, Vec::new(), None)
        }
    }
}

/// `POST /.octroi/login`.
pub(super) async fn submit(ask: Ask, form: Result<Form<SignInForm>, FormRejection>) -> Response {
    let Ok(Form(form)) = form else {
        return failure::unreadable_form(&ask);
    };
    let passage = Passage::read(&ask.site, &form.host, &form.id, &form.nonce);
    let attempt = Attempt {
        login: form.login,
        computer: computer_from(&form.computer),
        passage,
    };
    if let Err(forgery) = ask.check_form(&form.form) {
        let notice = distrust(&ask, forgery);
        return page(
            &ask,
            StatusCode::FORBIDDEN,
            attempt,
            Vec::new(),
            Some(notice),
        );
    }
    let problems = missing(&ask, &attempt.login, &form.password);
    if !problems.is_empty() {
        return page(
            &ask,
            StatusCode::UNPROCESSABLE_ENTITY,
            attempt,
            problems,
            None,
        );
    }
    let asked = SignInAttempt {
        login: attempt.login.clone(),
        password: form.password,
        tenant: None,
        computer: attempt.computer,
        host_asked: attempt.passage.as_ref().map(|passage| passage.host.clone()),
        replaces: ask.visitor.token.clone(),
    };
    match ask.identity().sign_in(&ask.visitor.client, asked).await {
        Err(fault) => failure::fault(&ask, &fault),
        Ok(outcome) => respond(&ask, attempt, outcome).await,
    }
}

async fn respond(ask: &Ask, attempt: Attempt, outcome: SignInOutcome) -> Response {
    match outcome {
        SignInOutcome::SignedIn(session) => welcome(ask, &session, attempt.passage.as_ref()).await,
        SignInOutcome::PasswordChangeRequired(session, _) => {
            let next = see_other(&password_page(attempt.passage.as_ref()));
            with_cookies(next, [ask.session_cookie(&session)])
        }
        SignInOutcome::InvalidCredentials => {
            let problem = Problem::new(ask.texts, "login", "signin-wrong");
            page(ask, StatusCode::UNAUTHORIZED, attempt, vec![problem], None)
        }
        SignInOutcome::TooManyAttempts { retry_at } => {
            let seconds = retry_at.since(ask.now).as_secs().max(1);
            let sentence =
                Sentence::with_time(ask.texts, "limited", ask.calendar().clock(retry_at));
            let notice = Notice::new(NoticeKind::Refused, sentence);
            let response = page(
                ask,
                StatusCode::TOO_MANY_REQUESTS,
                attempt,
                Vec::new(),
                Some(notice),
            );
            failure::retry_after(response, seconds)
        }
        SignInOutcome::Busy {
            retry_after_seconds,
        } => {
            let seconds = u64::from(retry_after_seconds);
            let text = ask.texts.with("busy", "n", seconds);
            let notice = Notice::plain(NoticeKind::Refused, text);
            let response = page(
                ask,
                StatusCode::SERVICE_UNAVAILABLE,
                attempt,
                Vec::new(),
                Some(notice),
            );
            failure::retry_after(response, seconds)
        }
    }
}

/// The page after a password was proved: 200 and a link, never a redirect to another host, to
/// which browsers would apply the page's `form-action`.
pub(super) async fn welcome(
    ask: &Ask,
    session: &NewSession,
    passage: Option<&Passage>,
) -> Response {
    let presence = ask
        .identity()
        .presence(Some(&session.token), &ask.site.portal)
        .await;
    let signed_in = match presence {
        Ok(Presence::SignedIn(signed_in)) => signed_in,
        Ok(_) => return failure::closed(ask),
        Err(fault) => return failure::fault(ask, &fault),
    };
    let href = match onward(ask, &signed_in, passage).await {
        Ok(href) => href,
        Err(response) => return response,
    };
    let refused = u64::from(session.refused_attempts);
    let notice = (refused > 0).then(|| {
        let text = ask.texts.with("attempts", "n", refused);
        Notice::plain(NoticeKind::Warning, text)
    });
    let label = match passage {
        Some(passage) => ask
            .texts
            .with("continue-link", "host", passage.host.as_str()),
        None => ask.texts.get("continue-account"),
    };
    let Framed { mut frame, cookie } = ask.frame(ask.texts.get("continue-title"));
    // The form token is that of the browser before it was signed in: no form stands here.
    frame.offers_language = false;
    let body = ContinuePage {
        frame,
        notice,
        href,
        label,
    };
    let response = answer(StatusCode::OK, ask.language(), &body);
    let computer = Ask::computer_cookie(session.computer);
    with_cookies(response, [cookie, ask.session_cookie(session), computer])
}

/// Where a signed-in person goes: through a ticket to the host asked for, else to their account.
async fn onward(
    ask: &Ask,
    signed_in: &SignedIn,
    passage: Option<&Passage>,
) -> Result<String, Response> {
    let Some(passage) = passage else {
        return Ok("/.octroi/account".to_owned());
    };
    let issued = ask
        .identity()
        .issue_ticket(signed_in, &passage.host, passage.nonce())
        .await;
    match issued {
        Ok(TicketOutcome::Issued(ticket)) => Ok(passage.enter_url(&ask.site, &ticket)),
        Ok(TicketOutcome::SessionEnded) => Ok(format!("/.octroi/login?{}", passage.query())),
        Ok(TicketOutcome::TooManyAtOnce { retry_after }) => {
            Err(failure::too_many(ask, retry_after))
        }
        Err(fault) => Err(failure::fault(ask, &fault)),
    }
}

fn password_page(passage: Option<&Passage>) -> String {
    match passage {
        Some(passage) => format!("/.octroi/account/password?{}", passage.query()),
        None => "/.octroi/account/password".to_owned(),
    }
}

fn missing(ask: &Ask, login: &str, password: &TypedPassword) -> Vec<Problem> {
    let mut problems = Vec::new();
    if login.trim().is_empty() {
        problems.push(Problem::new(ask.texts, "login", "login-empty"));
    }
    if password.expose().is_empty() {
        problems.push(Problem::new(ask.texts, "password", "password-empty"));
    }
    problems
}

/// What the form keeps from one try to the next; the password is not among it.
struct Attempt {
    login: String,
    computer: Computer,
    passage: Option<Passage>,
}

impl Attempt {
    fn fresh(ask: &Ask, passage: Option<Passage>) -> Self {
        Self {
            login: String::new(),
            computer: ask.likely_computer(),
            passage,
        }
    }
}

fn page(
    ask: &Ask,
    status: StatusCode,
    attempt: Attempt,
    problems: Vec<Problem>,
    notice: Option<Notice>,
) -> Response {
    let Framed { mut frame, cookie } = ask.frame(ask.texts.get("signin-title"));
    frame.has_problems = !problems.is_empty()
        || notice
            .as_ref()
            .is_some_and(|notice| notice.kind == NoticeKind::Refused);
    if let Some(form) = &mut frame.language_form {
        "/.octroi/login".clone_into(&mut form.back);
        if let Some(passage) = &attempt.passage {
            form.back = format!("{}?{}", form.back, passage.query());
        }
    }
    let login_problem = problems
        .iter()
        .find(|problem| problem.field == "login")
        .map(|problem| problem.text.clone());
    let (before, after) = ask.texts.around("signin-context", "host");
    let body = SignInPage {
        going: Around { before, after },
        password: PasswordField::current("password", ask.texts.get("password-label"), &problems),
        computer: ComputerChoice::new(&ask.site, ask.texts, attempt.computer),
        frame,
        notice,
        problems,
        login: attempt.login,
        login_problem,
        passage: attempt.passage,
    };
    let mut response = answer(status, ask.language(), &body);
    if status == StatusCode::UNAUTHORIZED {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, failure::CHALLENGE);
    }
    with_cookies(response, [cookie])
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    notice: Option<Notice>,
    problems: Vec<Problem>,
    login: String,
    login_problem: Option<String>,
    password: PasswordField,
    computer: ComputerChoice,
    going: Around,
    passage: Option<Passage>,
}

/// The words around the host that the person is going to.
struct Around {
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "continue.html")]
struct ContinuePage {
    frame: Frame,
    notice: Option<Notice>,
    href: String,
    label: String,
}
