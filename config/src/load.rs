//! From a file and the environment to [`Settings`].

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    Settings,
    problem::{Place, Problem, Problems, Severity},
    read,
    reader::{Files, Reading},
    source::{At, Finding, Source},
};

/// Settings that can be used, and what somebody will miss in them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What the system runs on.
    pub settings: Settings,
    /// What could be better.
    pub warnings: Vec<Problem>,
}

/// The environment, as `std::env::vars_os` tells it. Variables named `OCTROI__SECTION__KEY` take
/// the place of that key in the file; the others are left alone.
pub type Environment = Vec<(OsString, OsString)>;

/// Reads a configuration file and looks at every file that it names.
///
/// # Errors
///
/// Everything that is wrong, at once: what keeps the file from being used first, each in its order.
pub fn load(file: &Path, environment: &Environment) -> Result<Loaded, Problems> {
    let text = text_of(file).map_err(|problem| Problems(vec![*problem]))?;
    settings(
        &Source::new(file, text, environment),
        file,
        Files::Inspected,
    )
}

/// Reads a configuration from its text. Files that it names are not looked at, so logos are left
/// out; `file` is the name that problems give it and the place from which paths are taken.
///
/// # Errors
///
/// Everything that is wrong, at once: what keeps the text from being used first, each in its order.
pub fn parse(text: &str, file: &Path) -> Result<Loaded, Problems> {
    let source = Source::new(file, text.to_owned(), &[]);
    settings(&source, file, Files::Unseen)
}

/// The admin socket that a configuration names, whatever else is wrong with it: a gateway that runs on
/// with an earlier file still has to be told to lock somebody out. `None` where the file says neither
/// it nor `server.data`.
pub fn admin_socket(file: &Path, environment: &Environment) -> Option<PathBuf> {
    let source = Source::new(file, text_of(file).ok()?, environment);
    let reading = Reading::new(directory_of(file), Files::Unseen);
    read::admin_socket(&reading, &source.document_as_far_as_it_goes())
}

fn settings(source: &Source, file: &Path, files: Files) -> Result<Loaded, Problems> {
    let told = |mut findings: Vec<Finding>| -> Vec<Problem> {
        findings.sort_by_key(|finding| (finding.severity, finding.at));
        findings
            .into_iter()
            .map(|finding| source.problem(finding))
            .collect()
    };
    let (root, mut findings) = source
        .document()
        .map_err(|findings| Problems(told(findings)))?;
    let reading = Reading::new(directory_of(file), files);
    read::check_configuration(&reading, file);
    let settings = reading.insist(At(0), "this file", || read::settings(&reading, &root));
    findings.extend(reading.into_findings());
    let is_usable = findings
        .iter()
        .all(|finding| finding.severity == Severity::Warning);
    let problems = told(findings);
    match settings {
        Some(settings) if is_usable => Ok(Loaded {
            settings,
            warnings: problems,
        }),
        _ => Err(Problems(problems)),
    }
}

/// The directory from which the paths of a file are taken.
fn directory_of(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let directory = absolute.parent().unwrap_or_else(|| Path::new("/"));
    directory.to_owned()
}

fn text_of(file: &Path) -> Result<String, Box<Problem>> {
    let shown = file.display();
    let problem = |(line, column), what: String, remedy: &str| {
        Box::new(Problem {
            severity: Severity::Error,
            place: Place::File {
                path: file.to_owned(),
                line,
                column,
            },
            what,
            remedy: remedy.to_owned(),
            other: None,
        })
    };
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let what = format!("{shown} cannot be read: {error}");
            problem((1, 1), what, remedy_for(&error))
        })?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > BYTES_MAX) {
        let what = format!("{shown} is larger than {BYTES_MAX} bytes");
        return Err(problem((1, 1), what, ANOTHER_FILE));
    }
    String::from_utf8(bytes).map_err(|error| {
        let end = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..end).unwrap_or_default());
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n');
        let place = (line, column.count() + 1);
        let what = "this letter is not written in UTF-8".to_owned();
        problem(place, what, "save the file as UTF-8")
    })
}

/// What helps where the file cannot be read: the right file does not help whoever may not read it.
fn remedy_for(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "run this as the user that the gateway runs as: `runuser -u octroi -- octroi …`"
    } else {
        ANOTHER_FILE
    }
}

const ANOTHER_FILE: &str = "name the right file with -c, or write one with `octroi init`";
/// Ten thousand routes take about two million bytes.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
