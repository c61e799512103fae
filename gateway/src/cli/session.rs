//! `octroi session …`: who is signed in, and ending it.

use clap::{Args, Subcommand};

use super::{Failure, GatewayAt, Outcome, Output, connection::Connection};
use crate::admin::facts::{ListSessionsRequest, RevokeRequest, Revoked, Session};

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
    /// Only the sessions of this account
    #[arg(long, value_name = "TENANT/LOGIN")]
    account: Option<String>,
    #[command(flatten)]
    config: GatewayAt,
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
    config: GatewayAt,
}

pub(crate) fn run(command: Command, output: &Output) -> Outcome {
    match command {
        Command::List(arguments) => list(arguments, output),
        Command::Revoke(arguments) => revoke(arguments, output),
    }
}

fn list(arguments: ListArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.config)?;
    let request = ListSessionsRequest {
        account: arguments.account,
    };
    let sessions: Vec<Session> = connection.ask("/v1/sessions/list", &request)?;
    output.facts(&sessions, "no live session");
    Ok(())
}

fn revoke(arguments: RevokeArguments, output: &Output) -> Outcome {
    let request = match (arguments.session, arguments.account) {
        (Some(session), None) => RevokeRequest::Session(session),
        (None, Some(account)) => RevokeRequest::Account(account),
        _ => {
            return Err(Failure::Usage(
                "a session or an account is wanted".to_owned(),
            ));
        }
    };
    let connection = Connection::open(&arguments.config)?;
    let revoked: Revoked = connection.ask("/v1/sessions/revoke", &request)?;
    output.fact(&revoked);
    Ok(())
}
