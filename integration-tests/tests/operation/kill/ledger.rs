//! Does things, writes down what was acknowledged, and looks afterwards whether it is still so.

use std::collections::HashMap;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::page::Form;
use octroi_integration_tests::visitor::{Hop, Visitor, navigation, redirect};
use octroi_integration_tests::world::{SESSION_COOKIE, World};
use serde_json::{Value, json};

/// The service that visitors go to.
pub(super) const HOST: &str = "echo.localhost";
/// Whose sessions stay, and whose are revoked.
const STAYS: &str = "acme/marie";
const REVOKED: &str = "acme/samir";
/// Whose passwords are reset, in turn.
const RESET: [&str; 3] = ["acme/paul", "acme/lea", "globex/tom"];

/// What is done, in an order in which each finds what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Somebody signs in and goes on to the service.
    SignIn,
    /// Somebody signs in, and an operator ends the session.
    Revoke,
    /// Somebody guesses a password.
    Guess,
    /// An operator gives somebody a provisional password.
    Reset,
    /// Somebody chooses a first password by the link of an invitation.
    AnswerInvitation,
    /// The same person chooses another password.
    ChangeOwnPassword,
    /// An operator locks that person.
    Lock,
    /// An operator has that person erased.
    Erase,
}

impl Deed {
    pub(super) const ALL: [Self; 8] = [
        Self::SignIn,
        Self::Revoke,
        Self::Guess,
        Self::Reset,
        Self::AnswerInvitation,
        Self::ChangeOwnPassword,
        Self::Lock,
        Self::Erase,
    ];
}

/// What was acknowledged.
#[derive(Default)]
pub(super) struct Ledger {
    live: Vec<Visitor>,
    dead: Vec<Visitor>,
    /// Passes to the service that were redeemed: by whom, with what cookies, at which address.
    redeemed: Vec<(Visitor, String)>,
    /// The pass whose redemption was not answered: it may have served.
    doubtful: Option<(Visitor, String)>,
    /// The password last acknowledged, and one that must not work any more.
    passwords: HashMap<String, (String, Option<String>)>,
    /// Whose last change was not acknowledged: either password may count.
    unsure: Vec<String>,
    /// Accounts that were locked, with the password that was theirs.
    locked: Vec<(String, String)>,
    /// Accounts whose erasure was asked for.
    erased: Vec<Erased>,
    /// Links whose password was accepted.
    spent_links: Vec<String>,
    /// Who was invited last, and may change the password or be locked.
    invited: Option<String>,
    deeds: u16,
    looks: u16,
}

struct Erased {
    login: String,
    id: String,
    password: String,
    is_acknowledged: bool,
}

impl Ledger {
    /// Does one thing and writes down what was acknowledged. `false` when the gateway is gone. Where nobody is there
    /// to whom it could be done, somebody is made so first.
    pub(super) fn act(&mut self, world: &World, deed: Deed) -> bool {
        self.deeds += 1;
        // At an address of their own, so that no limit is near.
        let [high, low] = self.deeds.to_be_bytes();
        let mut visitor = Visitor::at(&world.door.approached_from([10 + high, low, 1]));
        let done = match deed {
            Deed::SignIn => self.sign_in(world, visitor, STAYS),
            Deed::Revoke => self
                .sign_in(world, visitor, REVOKED)
                .and_then(|()| self.revoke(world)),
            Deed::Guess => {
                let wrong = "a wrong password, as it happens";
                try_to_sign_in(world, &mut visitor, STAYS, wrong).map(|status| {
                    assert_eq!(status, 401, "a wrong password");
                })
            }
            Deed::Reset => self.reset(world, RESET[usize::from(self.deeds) % RESET.len()]),
            Deed::ChangeOwnPassword if self.invited.is_some() => {
                self.change_own_password(world, visitor)
            }
            Deed::Erase if !self.locked.is_empty() => self.erase(world),
            Deed::Lock | Deed::Erase if self.invited.is_some() => self.lock(world),
            Deed::AnswerInvitation | Deed::ChangeOwnPassword | Deed::Lock | Deed::Erase => {
                self.answer_an_invitation(world, visitor)
            }
        };
        done.is_some()
    }

    fn sign_in(&mut self, world: &World, mut visitor: Visitor, login: &str) -> Option<()> {
        let password = world.facts.account(login).password.clone();
        signed_in(world, &mut visitor, login, &password)?;
        let mut url = world.url(HOST, "/");
        let mut pass = None;
        for _ in 0..5 {
            let before = visitor.clone();
            let enters = url.contains("/.octroi/enter");
            let Answer::Response(response) = visitor.ask("GET", &url, &navigation("none"), b"")
            else {
                self.doubtful = enters.then_some((before, url));
                return None;
            };
            if enters {
                pass = Some((before, url.clone()));
            }
            let Some(next) = redirect(&url, &response) else {
                break;
            };
            url = next;
        }
        assert!(visitor.cookie(HOST, SESSION_COOKIE).is_some(), "{login}");
        self.redeemed.push(pass.expect("a pass led there"));
        self.live.push(visitor);
        Some(())
    }

    fn revoke(&mut self, world: &World) -> Option<()> {
        // Acknowledged or not, it is no longer promised to live.
        let revoked = self.live.pop();
        acknowledged(world, &["session", "revoke", "--account", REVOKED])?;
        self.dead.extend(revoked);
        Some(())
    }

    fn reset(&mut self, world: &World, login: &str) -> Option<()> {
        let new = format!("provisoire {} du lundi matin", self.deeds);
        self.unsure.push(login.to_owned());
        let output = world.run_with_input(
            &["user", "reset", login, "--password-stdin"],
            &format!("{new}\n"),
        );
        output.status.success().then_some(())?;
        let old = match self.passwords.get(login) {
            Some((current, _)) => current.clone(),
            None => world.facts.account(login).password.clone(),
        };
        self.changed(login, new, Some(old));
        Some(())
    }

    fn changed(&mut self, login: &str, new: String, old: Option<String>) {
        self.passwords.insert(login.to_owned(), (new, old));
        self.unsure.retain(|unsure| unsure != login);
    }

    fn answer_an_invitation(&mut self, world: &World, mut visitor: Visitor) -> Option<()> {
        let login = format!("acme/neuf-{}", self.deeds);
        let made = acknowledged(world, &["user", "invite", &login, "--role", "rh", "--json"])?;
        let link = made["link"].as_str().expect("a link").to_owned();
        let page = look(&mut visitor, &link)?;
        let new = format!("premier choix numero {}", self.deeds);
        let form = Form::on(&page, "/.octroi/invitation")
            .with("new", &new)
            .without("repeat");
        send(&mut visitor, &form)?;
        self.changed(&login, new, None);
        self.spent_links.push(link);
        self.invited = Some(login);
        Some(())
    }

    fn change_own_password(&mut self, world: &World, mut visitor: Visitor) -> Option<()> {
        let login = self.invited.clone()?;
        let (current, _) = self.passwords.get(&login).expect("a password").clone();
        signed_in(world, &mut visitor, &login, &current)?;
        let before = visitor.clone();
        let url = format!("https://{}/.octroi/account/password", world.portal());
        let page = look(&mut visitor, &url)?;
        let new = format!("autre choix numero {}", self.deeds);
        let form = Form::on(&page, "/.octroi/account/password")
            .with("current", &current)
            .with("new", &new)
            .without("repeat");
        // From here on until the answer, nobody knows which password counts; not to be used again if it is doubtful.
        self.unsure.push(login.clone());
        self.invited = None;
        send(&mut visitor, &form)?;
        self.changed(&login, new, Some(current));
        self.invited = Some(login);
        // The session under which the old password was changed is another one now.
        self.dead.push(before);
        Some(())
    }

    fn lock(&mut self, world: &World) -> Option<()> {
        let login = self.invited.take()?;
        let (password, _) = self.passwords.remove(&login).expect("a password");
        acknowledged(world, &["user", "lock", &login])?;
        self.locked.push((login, password));
        Some(())
    }

    fn erase(&mut self, world: &World) -> Option<()> {
        let (login, _) = self.locked.last()?.clone();
        let shown = acknowledged(world, &["user", "show", &login, "--json"])?;
        let id = shown["id"].as_str().expect("an id").to_owned();
        let (login, password) = self.locked.pop()?;
        self.erased.push(Erased {
            login: login.clone(),
            id,
            password,
            is_acknowledged: false,
        });
        acknowledged(world, &["user", "delete", &login])?;
        self.erased.last_mut()?.is_acknowledged = true;
        Some(())
    }

    /// The gateway died in an erasure, after it was committed: it has to be finished.
    pub(super) fn erasure_is_committed(&mut self) {
        let erased = self.erased.last_mut().expect("somebody was to be erased");
        assert!(!erased.is_acknowledged, "it died after its answer");
        erased.is_acknowledged = true;
    }

    /// Everything acknowledged is as it was said to be.
    #[track_caller]
    pub(super) fn verify(&mut self, world: &World, what: &str) {
        self.verify_sessions(world, what);
        self.verify_passes(what);
        for link in &self.spent_links {
            let mut visitor = somebody_looking(world, &mut self.looks);
            let status = visitor.ask("GET", link, &navigation("none"), b"").status();
            assert_eq!(status, 410, "{what}: an invitation counts again");
        }
        self.verify_passwords(world, what);
        self.verify_erasures(world, what);
        self.forget_the_oldest();
        let output = world.run(&["journal", "verify"]);
        assert!(
            output.status.success(),
            "{what}: {}",
            octroi_integration_tests::binary::said(&output)
        );
    }

    /// What was there after its own kill and some more need not be looked at for ever: each look takes time.
    fn forget_the_oldest(&mut self) {
        keep_the_last(&mut self.redeemed, 8);
        keep_the_last(&mut self.dead, 8);
        keep_the_last(&mut self.spent_links, 4);
        keep_the_last(&mut self.erased, 2);
    }

    #[track_caller]
    fn verify_sessions(&self, world: &World, what: &str) {
        for (number, visitor) in self.live.iter().enumerate() {
            let status = ask(visitor, &world.url(HOST, "/"));
            assert_eq!(
                status,
                200,
                "{what}: session {number} of {} was acknowledged and is lost\n{}",
                self.live.len(),
                world.log()
            );
        }
        let own_page = format!("https://{}/.octroi/account/sessions", world.portal());
        for visitor in &self.dead {
            for url in [&world.url(HOST, "/"), &own_page] {
                let status = ask(visitor, url);
                assert!(
                    matches!(status, 401 | 303),
                    "{what}: a session was ended, and {url} says {status}"
                );
            }
        }
    }

    #[track_caller]
    fn verify_passes(&mut self, what: &str) {
        if let Some((visitor, url)) = self.doubtful.take() {
            let entered = (0..2).filter(|_| enters(&visitor, &url)).count();
            assert!(entered <= 1, "{what}: a pass was redeemed twice");
            self.redeemed.push((visitor, url));
        }
        for (visitor, url) in &self.redeemed {
            assert!(!enters(visitor, url), "{what}: a pass was redeemed twice");
        }
    }

    #[track_caller]
    fn verify_passwords(&mut self, world: &World, what: &str) {
        let looks = &mut self.looks;
        let mut attempt = |login: &str, password: &str| {
            try_to_sign_in(world, &mut somebody_looking(world, looks), login, password)
        };
        for (login, (current, old)) in &self.passwords {
            if self.unsure.contains(login) {
                continue;
            }
            if let Some(old) = old {
                let status = attempt(login, old);
                assert_eq!(status, Some(401), "{what}: {login}'s old password works");
            }
            let status = attempt(login, current);
            assert_eq!(
                status,
                Some(200),
                "{what}: {login}'s new password is lost\n{}",
                world.log()
            );
        }
        for (login, password) in &self.locked {
            let status = attempt(login, password);
            assert_eq!(status, Some(401), "{what}: {login} was locked");
        }
        for Erased {
            login, password, ..
        } in &self.erased
        {
            // Locked before, so this holds also where the erasure was never begun.
            let status = attempt(login, password);
            assert_eq!(status, Some(401), "{what}: {login} was erased");
        }
        // A provisional password has served once it was looked at.
        self.passwords
            .retain(|login, _| self.invited.as_ref() == Some(login));
    }

    /// Nothing of a person who was erased is left; an erasure that was cut short happened whole, or not at all.
    #[track_caller]
    fn verify_erasures(&self, world: &World, what: &str) {
        let exported = world.run(&["journal", "export"]);
        let exported = String::from_utf8_lossy(&exported.stdout);
        let lines: Vec<Value> = exported
            .lines()
            .map(|line| serde_json::from_str(line).expect("one document a line"))
            .collect();
        for erased in &self.erased {
            let login = &erased.login;
            let shown = world.run(&["user", "show", login]);
            if shown.status.success() && !erased.is_acknowledged {
                continue;
            }
            assert_eq!(shown.status.code(), Some(1), "{what}: {login} is there");
            let of_account = lines.iter().filter(|line| line["account_id"] == *erased.id);
            let mut sealed = 0;
            for line in of_account {
                let person = &line["person"];
                assert!(
                    person.is_null() || *person == json!({ "erased": true }),
                    "{what}: of {login}, who was erased: {line}"
                );
                sealed += usize::from(!person.is_null());
            }
            assert!(sealed > 0, "{what}: no line of {login} had a name in it");
        }
    }
}

fn keep_the_last<T>(list: &mut Vec<T>, count: usize) {
    list.drain(..list.len().saturating_sub(count));
}

/// What a command printed as JSON, or nothing in JSON's sense; `None` unless it was carried out.
fn acknowledged(world: &World, arguments: &[&str]) -> Option<Value> {
    let output = world.run(arguments);
    let read = || serde_json::from_slice(&output.stdout).unwrap_or_default();
    output.status.success().then(read)
}

/// Somebody at an address that nobody looked from before.
fn somebody_looking(world: &World, looks: &mut u16) -> Visitor {
    *looks += 1;
    let [high, low] = looks.to_be_bytes();
    Visitor::at(&world.door.approached_from([90 + high, low, 1]))
}

/// Asks with a visitor's cookies; the visitor stays as it is.
fn ask(visitor: &Visitor, url: &str) -> u16 {
    visitor.clone().ask("GET", url, &[], b"").status()
}

/// Whether a pass leads into the service.
fn enters(visitor: &Visitor, url: &str) -> bool {
    let mut again = visitor.clone();
    again.ask("GET", url, &navigation("same-site"), b"");
    again.cookie(HOST, SESSION_COOKIE).is_some()
}

/// A page, unless the gateway is gone.
#[track_caller]
fn look(visitor: &mut Visitor, url: &str) -> Option<Hop> {
    let Answer::Response(response) = visitor.ask("GET", url, &navigation("none"), b"") else {
        return None;
    };
    assert_eq!(response.status, 200, "{url}: {}", response.everything());
    Some(Hop {
        url: url.to_owned(),
        response,
    })
}

/// Sends a form that is in order; `None` where the gateway is gone.
#[track_caller]
fn send(visitor: &mut Visitor, form: &Form) -> Option<()> {
    let fields = form.fields.iter();
    let fields: Vec<(&str, &str)> = fields
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let Answer::Response(response) = visitor.post_form(&form.action, &fields) else {
        return None;
    };
    assert!(
        matches!(response.status, 200 | 303),
        "{}: {}",
        form.action,
        response.everything()
    );
    Some(())
}

/// Signs in with the right password; `None` where the gateway is gone.
#[track_caller]
fn signed_in(world: &World, visitor: &mut Visitor, login: &str, password: &str) -> Option<()> {
    let status = try_to_sign_in(world, visitor, login, password)?;
    assert_eq!(status, 200, "{login} has the right password");
    Some(())
}

fn try_to_sign_in(
    world: &World,
    visitor: &mut Visitor,
    login: &str,
    password: &str,
) -> Option<u16> {
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    let body = json!({ "login": login, "password": password, "computer": "private" }).to_string();
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    match visitor
        .ask("POST", &url, &headers, body.as_bytes())
        .status()
    {
        0 => None,
        status => Some(status),
    }
}
