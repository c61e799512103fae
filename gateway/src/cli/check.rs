//! `octroi check`: everything that is wrong with a configuration, before anything is started.

use std::{fmt, path::PathBuf};

use clap::Args;
use octroi_certs::bundle::{Bundle, BundleSource};
use octroi_config::{Loaded, Place, Problem, Problems, Severity, settings::Certificate};
use rustls_pki_types::UnixTime;
use serde::Serialize;

use super::{ConfigFile, Failure, Outcome, Output};
use crate::{
    app,
    clock::{Clock, SystemClock},
};

/// What `check` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
Each problem has its place, what is wrong, and how to mend it. Exit code 0: the configuration can be
used, though warnings may have been printed; 1: it cannot. Run it as the user that the gateway runs as.
Not looked at: whether a port is taken, and what the data directory holds.

Example: octroi check -c /etc/octroi/octroi.toml")]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Outcome {
    let file = &arguments.config.path;
    let report = Report::of(file.clone(), load(arguments));
    output.fact(&report);
    if report.usable {
        Ok(())
    } else {
        Err(Failure::Shown)
    }
}

fn load(arguments: &Arguments) -> Result<Loaded, Problems> {
    let environment = std::env::vars_os().collect();
    let mut loaded = octroi_config::load(&arguments.config.path, &environment)?;
    let now = SystemClock.now();
    let now = u64::try_from(now.as_unix_seconds()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now));
    let certificates = loaded.settings.certificates.iter();
    let found: Vec<Problem> = certificates
        .filter_map(|certificate| problem_of(certificate, now))
        .collect();
    let mut is_usable = found.iter().all(|one| one.severity == Severity::Warning);
    loaded.warnings.extend(found);
    if is_usable {
        // Whatever else only shows where the gateway's parts are made of it.
        let file = &arguments.config.path;
        let proved = app::prove(file, loaded.settings.clone());
        let problems = proved.err().unwrap_or_default();
        is_usable = problems.is_empty();
        let problems = problems.into_iter();
        let problems = problems.map(|text| problem_at(file.clone(), Severity::Error, &text));
        loaded.warnings.extend(problems);
    }
    // What keeps the file from being used is not to be looked for among the rest.
    loaded.warnings.sort_by_key(|problem| problem.severity);
    if is_usable {
        Ok(loaded)
    } else {
        Err(Problems(loaded.warnings))
    }
}

/// What keeps a certificate from being served, with the file's place; or that it is out of its
/// time: a gateway that starts says so and serves it all the same, one that runs takes no such file over.
fn problem_of(certificate: &Certificate, now: UnixTime) -> Option<Problem> {
    let source = BundleSource {
        // Names were proved to be names when the file was read.
        names: certificate
            .names
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect(),
        chain: certificate.chain.clone(),
        key: certificate.key_file.clone(),
        is_default: certificate.default,
    };
    let (severity, text) = match Bundle::load(&source) {
        Err(problem) => (Severity::Error, problem.to_string()),
        Ok(bundle) => {
            let text = bundle.out_of_time(now)?.to_string();
            let (what, remedy) = text.rsplit_once("; ").unwrap_or((&text, REMEDY));
            let refused = "a gateway that does not serve it yet refuses it at a reload";
            (Severity::Warning, format!("{what} ({refused}); {remedy}"))
        }
    };
    Some(problem_at(certificate.chain.clone(), severity, &text))
}

/// A problem of a file as a whole; what is to be done stands at the end of its text.
fn problem_at(path: PathBuf, severity: Severity, text: &str) -> Problem {
    let (what, remedy) = text.rsplit_once("; ").unwrap_or((text, REMEDY));
    Problem {
        severity,
        place: Place::File {
            path,
            line: 1,
            column: 1,
        },
        what: what.to_owned(),
        remedy: remedy.to_owned(),
        other: None,
    }
}

const REMEDY: &str = "replace it";

/// What `check` found.
#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    usable: bool,
    routes: Option<usize>,
    certificates: Option<usize>,
    problems: Vec<Found>,
}

/// One problem, as scripts read it.
#[derive(Debug, Serialize)]
struct Found {
    severity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    what: String,
    remedy: String,
    #[serde(skip)]
    text: String,
}

impl Report {
    fn of(file: PathBuf, loaded: Result<Loaded, Problems>) -> Self {
        let (settings, problems) = match loaded {
            Ok(loaded) => (Some(loaded.settings), loaded.warnings),
            Err(Problems(problems)) => (None, problems),
        };
        Self {
            file,
            usable: settings.is_some(),
            routes: settings.as_ref().map(|it| it.routes.iter().count()),
            certificates: settings.as_ref().map(|it| it.certificates.len()),
            problems: problems.iter().map(Found::of).collect(),
        }
    }
}

impl Found {
    fn of(problem: &Problem) -> Self {
        let (file, line, column, variable) = match &problem.place {
            Place::File { path, line, column } => {
                (Some(path.clone()), Some(*line), Some(*column), None)
            }
            Place::Environment { variable } => (None, None, None, Some(variable.clone())),
        };
        Self {
            severity: problem.severity.to_string(),
            file,
            line,
            column,
            variable,
            what: problem.what.clone(),
            remedy: problem.remedy.clone(),
            text: problem.to_string(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{}", problem.text)?;
        }
        let file = self.file.display();
        match (self.routes, self.certificates) {
            (Some(routes), Some(certificates)) => write!(
                f,
                "{file} can be used ({}, {})",
                counted(routes, "route"),
                counted(certificates, "certificate"),
            ),
            _ => write!(f, "{file} cannot be used"),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
