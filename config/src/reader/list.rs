//! Reading lists.

use std::{fmt::Display, str::FromStr};

use toml::{Spanned, de::DeValue};

use super::{Reader, Told, kind_of};
use crate::source::At;

impl<'d> Reader<'d> {
    /// A list of texts; a single text is a list of one where `name` says so.
    pub(crate) fn texts(&self, name: &str) -> Vec<Told<&'d str>> {
        let Some(value) = self.told(name) else {
            return Vec::new();
        };
        let at = At(value.span().start);
        let one_or_many = self.key(name).is_some_and(|key| key.kind.is_one_or_many());
        if let DeValue::Array(items) = value.get_ref() {
            return items
                .iter()
                .filter_map(|item| self.item(name, item))
                .collect();
        }
        if let DeValue::String(text) = value.get_ref()
            && one_or_many
        {
            return vec![Told { value: text, at }];
        }
        self.refuse_type(at, name, value.get_ref());
        Vec::new()
    }

    /// One text of a list.
    fn item(&self, name: &str, item: &'d Spanned<DeValue<'d>>) -> Option<Told<&'d str>> {
        let at = At(item.span().start);
        if let DeValue::String(text) = item.get_ref() {
            return Some(Told { value: text, at });
        }
        self.refuse(at, name, format_args!("holds {}", kind_of(item.get_ref())));
        None
    }

    /// The same for a list that must not be empty; `why` follows "is an empty list".
    pub(crate) fn some_texts(&self, name: &str, why: &str) -> Vec<Told<&'d str>> {
        if let Some(value) = self.told(name)
            && value
                .get_ref()
                .as_array()
                .is_some_and(|items| items.is_empty())
        {
            let at = At(value.span().start);
            self.refuse(at, name, format_args!("is an empty list{why}"));
        }
        self.texts(name)
    }

    /// A list of which each item reads as a `T`; an item said twice is refused.
    pub(crate) fn list<T: FromStr<Err: Display> + PartialEq>(&self, name: &str) -> Vec<Told<T>> {
        self.list_of(name, self.texts(name))
    }

    /// The same of texts that were taken from the table already.
    pub(crate) fn list_of<T: FromStr<Err: Display> + PartialEq>(
        &self,
        name: &str,
        texts: Vec<Told<&str>>,
    ) -> Vec<Told<T>> {
        let mut list: Vec<Told<T>> = Vec::new();
        for text in texts {
            let Some(item) = self.parse::<T>(name, text) else {
                continue;
            };
            if list.iter().any(|earlier| earlier.value == item.value) {
                self.refuse(item.at, name, format_args!("says {:?} twice", text.value));
                continue;
            }
            list.push(item);
        }
        list
    }
}
