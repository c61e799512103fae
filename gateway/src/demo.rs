//! A complete installation in one directory: authority, accounts, three internal services.

mod services;

use std::{net::SocketAddr, path::PathBuf};

use crate::cli::{Failure, Outcome, Output};

/// What the demo is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    /// Where everything is kept.
    pub(crate) directory: PathBuf,
    /// Where browsers connect.
    pub(crate) https: SocketAddr,
    /// Where plain HTTP is sent on to HTTPS.
    pub(crate) http: SocketAddr,
    /// Where health and metrics are read.
    pub(crate) management: SocketAddr,
}

/// Makes the installation where there is none, and serves it until it is told to stop.
pub(crate) fn run(request: &Request, _output: &Output) -> Outcome {
    Err(Failure::Unavailable(format!(
        "the demo cannot be set up in {} yet",
        request.directory.display()
    )))
}
