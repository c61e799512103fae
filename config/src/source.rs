//! The file's text with the environment laid over it, and where each value came from.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    problem::{Place, Problem, Severity},
    reference::{self, Section},
};

/// Where a value stands: an offset into the text. Offsets past its end stand for environment
/// variables, in order, so that one number tells every origin.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct At(pub(crate) usize);

/// What was found, before its place is told in lines.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) at: At,
    pub(crate) what: String,
    pub(crate) remedy: String,
    /// Where the other half of a contradiction stands.
    pub(crate) other: Option<At>,
}

/// The text of a configuration and the variables that speak over it.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    text: String,
    variables: Vec<Variable>,
    line_starts: Vec<usize>,
}

#[derive(Debug)]
struct Variable {
    name: String,
    value: String,
}

impl Source {
    /// Takes the text and, of the environment, what is addressed to us.
    pub(crate) fn new(path: &Path, text: String, environment: &[(OsString, OsString)]) -> Self {
        let mut variables: Vec<Variable> = environment
            .iter()
            .filter_map(|(name, value)| {
                let name = name.to_str().filter(|name| name.starts_with(PREFIX))?;
                Some(Variable {
                    name: name.to_owned(),
                    value: value.to_string_lossy().into_owned(),
                })
            })
            .collect();
        variables.sort_by(|one, other| one.name.cmp(&other.name));
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            path: path.to_owned(),
            text,
            variables,
            line_starts,
        }
    }

    /// The document with the environment laid over it, and what of the environment has no place in it.
    ///
    /// # Errors
    ///
    /// Where the text is no TOML: nothing else is looked for then, since a table whose header is
    /// broken is a table that seems to be missing.
    pub(crate) fn document(&self) -> Result<(DeTable<'_>, Vec<Finding>), Vec<Finding>> {
        let (root, errors) = DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            let told = errors.iter().map(|error| not_toml(&self.text, error));
            return Err(told.collect());
        }
        let (root, findings) = self.overlaid(root.into_inner());
        Ok((root, findings))
    }

    /// The same, without what is wrong in it. Good for nothing that opens anything.
    pub(crate) fn document_as_far_as_it_goes(&self) -> DeTable<'_> {
        let (root, _) = DeTable::parse_recoverable(&self.text);
        self.overlaid(root.into_inner()).0
    }

    fn overlaid<'s>(&'s self, mut root: DeTable<'s>) -> (DeTable<'s>, Vec<Finding>) {
        let mut findings = Vec::new();
        for (position, variable) in self.variables.iter().enumerate() {
            let at = self.text.len() + 1 + position;
            if let Err(finding) = lay_over(&mut root, variable, at) {
                findings.push(finding);
            }
        }
        (root, findings)
    }

    /// Tells a finding's place in lines and columns.
    pub(crate) fn problem(&self, finding: Finding) -> Problem {
        Problem {
            severity: finding.severity,
            place: self.place(finding.at),
            what: finding.what,
            remedy: finding.remedy,
            other: finding.other.map(|at| self.place(at)),
        }
    }

    fn place(&self, At(at): At) -> Place {
        let past_the_end = at.checked_sub(self.text.len() + 1);
        if let Some(variable) = past_the_end.and_then(|position| self.variables.get(position)) {
            return Place::Environment {
                variable: variable.name.clone(),
            };
        }
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = line
            .checked_sub(1)
            .and_then(|line| self.line_starts.get(line))
            .copied()
            .unwrap_or(0);
        let before = self.text.get(start..at).unwrap_or_default();
        Place::File {
            path: self.path.clone(),
            line,
            column: before.chars().count() + 1,
        }
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> Finding {
    let at = error.span().map_or(0, |span| span.start);
    let first = text.get(at..).and_then(|rest| rest.chars().next());
    // Word processors put them in place of what was typed.
    let is_curved = first.is_some_and(|letter| "“”„‘’‚«»".contains(letter));
    let remedy = if is_curved {
        "write straight quotes: \"like these\""
    } else {
        "see https://toml.io for the form of the file"
    };
    Finding {
        severity: Severity::Error,
        at: At(at),
        what: format!("this is not TOML: {}", error.message()),
        remedy: remedy.to_owned(),
        other: None,
    }
}

/// Puts a variable's value where the file would have it.
fn lay_over<'s>(root: &mut DeTable<'s>, variable: &'s Variable, at: usize) -> Result<(), Finding> {
    let refuse = |what: String, remedy: String| Finding {
        severity: Severity::Error,
        at: At(at),
        what,
        remedy,
        other: None,
    };
    let path = variable.name.trim_start_matches(PREFIX).to_lowercase();
    let Some((section, key)) = path.split_once("__") else {
        return Err(refuse(
            "the name of the variable does not tell section and key".to_owned(),
            "write OCTROI__SECTION__KEY, as in OCTROI__SERVER__PORTAL".to_owned(),
        ));
    };
    let known = reference::SECTIONS
        .iter()
        .copied()
        .find(|known| known.name == section);
    if known.is_some_and(|known| known.repeated) {
        return Err(refuse(
            format!("`[[{section}]]` cannot be set by the environment: there may be several"),
            "write it in the file".to_owned(),
        ));
    }
    let value = Spanned::new(at..at, value_of(known, key, &variable.value));
    let table = root
        .entry(Spanned::new(at..at, section.to_owned().into()))
        .or_insert(Spanned::new(at..at, DeValue::Table(DeTable::new())));
    if let DeValue::Table(table) = table.get_mut() {
        // The old key goes too, since it carries the place that problems name.
        table.remove(key);
        table.insert(Spanned::new(at..at, key.to_owned().into()), value);
    }
    Ok(())
}

/// Keys that take text take the variable as it is; for the others it is written as in the file.
fn value_of<'s>(section: Option<&Section>, key: &str, text: &'s str) -> DeValue<'s> {
    let is_text = section
        .and_then(|section| section.key(key))
        .is_none_or(|key| key.kind.is_text());
    if is_text {
        return DeValue::String(text.into());
    }
    match DeValue::parse(text) {
        Ok(value) => value.into_inner(),
        Err(_) => DeValue::String(text.into()),
    }
}

/// What variables that are addressed to the configuration begin with.
const PREFIX: &str = "OCTROI__";
