//! The composition root: the one place that names concrete adapters and ties the parts together.

use std::path::Path;

use crate::{
    admin::client::AdminClient,
    cli::{Failure, Outcome},
};

/// Runs the gateway that `config` describes until it is told to stop.
pub(crate) fn serve(config: &Path) -> Outcome {
    Err(Failure::Unavailable(format!(
        "{} cannot be served yet",
        config.display()
    )))
}

/// The way to the accounts of this configuration: the socket of the gateway that runs, or the
/// store itself where none does.
pub(crate) async fn admin_client(config: &Path) -> Result<AdminClient, Failure> {
    Err(Failure::Unavailable(format!(
        "no gateway of {} answers",
        config.display()
    )))
}
