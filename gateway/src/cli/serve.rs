//! `octroi serve`: runs the gateway until it is told to stop.

use clap::Args;

use super::{ConfigFile, Failure, Outcome};
use crate::{app, telemetry};

/// What `serve` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
Reload: SIGHUP, or a change of the file. Where anything is wrong the old configuration stays.
Stop:   SIGTERM. Requests under way are given time to finish.

Example: octroi serve -c /etc/octroi/octroi.toml")]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    log: telemetry::LogOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    telemetry::start(&arguments.log).map_err(|error| Failure::Usage(error.to_string()))?;
    super::on_background_runtime(app::serve(&arguments.config.path))
}
