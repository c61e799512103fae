//! The commands' way to the accounts: the gateway that runs, or the store itself where none does.

use serde::{Serialize, de::DeserializeOwned};

use super::{Failure, GatewayAt, output::warning};
use crate::{
    admin::client::{AdminClient, CallError},
    app,
};

/// A connection for the life of one command.
#[derive(Debug)]
pub(super) struct Connection {
    runtime: tokio::runtime::Runtime,
    client: AdminClient,
}

impl Connection {
    /// Finds the gateway of this configuration, or opens its store.
    pub(super) fn open(config: &GatewayAt) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let client = match &config.socket {
            Some(socket) => AdminClient::Socket(socket.clone()),
            None => runtime.block_on(app::admin_client(&config.file.path, warning))?,
        };
        Ok(Self { runtime, client })
    }

    /// Asks for an operation.
    pub(super) fn ask<Q, A>(&self, operation: &str, wish: &Q) -> Result<A, Failure>
    where
        Q: Serialize,
        A: DeserializeOwned,
    {
        self.runtime
            .block_on(self.client.post(operation, wish))
            .map_err(Failure::from)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(why) => Self::Refused(why),
            CallError::Unavailable(_) | CallError::Unreachable { .. } | CallError::Answer(_) => {
                Self::Unavailable(error.to_string())
            }
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Unavailable(format!("no runtime can be started: {error}")))
}
