//! The composition root: the one place that names concrete adapters and ties the parts together.

mod core;
mod doors;
mod entrance;
mod gateway;
mod health;
mod live;
mod load;
mod premises;
mod sockets;
#[cfg(test)]
mod testing;
mod upkeep;

use std::{io, os::unix::fs::MetadataExt, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use octroi_config::Settings;
use tokio::net::UnixStream;

use self::core::Core;
pub(crate) use self::gateway::Gateway;
pub(crate) use self::sockets::{ListenerNames, Sockets, workers_per_core};
use crate::{
    admin::{self, client::AdminClient},
    cli::{Failure, Outcome},
    portal::Site,
};

/// Runs the gateway that `config` describes until it is told to stop.
pub(crate) async fn serve(config: &Path) -> Outcome {
    let gateway = Gateway::prepare(config, None).await?;
    gateway.open(Box::new(io::stdout())).await?.serve().await
}

/// Whether a gateway would start with these settings of `config`, and take them over while it runs: all
/// but ports that another program may hold, and the content of the store.
pub(crate) fn prove(config: &Path, settings: Settings) -> Result<(), Vec<String>> {
    let mut problems = premises::problems(&settings.server);
    problems.extend(live::prove(config, settings).err().unwrap_or_default());
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// The way to the accounts of this configuration: the socket of the gateway that runs, or the
/// store itself where none does. Where the file is wrong, the gateway may run on with an earlier one:
/// then `warn` is told, and the socket is the only way.
pub(crate) async fn admin_client(
    config: &Path,
    warn: impl FnOnce(&str),
) -> Result<AdminClient, Failure> {
    let reading = match live::read(config) {
        Ok(reading) => reading,
        Err(problems) => return past_a_wrong_file(config, &problems, warn).await,
    };
    let settings = reading.settings;
    let socket = settings.server.admin_socket.clone();
    match UnixStream::connect(&socket).await {
        Ok(_) => Ok(AdminClient::Socket(socket)),
        Err(error) if nobody_listens(&error) => in_process(&settings).await,
        Err(error) => Err(Failure::Unavailable(format!(
            "the admin socket {} cannot be opened ({error}): run this as root or as the user that runs octroi",
            socket.display()
        ))),
    }
}

async fn past_a_wrong_file(
    config: &Path,
    problems: &[String],
    warn: impl FnOnce(&str),
) -> Result<AdminClient, Failure> {
    let refused = || Failure::Refused(problems.join("\n"));
    let environment = std::env::vars_os().collect();
    let socket = octroi_config::admin_socket(config, &environment).ok_or_else(refused)?;
    UnixStream::connect(&socket).await.map_err(|_| refused())?;
    let first = problems.first().map_or("", String::as_str);
    let more = problems.len().saturating_sub(1);
    warn(&format!(
        "the configuration is wrong ({first}; {more} more), and the gateway that runs goes on with an earlier one: it is asked all the same"
    ));
    Ok(AdminClient::Socket(socket))
}

/// Works on the store itself, under its lock, and as the user whose files they are: files of
/// another user in the data directory would stop the gateway.
async fn in_process(settings: &Settings) -> Result<AdminClient, Failure> {
    let data = &settings.server.data;
    let own = rustix::process::geteuid().as_raw();
    match std::fs::metadata(data) {
        Ok(facts) if facts.uid() == own => {}
        Ok(facts) => {
            return Err(Failure::Refused(format!(
                "no gateway runs, and {} belongs to user {}: run this as that user",
                data.display(),
                facts.uid()
            )));
        }
        Err(error) => {
            return Err(Failure::Unavailable(format!(
                "no gateway runs, and {} cannot be opened: {error}",
                data.display()
            )));
        }
    }
    let core = Core::open(settings).await?;
    let port = entrance::public_port(&settings.server, &settings.server.https);
    let site = Arc::new(ArcSwap::from_pointee(Site::new(settings, port)));
    let desk = core.desk(site, None);
    Ok(AdminClient::InProcess(admin::router(desk)))
}

/// Makes sessions for a benchmark and gives the last one's token; the gateway must not be running.
#[cfg(feature = "load-test")]
pub(crate) async fn seed_sessions(
    config: &Path,
    (tenant, host): (&octroi_policy::id::TenantName, &octroi_policy::host::Host),
    accounts: u32,
    sessions: u32,
) -> Result<String, Failure> {
    let reading = live::read(config).map_err(|problems| Failure::Refused(problems.join("\n")))?;
    let core = Core::open(&reading.settings).await?;
    let seeded = core
        .identity
        .seed_sessions(tenant, host, accounts, sessions);
    let token = seeded.await.map_err(core::unavailable)?;
    Ok(token.map_or_else(String::new, |token| token.expose().to_string()))
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}
