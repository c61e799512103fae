//! A complete installation in one directory: authority, accounts, three internal services.

mod facts;
mod files;
mod installation;
mod people;
mod services;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use self::{
    facts::Facts,
    installation::{Addresses, Installation},
    people::Person,
    services::{Running, Service},
};
use crate::{
    app::{Gateway, ListenerNames, Sockets, workers_per_core},
    cli::{Failure, Outcome, Output},
    clock::{Clock, SystemClock},
    entropy::{EntropyUnavailable, SystemEntropy},
    lifecycle::Tasks,
};

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
pub(crate) async fn run(request: Request, output: &Output) -> Outcome {
    let entropy = SystemEntropy;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let installation = Installation::prepare(&request.directory, clock.now(), &entropy)?;
    let people = people::recorded(&installation.people(), &entropy)?;
    let tasks = Tasks::new();
    let mut running = Vec::new();
    for service in Service::ALL {
        let started = services::start(service, &installation.services(), &clock, &tasks).await;
        running.push(started.map_err(DemoFault::Service)?);
    }
    // Bound before the configuration is written, so that it names the ports that the system chose.
    let sockets = Sockets::bind(
        &[request.https],
        &[request.http],
        request.management,
        workers_per_core(),
        ListenerNames::OPTIONS,
    )?;
    let addresses = addresses_of(&sockets)?;
    installation.configure(addresses, &running)?;
    let gateway = Gateway::prepare(&installation.configuration(), Some(sockets)).await?;
    people::settle(gateway.identity(), &people, &entropy).await?;
    let access_log = Box::new(installation.access_log()?);
    let gateway = gateway.open(access_log).await?;
    Facts::of(&installation, addresses, &people, &running).write(&installation)?;
    output.line(&Welcome {
        installation: &installation,
        addresses,
        people: &people,
        running: &running,
        program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("octroi")),
    });
    output.line("ready");
    let ended = gateway.serve().await;
    tasks.stop();
    tasks.drained(SERVICES_GRACE).await;
    ended
}

/// Why the demo cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoFault {
    /// A file cannot be read or written.
    #[error("{}: {error}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A file of an earlier demo does not hold what it should.
    #[error("{}: {error}; delete the directory to begin anew", .file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        error: serde_json::Error,
    },
    /// A demo runs there already.
    #[error("a demo runs in {} already: end it with Ctrl-C, or choose another directory", .0.display())]
    Runs(PathBuf),
    /// A service cannot be started.
    #[error("a service of the demo cannot be started: {0}")]
    Service(#[source] io::Error),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
    /// Another part of the gateway refused.
    #[error("{0}")]
    Other(String),
    /// The same, where there is nothing to quote.
    #[error("the demo's accounts cannot be made: {0}")]
    Said(&'static str),
}

impl DemoFault {
    fn other(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            text = format!("{text}: {deeper}");
            cause = deeper.source();
        }
        Self::Other(text)
    }
}

impl From<DemoFault> for Failure {
    fn from(fault: DemoFault) -> Self {
        match fault {
            DemoFault::Runs(_) | DemoFault::Malformed { .. } => Self::Refused(fault.to_string()),
            DemoFault::File { .. }
            | DemoFault::Service(_)
            | DemoFault::Entropy(_)
            | DemoFault::Other(_)
            | DemoFault::Said(_) => Self::Unavailable(fault.to_string()),
        }
    }
}

fn addresses_of(sockets: &Sockets) -> Result<Addresses, Failure> {
    let missing = || Failure::Unavailable("a listener of the demo has no address".to_owned());
    let bound = sockets.addresses()?;
    Ok(Addresses {
        https: bound.https.first().copied().ok_or_else(missing)?,
        http: bound.http.first().copied().ok_or_else(missing)?,
        management: bound.management,
    })
}

/// What is printed before `ready`.
struct Welcome<'a> {
    installation: &'a Installation,
    addresses: Addresses,
    people: &'a [Person],
    running: &'a [Running],
    /// It is on no search path where it was just built.
    program: PathBuf,
}

impl std::fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = self.addresses.https.port();
        writeln!(f, "Services, each reached through the gateway alone:")?;
        for running in self.running {
            writeln!(f, "  https://{}:{port}/", running.service.host())?;
        }
        writeln!(
            f,
            "Account and sign-in:\n  https://{}:{port}/",
            installation::PORTAL
        )?;
        writeln!(
            f,
            "Health and metrics:\n  http://{}/metrics",
            self.addresses.management
        )?;
        writeln!(
            f,
            "\nSign in as (all made up; passwords are this directory's own):"
        )?;
        for person in self.people {
            let login = format!("{}/{}", person.tenant, person.login);
            let note = if person.provisional {
                "  (must be changed at the first sign-in)"
            } else {
                ""
            };
            let roles = person.roles.join(", ");
            writeln!(f, "  {login:<14} {}  {roles}{note}", person.password)?;
        }
        let authority = self.installation.authority();
        let authority = authority.display();
        write!(
            f,
            "\nYour browser does not know the demo's authority, which vouches for localhost and nothing else.\n\
             Go on past its warning, or import {authority} as an authority for websites. With curl:\n  \
             curl --cacert {authority} https://{}:{port}/\n\
             For scripts: {}\n\
             Each account has one session behind it that an administrator ended: the one in which its password was chosen.\n\
             Commands, while it runs and after:\n  {} user list -c {}\n",
            installation::PORTAL,
            self.installation.facts().display(),
            self.program.display(),
            self.installation.configuration().display(),
        )
    }
}

/// How long the services may take to finish what they are in.
const SERVICES_GRACE: Duration = Duration::from_secs(2);
