//! The first password, a changed one, and one that has to be changed.

use http::StatusCode;

use super::{Gatehouse, PAYROLL, PORTAL, browser::Browser};
use crate::{
    identity::{
        client::Operator,
        invitations::{InvitationLife, IssuedInvitation},
        testing::{OTHER_PASSWORD, PASSWORD},
    },
    portal::{
        language::Language,
        letter::{self, Letter},
    },
};

const INVITATION: &str = "/.octroi/invitation";
const PASSWORD_PAGE: &str = "/.octroi/account/password";

async fn invited(house: &Gatehouse, login: &str) -> IssuedInvitation {
    let account = house.world.account("acme", login).await;
    let life = InvitationLife::DEFAULT;
    house
        .world
        .identity
        .invite(Operator::System, account, life)
        .await
        .unwrap()
}

/// The link's path and query.
fn target(house: &Gatehouse, invitation: &IssuedInvitation) -> String {
    let link = letter::link(&house.site.load(), &invitation.token);
    link.strip_prefix("https://portail.exemple.fr")
        .unwrap()
        .to_owned()
}

async fn signs_in(browser: &mut Browser, login: &str, password: &str) -> super::browser::Answer {
    let page = browser.get(PORTAL, "/.octroi/login").await;
    let fields = [
        ("login", login),
        ("password", password),
        ("computer", "private"),
    ];
    browser.submit(&page, "/.octroi/login", &fields).await
}

#[tokio::test]
async fn an_invitation_shows_as_often_as_it_is_opened_and_is_spent_once() {
    let house = Gatehouse::open().await;
    let invitation = invited(&house, "marie").await;
    let target = target(&house, &invitation);
    let mut browser = house.browser();
    for _ in 0..3 {
        let page = browser.get(PORTAL, &target).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("value=\"acme/marie\"") && page.says("Acme Industrie"));
        assert!(page.says("At least 15 characters."), "{}", page.body);
        assert!(page.body.contains("autocomplete=\"new-password\""));
    }
    let page = browser.get(PORTAL, &target).await;
    let short = browser.submit(&page, INVITATION, &[("new", "marie")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.says("10 characters are missing: at least 15 are needed. Add a word."));
    assert!(short.says("It contains your name, your login or your organisation’s."));
    let differing = [("new", PASSWORD), ("repeat", "agrafe")];
    let differing = browser.submit(&short, INVITATION, &differing).await;
    assert!(differing.says("The two entries differ."));

    let done = browser
        .submit(&differing, INVITATION, &[("new", PASSWORD)])
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(done.refresh().as_deref(), Some("/.octroi/account"));
    assert!(browser.get(PORTAL, "/.octroi/account").await.says("marie"));

    let mut late = house.browser();
    let used = late.get(PORTAL, &target).await;
    let made_up = late.get(PORTAL, "/.octroi/invitation?token=AAAA").await;
    let none = late.get(PORTAL, INVITATION).await;
    for dead in [&used, &made_up, &none] {
        assert_eq!(dead.status, StatusCode::GONE);
        assert!(dead.says("Ask for a new one: aide@exemple.fr."));
    }
    assert_eq!(used.body, made_up.body, "nobody is told which");
    assert_eq!(used.body, none.body);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let house = Gatehouse::with_marie().await;
    let mut browser = house.browser();
    let mut other = house.browser();
    signs_in(&mut browser, "marie", PASSWORD).await;
    signs_in(&mut other, "marie", PASSWORD).await;
    let before = browser.cookie(PORTAL, "__Host-octroi");
    let page = browser.get(PORTAL, PASSWORD_PAGE).await;
    for (fields, told) in [
        (
            [("current", ""), ("new", "")],
            "Enter your current password.",
        ),
        ([("current", ""), ("new", "")], "Enter a new password."),
        (
            [("current", "faux"), ("new", OTHER_PASSWORD)],
            "The current password does not match.",
        ),
        (
            [("current", PASSWORD), ("new", "court")],
            "characters are missing",
        ),
    ] {
        let refused = browser.submit(&page, PASSWORD_PAGE, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(refused.says(told), "{told}: {}", refused.body);
        assert!(refused.body.contains("<title>Error: "));
    }
    let fields = [("current", PASSWORD), ("new", OTHER_PASSWORD)];
    let done = browser.submit(&page, PASSWORD_PAGE, &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_ne!(browser.cookie(PORTAL, "__Host-octroi"), before);
    let account = browser.follow(&done, done.location()).await;
    assert!(account.says("Password changed. Your other sessions are closed."));
    let closed = other.get(PORTAL, "/.octroi/account").await;
    assert_eq!(closed.location(), "/.octroi/login");
}

#[tokio::test]
async fn a_provisional_password_is_replaced_and_the_person_goes_where_they_wanted() {
    let house = Gatehouse::open().await;
    house.world.provisional("acme", "nora").await;
    let mut browser = house.browser();
    let away = browser.get(PAYROLL, "/.octroi/login?return_to=/a").await;
    let page = browser.follow(&away, away.location()).await;
    let fields = [("login", "nora"), ("password", PASSWORD)];
    let next = browser.submit(&page, "/.octroi/login", &fields).await;
    let page = browser.follow(&next, next.location()).await;
    assert!(
        page.says("The password that you were given is provisional. Choose your own to continue.")
    );
    assert!(
        !page.body.contains("name=\"current\""),
        "it was just proved"
    );
    assert!(page.says("Save and continue") && !page.body.contains(">Change password</button>"));
    let short = browser
        .submit(&page, PASSWORD_PAGE, &[("new", "court")])
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = browser
        .submit(&short, PASSWORD_PAGE, &[("new", OTHER_PASSWORD)])
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let link = done.refresh().unwrap();
    let entered = browser.follow(&done, &link).await;
    assert_eq!(entered.location(), "/a");
}

#[tokio::test]
async fn the_letter_says_all_that_is_needed_in_the_language_of_its_reader() {
    let house = Gatehouse::open().await;
    let invitation = invited(&house, "marie").await;
    let site = house.site.load();
    let link = letter::link(&site, &invitation.token);
    for (language, words) in [
        (
            Language::French,
            ["Votre accès à Exemple", "18 janvier 2027 à 9"],
        ),
        (
            Language::English,
            ["Your access to Exemple", "18 January 2027 at 09:00"],
        ),
    ] {
        let letter = Letter::new(&site, &invitation, language).unwrap();
        let always = [&*link, "acme/marie", "Acme Industrie", "aide@exemple.fr"];
        for part in words.iter().chain(&always) {
            assert!(letter.text.contains(part), "{part}: {}", letter.text);
            assert!(letter.html.contains(part), "{part}: {}", letter.html);
        }
        // Once the link is spent: the way back.
        assert!(letter.text.contains(" https://portail.exemple.fr/\n"));
        assert!(letter.html.contains("<dd>https://portail.exemple.fr/</dd>"));
        assert!(
            !letter.text.contains("&#"),
            "text is not escaped: {}",
            letter.text
        );
        for elsewhere in ["src=", "<script", "<link", "@import", "url("] {
            assert!(!letter.html.contains(elsewhere), "{elsewhere}");
        }
    }
}
