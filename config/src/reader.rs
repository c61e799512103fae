//! Reading one table of the file by its description in the reference: what is missing has the
//! documented default, what is not documented is refused.

mod list;
mod reading;
mod suggestion;
pub(crate) mod value;

use std::{fmt::Display, path::PathBuf, str::FromStr, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use self::value::parse_duration;
pub(crate) use self::{
    reading::{Files, Reading},
    suggestion::did_you_mean,
};
use crate::{
    reference::{Key, Section},
    settings::Rate,
    source::At,
};

/// A value and where it was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) at: At,
}

/// A reader of one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'d> {
    reading: &'d Reading,
    section: &'static Section,
    table: &'d DeTable<'d>,
    at: At,
}

impl<'d> Reader<'d> {
    /// Opens a table, and refuses the keys that the reference does not know.
    pub(crate) fn open(
        reading: &'d Reading,
        section: &'static Section,
        table: &'d DeTable<'d>,
        at: At,
    ) -> Self {
        let reader = Self {
            reading,
            section,
            table,
            at,
        };
        for key in table.keys() {
            reader.check_known(key.get_ref(), At(key.span().start));
        }
        reader
    }

    fn check_known(&self, key: &str, at: At) {
        if self.section.key(key).is_some() {
            return;
        }
        let name = self.section.path_of(key);
        if let Some(later) = self.section.later.iter().find(|later| later.name == key) {
            self.reading.error(
                at,
                format!("`{name}` is not available in this version"),
                later.remedy,
            );
            return;
        }
        let known = self.section.keys.iter().map(|key| key.name);
        self.reading.error(
            at,
            format!("`{name}` is not a key"),
            did_you_mean(key, known).unwrap_or_else(|| {
                format!("see the reference for the keys of {}", self.section.title())
            }),
        );
    }

    /// Where the table begins.
    pub(crate) const fn at(&self) -> At {
        self.at
    }

    /// What was found goes here.
    pub(crate) const fn reading(&self) -> &'d Reading {
        self.reading
    }

    /// The value as it stands in the file.
    pub(crate) fn told(&self, name: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        #[cfg(test)]
        self.reading
            .asked
            .borrow_mut()
            .insert((self.section.name, name.to_owned()));
        self.table.get(name)
    }

    /// Whether the file says anything of this key, and where.
    pub(crate) fn place_of(&self, name: &str) -> Option<At> {
        self.table.get(name).map(|value| At(value.span().start))
    }

    /// The value of a key that was read already.
    pub(crate) fn table_value(&self, name: &str) -> Option<&'d DeValue<'d>> {
        self.table.get(name).map(Spanned::get_ref)
    }

    /// Where a problem with this key is best shown.
    pub(crate) fn at_key(&self, name: &str) -> At {
        self.place_of(name).unwrap_or(self.at)
    }

    /// Refuses a value.
    pub(crate) fn refuse(&self, at: At, name: &str, why: impl Display) {
        let takes = self.key(name).map_or("", |key| key.takes);
        self.reading.error(
            at,
            format!("`{}` {why}", self.section.path_of(name)),
            format!("write {takes}"),
        );
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.section.key(name)
    }

    /// Text from the file, or the documented default.
    pub(crate) fn text(&self, name: &str) -> Option<Told<&'d str>> {
        let Some(value) = self.told(name) else {
            let default = self.key(name)?.default?;
            return Some(Told {
                value: default,
                at: self.at,
            });
        };
        let at = At(value.span().start);
        if let DeValue::String(text) = value.get_ref() {
            return Some(Told { value: text, at });
        }
        self.refuse_type(at, name, value.get_ref());
        None
    }

    /// The same for a key that has to be there.
    pub(crate) fn required_text(&self, name: &str) -> Option<Told<&'d str>> {
        self.require(name)?;
        self.text(name)
    }

    /// Notes that a key is missing.
    pub(crate) fn require(&self, name: &str) -> Option<()> {
        if self.told(name).is_some() {
            return Some(());
        }
        let takes = self.key(name).map_or("", |key| key.takes);
        self.reading.error(
            self.at,
            format!("`{}` is missing", self.section.path_of(name)),
            format!("add `{name}` to {}: {takes}", self.section.title()),
        );
        None
    }

    pub(crate) fn refuse_type(&self, at: At, name: &str, value: &DeValue<'_>) {
        self.refuse(at, name, format_args!("cannot be {}", kind_of(value)));
    }

    /// Text that reads as a `T`.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Option<Told<T>> {
        let text = self.text(name)?;
        self.parse(name, text)
    }

    /// The same for a key that has to be there.
    pub(crate) fn required<T: FromStr<Err: Display>>(&self, name: &str) -> Option<Told<T>> {
        let text = self.required_text(name)?;
        self.parse(name, text)
    }

    /// Reads a piece of text as a `T`.
    pub(crate) fn parse<T: FromStr<Err: Display>>(
        &self,
        name: &str,
        text: Told<&str>,
    ) -> Option<Told<T>> {
        match text.value.parse() {
            Ok(value) => Some(Told { value, at: text.at }),
            Err(error) => {
                self.refuse(text.at, name, format_args!("is {:?}: {error}", text.value));
                None
            }
        }
    }

    /// A duration within its documented bounds.
    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        let text = self.text(name)?;
        let bounds = self.key(name)?.kind.duration_bounds();
        let duration = match parse_duration(text.value) {
            Ok(duration) => duration,
            Err(error) => {
                self.refuse(text.at, name, format_args!("is {:?}: {error}", text.value));
                return None;
            }
        };
        if bounds.is_some_and(|(min, max)| !(min..=max).contains(&duration)) {
            let why = format_args!("is {:?}, which is out of bounds", text.value);
            self.refuse(text.at, name, why);
            return None;
        }
        Some(duration)
    }

    /// A whole number within its documented bounds.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        let key = self.key(name)?;
        let (text, radix, at) = match self.told(name) {
            None => (key.default?, 10, self.at),
            Some(value) => {
                let at = At(value.span().start);
                let Some(integer) = value.get_ref().as_integer() else {
                    self.refuse_type(at, name, value.get_ref());
                    return None;
                };
                (integer.as_str(), integer.radix(), at)
            }
        };
        let number = i64::from_str_radix(text, radix).ok();
        let bounds = key.kind.integer_bounds();
        let within =
            number.filter(|number| bounds.is_none_or(|(min, max)| (min..=max).contains(number)));
        let Some(value) = within.and_then(|number| T::try_from(number).ok()) else {
            self.refuse(at, name, format_args!("is {text}, which is out of bounds"));
            return None;
        };
        Some(value)
    }

    /// True or false.
    pub(crate) fn boolean(&self, name: &str) -> bool {
        let Some(value) = self.told(name) else {
            return self.key(name).and_then(|key| key.default) == Some("true");
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.refuse_type(At(value.span().start), name, value.get_ref());
            false
        })
    }

    /// So many in a period.
    pub(crate) fn rate(&self, name: &str) -> Option<Rate> {
        self.parsed(name).map(|rate| rate.value)
    }

    /// One of the documented words.
    pub(crate) fn choice<T: Copy>(&self, name: &str, meanings: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        let meant = meanings.iter().find(|(word, _)| *word == text.value);
        if let Some((_, meaning)) = meant {
            return Some(*meaning);
        }
        let path = self.section.path_of(name);
        let later = self.key(name).map_or(&[][..], |key| key.later);
        if later.iter().any(|later| text.value.starts_with(later)) {
            let words: Vec<&str> = meanings.iter().map(|(word, _)| *word).collect();
            self.reading.error(
                text.at,
                format!(
                    "`{path} = {:?}` is not available in this version",
                    text.value
                ),
                format!("write {}", words.join(" or ")),
            );
            return None;
        }
        let words = meanings.iter().map(|(word, _)| *word);
        match did_you_mean(text.value, words) {
            Some(remedy) => {
                let what = format!("`{path}` is {:?}, which is not a choice", text.value);
                self.reading.error(text.at, what, remedy);
            }
            None => self.refuse(text.at, name, format_args!("is {:?}", text.value)),
        }
        None
    }

    /// A path, taken from the directory of the file.
    pub(crate) fn path(&self, name: &str) -> Option<Told<PathBuf>> {
        let text = self.text(name)?;
        if text.value.is_empty() || text.value.contains('\0') {
            self.refuse(text.at, name, "is no path");
            return None;
        }
        Some(Told {
            value: self.reading.locate(text.value),
            at: text.at,
        })
    }

    /// The same for a key that has to be there.
    pub(crate) fn required_path(&self, name: &str) -> Option<Told<PathBuf>> {
        self.require(name)?;
        self.path(name)
    }

    /// A table within this one.
    pub(crate) fn table(&self, name: &str, section: &'static Section) -> Option<Self> {
        let value = self.told(name)?;
        let at = At(value.span().start);
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Self::open(self.reading, section, table, at));
        }
        self.refuse_type(at, name, value.get_ref());
        None
    }
}

/// What a value is, for people.
fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
