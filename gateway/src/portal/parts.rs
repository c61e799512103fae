//! Pieces that several pages share: fields, problems, notices.

use std::time::Duration;

use octroi_policy::session::Computer;

use super::{ask::Ask, dates::Moment, frame::Sentence, site::Site, texts::Texts};

/// Something wrong with a field, said in the box at the top and above the field.
pub(crate) struct Problem {
    /// The field's id.
    pub(crate) field: &'static str,
    /// What is wrong and how to mend it.
    pub(crate) text: String,
}

/// A field for a password. What was typed never comes back.
pub(crate) struct PasswordField {
    /// Id and name.
    pub(crate) id: &'static str,
    /// Its label.
    pub(crate) label: String,
    /// For password managers.
    pub(crate) autocomplete: &'static str,
    /// What helps.
    pub(crate) hint: Option<String>,
    /// What is wrong with what was sent.
    pub(crate) problems: Vec<String>,
}

/// A message above the page's heading, which holds the focus.
pub(crate) struct Notice {
    /// How it looks and how it is announced.
    pub(crate) kind: NoticeKind,
    /// The words before the time.
    pub(crate) before: String,
    /// A time, if the message has one.
    pub(crate) time: Option<Moment>,
    /// The words after it.
    pub(crate) after: String,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoticeKind {
    /// Something was done.
    Done,
    /// Something was refused.
    Refused,
    /// Something is to be known.
    Warning,
}

/// The choice of computer (promise C2).
pub(crate) struct ComputerChoice {
    /// Whether "mine" is chosen.
    pub(crate) is_private: bool,
    /// "Shared", and what that means.
    pub(crate) public: Choice,
    /// "Mine", and what that means.
    pub(crate) private: Choice,
}

/// One choice of several: a sentence whose beginning, up to the colon, names it.
pub(crate) struct Choice {
    /// Its name.
    pub(crate) name: String,
    /// The rest of the sentence, with its colon.
    pub(crate) meaning: String,
}

impl Problem {
    /// A problem of the field `field`, named by the sentence `key`.
    pub(super) fn new(texts: &Texts, field: &'static str, key: &str) -> Self {
        Self {
            field,
            text: texts.get(key),
        }
    }
}

impl PasswordField {
    /// The field for a password that exists.
    pub(super) fn current(id: &'static str, label: String, problems: &[Problem]) -> Self {
        Self::new(id, label, "current-password", None, problems)
    }

    /// The field for a password that is being chosen.
    pub(super) fn chosen(texts: &Texts, problems: &[Problem]) -> Self {
        let hint = Some(texts.get("password-hint"));
        Self::new(
            "new",
            texts.get("password-new"),
            "new-password",
            hint,
            problems,
        )
    }

    /// The field for the same once more, where no script can show what was typed.
    pub(super) fn repeated(texts: &Texts, problems: &[Problem]) -> Self {
        Self::new(
            "repeat",
            texts.get("password-repeat"),
            "new-password",
            None,
            problems,
        )
    }

    /// The ids of what describes the field.
    pub(crate) fn described_by(&self) -> Option<String> {
        let problem = (!self.problems.is_empty()).then(|| format!("{}-problem", self.id));
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.id));
        match (problem, hint) {
            (Some(problem), Some(hint)) => Some(format!("{problem} {hint}")),
            (one, other) => one.or(other),
        }
    }

    fn new(
        id: &'static str,
        label: String,
        autocomplete: &'static str,
        hint: Option<String>,
        problems: &[Problem],
    ) -> Self {
        let problems = problems
            .iter()
            .filter(|problem| problem.field == id)
            .map(|problem| problem.text.clone())
            .collect();
        Self {
            id,
            label,
            autocomplete,
            hint,
            problems,
        }
    }
}

impl Notice {
    /// A notice of this sentence.
    pub(super) fn new(kind: NoticeKind, sentence: Sentence) -> Self {
        Self {
            kind,
            before: sentence.before,
            time: sentence.time,
            after: sentence.after,
        }
    }

    /// A notice of these words.
    pub(super) fn plain(kind: NoticeKind, text: String) -> Self {
        Self::new(kind, Sentence::plain(text))
    }
}

impl NoticeKind {
    /// The class of its box.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Done => "ok",
            Self::Refused => "danger",
            Self::Warning => "warn",
        }
    }

    /// How it is announced.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Done => "status",
            Self::Refused | Self::Warning => "alert",
        }
    }
}

impl ComputerChoice {
    /// The choice with `chosen` preselected.
    pub(super) fn new(site: &Site, texts: &Texts, chosen: Computer) -> Self {
        let most = in_words(texts, site.absolute_limit());
        let private_idle = in_words(texts, site.idle_limit(Computer::Private));
        let public_idle = in_words(texts, site.idle_limit(Computer::Public));
        let private_label = texts.fill(
            "computer-private",
            [("most", (&most).into()), ("idle", (&private_idle).into())],
        );
        let public_label = texts.with("computer-public", "idle", &public_idle);
        Self {
            is_private: chosen == Computer::Private,
            public: Choice::of(&public_label),
            private: Choice::of(&private_label),
        }
    }
}

impl Choice {
    /// French has a no-break space before the colon, which goes with it.
    fn of(sentence: &str) -> Self {
        let colon = sentence.find(':').unwrap_or(sentence.len());
        let (before, _) = sentence.split_at(colon);
        let (name, meaning) = sentence.split_at(before.trim_end().len());
        Self {
            name: name.to_owned(),
            meaning: meaning.to_owned(),
        }
    }
}

/// A limit of the configuration as people say it: in hours where it is so many, else in minutes.
fn in_words(texts: &Texts, limit: Duration) -> String {
    let minutes = limit.as_secs() / 60;
    if minutes.is_multiple_of(60) {
        texts.with("duration-hours", "n", minutes / 60)
    } else {
        texts.with("duration-minutes", "n", minutes)
    }
}

/// The computer that a form names. Anything but "private" is the careful choice.
pub(super) fn computer_from(text: &str) -> Computer {
    match text {
        "private" => Computer::Private,
        _ => Computer::Public,
    }
}

/// What is said of a form that cannot be trusted, and why nothing was done.
pub(super) fn distrust(ask: &Ask, forgery: super::forms::Forgery) -> Notice {
    use super::forms::Forgery;
    let portal = ask.visitor.host.as_str();
    let text = match forgery {
        Forgery::ForeignOrigin => ask.texts.with("error-form", "portal", portal),
        Forgery::NoCookie => ask.texts.with("cookies-refused", "portal", portal),
        Forgery::Stale => ask.texts.get("form-stale"),
    };
    Notice::plain(NoticeKind::Refused, text)
}
