//! `octroi journal …`: reading what happened, and checking that nobody changed it.

use clap::{Args, Subcommand};

use super::{ConfigFile, Failure, Outcome, Output};

/// What is to be done with the journal.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find journal lines, newest first
    #[command(after_help = "\
Example: octroi journal search --account acme/marie --since 2026-11-01T00:00:00Z")]
    Search(SearchArguments),
    /// Check the chain: an edit, a deletion, a change of order or a truncation is found
    Verify(VerifyArguments),
    /// Write all lines of a period to standard output, one JSON document a line
    Export(ExportArguments),
}

/// Which lines are wanted.
#[derive(Args, Debug)]
pub(crate) struct Filter {
    /// Not before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of this account
    #[arg(long, value_name = "TENANT/LOGIN")]
    account: Option<String>,
    /// Of this kind, such as `signed_in`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

/// What `journal search` is told.
#[derive(Args, Debug)]
pub(crate) struct SearchArguments {
    #[command(flatten)]
    filter: Filter,
    /// At most this many lines
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    config: ConfigFile,
}

/// What `journal verify` is told.
#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    config: ConfigFile,
}

/// What `journal export` is told.
#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(command: Command, _output: &Output) -> Outcome {
    Err(Failure::Unavailable(format!(
        "no gateway answers: {command:?}"
    )))
}
