//! The chosen language, remembered by the browser for at most twelve months (promise C3).

use axum::{Form, extract::rejection::FormRejection, response::Response};
use octroi_policy::return_to::ReturnTo;
use serde::Deserialize;

use super::{
    ask::Ask,
    cookies, failure,
    frame::{see_other, with_cookies},
    language::Language,
};

/// The form as sent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LanguageChoice {
    form: String,
    language: String,
    back: String,
}

/// `POST /.octroi/language`: remembers the choice and goes back to the page.
pub(super) async fn choose_language(
    ask: Ask,
    form: Result<Form<LanguageChoice>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return failure::unreadable_form(&ask);
    };
    let back = page_of_ours(&ask, &form.back);
    if let Err(forgery) = ask.check_form(&form.form) {
        return failure::distrusted_form(&ask, forgery, &back);
    }
    let Some(language) = Language::from_tag(&form.language) else {
        return failure::unreadable_form(&ask);
    };
    let cookie = cookies::set(
        cookies::LANGUAGE,
        language.tag(),
        Some(cookies::PREFERENCE_LIFE),
    );
    with_cookies(see_other(&back), [cookie])
}

/// The page that the form names, if it is one of the portal's (attack class B1).
fn page_of_ours(ask: &Ask, back: &str) -> String {
    ReturnTo::on(ask.visitor.host.clone(), back).map_or_else(
        |_| "/".to_owned(),
        |place| place.target().as_str().to_owned(),
    )
}
