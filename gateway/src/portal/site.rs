//! What pages know of the installation: names, addresses, look, zone, limits. Made anew from the
//! settings at each reload and swapped as a whole.

use std::time::Duration;

use jiff::tz::TimeZone;
use octroi_config::{
    Settings,
    settings::{AccessibilityVerdict, Contact, CookieLife, Routes},
};
use octroi_policy::{
    host::Host,
    path::{is_unreserved, percent_encoded},
    session::Computer,
};

use super::{look::Look, texts::Texts};

/// The installation, as pages see it.
pub(crate) struct Site {
    /// The host of sign-in and account pages.
    pub(crate) portal: Host,
    /// What pages look like.
    pub(crate) look: Look,
    /// The zone in which pages and letters tell time.
    pub(crate) zone: TimeZone,
    /// Where people who need somebody are sent.
    pub(crate) contact: Contact,
    /// Which hosts and paths there are, and for whom.
    pub(crate) routes: Routes,
    public_port: u16,
    absolute: Duration,
    idle_private: Duration,
    idle_public: Duration,
    cookie_life: CookieLife,
}

/// A link of the footer.
pub(crate) struct FooterLink {
    /// Where it leads.
    pub(crate) href: String,
    /// What it says.
    pub(crate) label: String,
}

impl Site {
    /// The site that settings describe. `public_port` is the port of HTTPS that people see.
    pub(crate) fn new(settings: &Settings, public_port: u16) -> Self {
        let server = &settings.server;
        Self {
            portal: server.portal.clone(),
            look: Look::of(&settings.brand),
            // The settings were refused if the zone has no such name.
            zone: TimeZone::get(&server.time_zone).unwrap_or(TimeZone::UTC),
            contact: settings.contact.clone(),
            routes: settings.routes.clone(),
            public_port,
            absolute: settings.sessions.absolute,
            idle_private: settings.sessions.idle_private,
            idle_public: settings.sessions.idle_public,
            cookie_life: settings.sessions.cookie,
        }
    }

    /// The origin of one of our hosts (RFC 6454), as browsers write it.
    pub(crate) fn origin(&self, host: &Host) -> String {
        match self.public_port {
            HTTPS_PORT => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }

    /// The portal's address of `path`, which begins with a slash.
    pub(crate) fn portal_url(&self, path: &str) -> String {
        format!("{}{path}", self.origin(&self.portal))
    }

    /// Support's address as people read it; `None` where configuration names none.
    pub(crate) fn support(&self) -> Option<&str> {
        self.contact.support.as_deref().map(readable)
    }

    /// Where to write to support: a message with this subject, where support has an address for mail.
    /// `None` unless support has an address at all.
    pub(crate) fn write_to_support(&self, subject: &str) -> Option<String> {
        let address = self.contact.support.as_deref()?;
        if !address.starts_with("mailto:") || address.contains('?') {
            return Some(address.to_owned());
        }
        // As a `mailto:` query wants it (RFC 6068, section 2).
        let subject = percent_encoded(subject, is_unreserved);
        Some(format!("{address}?subject={subject}"))
    }

    /// Whether `host` is one that services stand behind.
    pub(crate) fn is_application_host(&self, host: &Host) -> bool {
        *host != self.portal && self.routes.names_host(host)
    }

    /// How long a session lives without use.
    pub(crate) const fn idle_limit(&self, computer: Computer) -> Duration {
        match computer {
            Computer::Private => self.idle_private,
            Computer::Public => self.idle_public,
        }
    }

    /// How long a session lives at most.
    pub(crate) const fn absolute_limit(&self) -> Duration {
        self.absolute
    }

    /// Whether the session's cookie outlives the browser.
    pub(crate) fn keeps_cookie(&self, computer: Computer) -> bool {
        computer == Computer::Private && self.cookie_life == CookieLife::Session
    }

    /// The footer's links, in the one order that every page has (WCAG 2.2, 3.2.6).
    pub(crate) fn footer(&self, texts: &Texts) -> Vec<FooterLink> {
        let contact = &self.contact;
        let verdict = match contact.accessibility_verdict {
            Some(AccessibilityVerdict::Conformant) => "footer-accessibility-full",
            Some(AccessibilityVerdict::PartlyConformant) => "footer-accessibility-partial",
            Some(AccessibilityVerdict::NotConformant) | None => "footer-accessibility-none",
        };
        [
            (&contact.support, "footer-help"),
            (&contact.privacy, "footer-privacy"),
            (&contact.dpo, "footer-dpo"),
            (&contact.accessibility, verdict),
            (&contact.security, "footer-flaw"),
        ]
        .into_iter()
        .filter_map(|(href, label)| {
            Some(FooterLink {
                href: href.clone()?,
                label: texts.get(label),
            })
        })
        .collect()
    }
}

/// An address of the configuration without its scheme, where people know it without.
pub(crate) fn readable(address: &str) -> &str {
    ["mailto:", "tel:"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme))
        .unwrap_or(address)
}

/// Which origins leave out (RFC 9110, section 4.2.2).
const HTTPS_PORT: u16 = 443;
