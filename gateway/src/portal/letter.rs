//! The invitation as a letter: text for mail or chat, and a sheet to print, in the person's language.

use askama::Template;
use octroi_policy::time::Timestamp;

use super::{
    dates::{Calendar, Moment},
    language::Language,
    site::{Site, readable},
    texts::Texts,
};
use crate::identity::{
    invitations::{Invitee, IssuedInvitation},
    secret::InvitationToken,
};

/// An invitation, ready to be handed over. It holds the link, so it is for one person only.
pub(crate) struct Letter {
    /// For a terminal, mail or chat.
    pub(crate) text: String,
    /// To be printed; one file without anything to fetch.
    pub(crate) html: String,
}

impl Letter {
    /// The letter of an invitation that was just made, in the person's language, else in
    /// `otherwise`.
    pub(crate) fn new(
        site: &Site,
        invitation: &IssuedInvitation,
        otherwise: Language,
    ) -> Result<Self, askama::Error> {
        let link = link(site, &invitation.token);
        Self::of(
            site,
            &invitation.invitee,
            &link,
            invitation.expires_at,
            otherwise,
        )
    }

    /// The same from a link that was made elsewhere.
    pub(crate) fn of(
        site: &Site,
        invitee: &Invitee,
        link: &str,
        expires_at: Timestamp,
        otherwise: Language,
    ) -> Result<Self, askama::Error> {
        let language = invitee
            .language
            .and_then(|language| Language::from_tag(language.as_str()))
            .unwrap_or(otherwise);
        let words = Words::new(site, Texts::of(language), invitee, link, expires_at);
        Ok(Self {
            text: TextLetter { words: &words }.render()?,
            html: PrintedLetter { words: &words }.render()?,
        })
    }
}

/// The address that an invitation's link opens. The secret stands in the query, which no access
/// line shows.
pub(crate) fn link(site: &Site, token: &InvitationToken) -> String {
    site.portal_url(&format!("/.octroi/invitation?token={}", *token.expose()))
}

/// What both forms of the letter say.
struct Words<'a> {
    language: &'static str,
    title: String,
    greeting: String,
    intro: String,
    step_link: String,
    link: &'a str,
    step_password: String,
    step_keep: String,
    /// What stands between a label and its value: French wants a no-break space before a colon.
    colon: &'static str,
    login_label: String,
    login: String,
    tenant_label: String,
    organisation: &'a str,
    portal_label: String,
    /// Where to sign in once the link is spent.
    portal: String,
    expires_before: String,
    expires: Moment,
    expires_after: String,
    warning: String,
    contacts: Vec<String>,
}

impl<'a> Words<'a> {
    fn new(
        site: &Site,
        texts: &'static Texts,
        invitee: &'a Invitee,
        link: &'a str,
        expires_at: Timestamp,
    ) -> Self {
        let brand = site.look.name();
        let (expires_before, expires_after) = texts.around("letter-expires", "time");
        let contact = &site.contact;
        let contacts = [
            ("letter-help", &contact.support),
            ("letter-privacy", &contact.privacy),
        ]
        .into_iter()
        .filter_map(|(key, address)| {
            Some(texts.with(key, "contact", address.as_deref().map(readable)?))
        })
        .collect();
        Self {
            language: texts.language().tag(),
            title: texts.with("letter-title", "brand", brand),
            greeting: match &invitee.name {
                Some(name) => texts.with("letter-greeting", "name", name),
                None => texts.get("letter-greeting-plain"),
            },
            intro: texts.with("letter-intro", "brand", brand),
            step_link: texts.get("letter-step-link"),
            link,
            step_password: texts.get("letter-step-password"),
            step_keep: texts.get("letter-step-keep"),
            colon: match texts.language() {
                Language::French => "\u{a0}:",
                Language::English => ":",
            },
            login_label: texts.get("letter-login"),
            login: invitee.full_login(),
            tenant_label: texts.get("letter-tenant"),
            organisation: &invitee.organisation,
            portal_label: texts.get("letter-portal"),
            portal: site.portal_url("/"),
            expires_before,
            expires: Calendar::new(texts, &site.zone).sentence(expires_at),
            expires_after,
            warning: texts.get("letter-warning"),
            contacts,
        }
    }
}

#[derive(Template)]
#[template(path = "letter.txt")]
struct TextLetter<'a> {
    words: &'a Words<'a>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct PrintedLetter<'a> {
    words: &'a Words<'a>,
}
