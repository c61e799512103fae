//! The composition root: the one place that names concrete adapters and ties the parts together.

use std::path::Path;

use crate::cli::{Failure, Outcome};

/// Runs the gateway that `config` describes until it is told to stop.
pub(crate) fn serve(config: &Path) -> Outcome {
    Err(Failure::Unavailable(format!(
        "{} cannot be served yet",
        config.display()
    )))
}
