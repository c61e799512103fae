//! `octroi load-test`: fills a store with sessions for benchmarks; in builds with that feature only.

use octroi_policy::{host::Host, id::TenantName};

use super::{ConfigFile, Failure, Outcome, Output};
use crate::app;

/// What `load-test` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// How many live sessions to make
    #[arg(long, default_value_t = 1)]
    sessions: u32,
    /// Over how many new accounts to spread them
    #[arg(long, default_value_t = 1)]
    accounts: u32,
    /// The host that the sessions' tokens are for
    #[arg(long)]
    host: String,
    /// The tenant of the new accounts
    #[arg(long, default_value = "main")]
    tenant: String,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Outcome {
    let host: Host = arguments.host.parse().map_err(usage)?;
    let tenant: TenantName = arguments.tenant.parse().map_err(usage)?;
    super::on_background_runtime(async {
        let token = app::seed_sessions(
            &arguments.config.path,
            (&tenant, &host),
            arguments.accounts,
            arguments.sessions,
        )
        .await?;
        output.line(&token);
        Ok(())
    })
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}
