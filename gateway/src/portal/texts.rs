//! The sentences that people read, by language, from the locale files.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::language::Language;

/// All sentences of one language.
pub(crate) struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// The sentences of `language`, read once for the life of the process.
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::French => &FRENCH,
            Language::English => &ENGLISH,
        }
    }

    /// Which language these sentences are in.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// The sentence named `key`, which has no variable.
    pub(crate) fn get(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The sentence named `key` with one variable put in.
    pub(crate) fn with<'a>(
        &self,
        key: &str,
        name: &'a str,
        value: impl Into<Variable<'a>>,
    ) -> String {
        self.fill(key, [(name, value.into())])
    }

    /// The sentence named `key` with its variables put in.
    pub(crate) fn fill<'a, const N: usize>(
        &self,
        key: &str,
        variables: [(&'a str, Variable<'a>); N],
    ) -> String {
        let mut args = FluentArgs::with_capacity(N);
        for (name, value) in variables {
            args.set(name, value.0);
        }
        self.format(key, Some(&args))
    }

    /// The sentence named `key` in two halves, before and after its variable, so that a template
    /// can put an element there.
    pub(crate) fn around(&self, key: &str, name: &str) -> (String, String) {
        let whole = self.with(key, name, GAP);
        match whole.split_once(GAP) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (whole, String::new()),
        }
    }

    /// A missing sentence shows its key: ugly, harmless, and a test sees that none is missing.
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
        else {
            tracing::error!(text.key = key, "sentence missing from the locale");
            return key.to_owned();
        };
        let mut problems = Vec::new();
        self.bundle
            .format_pattern(pattern, args, &mut problems)
            .into_owned()
    }
}

/// A value put into a sentence: words, or a number which may choose singular or plural.
pub(crate) struct Variable<'a>(FluentValue<'a>);

impl<'a> From<&'a str> for Variable<'a> {
    fn from(words: &'a str) -> Self {
        Self(FluentValue::String(words.into()))
    }
}

impl<'a> From<&'a String> for Variable<'a> {
    fn from(words: &'a String) -> Self {
        Self::from(words.as_str())
    }
}

impl From<u64> for Variable<'_> {
    fn from(number: u64) -> Self {
        Self(FluentValue::from(number))
    }
}

static FRENCH: LazyLock<Texts> = LazyLock::new(|| {
    load(
        Language::French,
        include_str!("../../locales/fr/portal.ftl"),
    )
});
static ENGLISH: LazyLock<Texts> = LazyLock::new(|| {
    load(
        Language::English,
        include_str!("../../locales/en/portal.ftl"),
    )
});

/// Stands where a template puts an element; no sentence contains it (U+FFFC, "object replacement").
const GAP: &str = "\u{fffc}";

fn load(language: Language, source: &str) -> Texts {
    // Our two tags are well-formed; an undetermined language would only lose the plural rules.
    let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // The isolating marks U+2068 and U+2069 would end up in attributes and titles.
    bundle.set_use_isolating(false);
    // What cannot be read is left out, and `invariant_10_every_sentence_exists_in_both_languages` fails.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(read, _)| read);
    bundle.add_resource_overriding(resource);
    Texts { language, bundle }
}

#[cfg(test)]
mod tests;
