//! `octroi journal …`: reading what happened, and checking that nobody changed it.

use clap::{Args, Subcommand};

use super::{Failure, GatewayAt, Outcome, Output, connection::Connection};
use crate::admin::facts::{JournalLines, JournalRequest, Verified, VerifyRequest};

/// What is to be done with the journal.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find journal lines, newest first
    #[command(after_help = "\
Example: octroi journal search --account acme/marie --since 2026-11-01T00:00:00Z")]
    Search(SearchArguments),
    /// Check the chain: an edit, a deletion, a change of order or a truncation is found (exit code 1)
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
    /// Done by: `os:1000`, `account:ID`, `system`, `anonymous`
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Older than the line at this place, as the page before said
    #[arg(long, value_name = "SEQUENCE")]
    before: Option<u64>,
}

/// What `journal search` is told.
#[derive(Args, Debug)]
pub(crate) struct SearchArguments {
    #[command(flatten)]
    filter: Filter,
    /// At most this many lines
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    config: GatewayAt,
}

/// What `journal verify` is told.
#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    /// A head that was logged or shown earlier: it must still be in the chain
    #[arg(long, value_name = "SEQUENCE:CODE")]
    witness: Option<String>,
    #[command(flatten)]
    config: GatewayAt,
}

/// What `journal export` is told.
#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    config: GatewayAt,
}

pub(crate) fn run(command: Command, output: &Output) -> Outcome {
    match command {
        Command::Search(arguments) => search(arguments, output),
        Command::Verify(arguments) => verify(arguments, output),
        Command::Export(arguments) => export(arguments, output),
    }
}

fn search(arguments: SearchArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.config)?;
    let mut request = arguments.filter.into_request();
    request.limit = Some(arguments.limit);
    let page: JournalLines = connection.ask("/v1/journal/search", &request)?;
    output.facts(&page.lines, "no such line");
    if let Some(next) = page.next {
        output.say(&format_args!("older lines: --before {next}"));
    }
    Ok(())
}

fn verify(arguments: VerifyArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.config)?;
    let request = VerifyRequest {
        witness: arguments.witness,
    };
    let found: Verified = connection.ask("/v1/journal/verify", &request)?;
    output.fact(&found);
    if found.intact {
        Ok(())
    } else {
        Err(Failure::Shown)
    }
}

/// Page by page, newest first, so that a journal of any length passes in constant memory.
fn export(arguments: ExportArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.config)?;
    let mut request = arguments.filter.into_request();
    request.export = true;
    loop {
        let page: JournalLines = connection.ask("/v1/journal/search", &request)?;
        for line in &page.lines {
            output.json(line);
        }
        match page.next {
            Some(next) => request.before = Some(next),
            None => return Ok(()),
        }
    }
}

impl Filter {
    fn into_request(self) -> JournalRequest {
        JournalRequest {
            since: self.since,
            until: self.until,
            account: self.account,
            actor: self.actor,
            kind: self.kind,
            before: self.before,
            ..JournalRequest::default()
        }
    }
}
