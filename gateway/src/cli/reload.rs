//! `octroi reload`: has the running gateway read its configuration again.

use clap::Args;
use serde_json::json;

use super::{GatewayAt, Outcome, Output, connection::Connection};
use crate::admin::facts::Done;

/// What `reload` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
Prints what changed. Where anything is wrong, all of it is printed (exit code 1), and the gateway
goes on with what it has.

Example: octroi reload -c /etc/octroi/octroi.toml")]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: GatewayAt,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.config)?;
    let done: Done = connection.ask("/v1/reload", &json!({}))?;
    output.fact(&done);
    Ok(())
}
