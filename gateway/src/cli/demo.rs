//! `octroi demo`: a complete installation in one directory, running.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Failure, Outcome, Output};
use crate::{demo, telemetry};

/// What `demo` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
Everything lives in DIR; delete it and the demo is gone. Running it again goes on where it was.
Port 0 lets the system choose; DIR/demo.json says which ports were bound.

Example: octroi demo ./octroi-demo --https 127.0.0.1:8443")]
pub(crate) struct Arguments {
    /// Where the demo is kept
    #[arg(value_name = "DIR", default_value = "octroi-demo")]
    directory: PathBuf,
    /// Where browsers connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    https: SocketAddr,
    /// Where plain HTTP is sent on to HTTPS
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Where health and metrics are read
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9443")]
    management: SocketAddr,
    #[command(flatten)]
    log: telemetry::LogOptions,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Outcome {
    telemetry::start(&arguments.log).map_err(|error| Failure::Usage(error.to_string()))?;
    let request = demo::Request {
        directory: arguments.directory,
        https: arguments.https,
        http: arguments.http,
        management: arguments.management,
    };
    super::on_background_runtime(demo::run(request, output))
}
