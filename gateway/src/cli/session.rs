//! `octroi session …`: who is signed in, and ending it.

use clap::{Args, Subcommand};

use super::{ConfigFile, Failure, Outcome, Output};

/// What is to be done with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List live sessions
    #[command(after_help = "Example: octroi session list --account acme/marie --json")]
    List(ListArguments),
    /// End sessions, with their open connections, at once
    #[command(after_help = "\
Examples: octroi session revoke 0190163d-8694-4a6c-9d5f-2b8f1c5e7a10
          octroi session revoke --account acme/marie")]
    Revoke(RevokeArguments),
}

/// What `session list` is told.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// The account whose sessions are listed
    #[arg(long, value_name = "TENANT/LOGIN")]
    account: String,
    #[command(flatten)]
    config: ConfigFile,
}

/// What `session revoke` is told.
#[derive(Args, Debug)]
#[group(id = "which", required = true, multiple = false, args = ["session", "account"])]
pub(crate) struct RevokeArguments {
    /// The session, by the id that `session list` shows
    #[arg(value_name = "SESSION")]
    session: Option<String>,
    /// Every session of this account
    #[arg(long, value_name = "TENANT/LOGIN")]
    account: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(command: Command, _output: &Output) -> Outcome {
    Err(Failure::Unavailable(format!(
        "no gateway answers: {command:?}"
    )))
}
