//! The composition root: the one place that names concrete adapters and ties the parts together.

mod sockets;

use std::path::Path;

pub(crate) use self::sockets::{Sockets, workers_per_core};
use crate::{
    admin::client::AdminClient,
    cli::{Failure, Outcome},
    identity::Identity,
};

/// Runs the gateway that `config` describes until it is told to stop.
pub(crate) async fn serve(config: &Path) -> Outcome {
    let gateway = Gateway::prepare(config, None).await?;
    gateway.open().await?.serve().await
}

/// The way to the accounts of this configuration: the socket of the gateway that runs, or the
/// store itself where none does.
pub(crate) async fn admin_client(config: &Path) -> Result<AdminClient, Failure> {
    Err(Failure::Unavailable(format!(
        "no gateway of {} answers",
        config.display()
    )))
}

/// A gateway whose parts are built and whose doors are shut.
pub(crate) struct Gateway {
    identity: Identity,
}

impl Gateway {
    /// Reads the configuration, opens the stores and builds everything; `sockets` are bound
    /// already, or are bound where the configuration says.
    pub(crate) async fn prepare(config: &Path, sockets: Option<Sockets>) -> Result<Self, Failure> {
        let _ = sockets;
        Err(Failure::Unavailable(format!(
            "{} cannot be served yet",
            config.display()
        )))
    }

    /// The people.
    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Opens every door.
    pub(crate) async fn open(self) -> Result<OpenGateway, Failure> {
        Err(Failure::Unavailable("no door can be opened yet".to_owned()))
    }
}

/// A gateway that serves.
pub(crate) struct OpenGateway {}

impl OpenGateway {
    /// Serves until it is told to stop, then lets requests under way finish.
    pub(crate) async fn serve(self) -> Outcome {
        Ok(())
    }
}
