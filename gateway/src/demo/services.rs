//! The three internal services of the demo: what a gateway stands in front of. They do not know
//! passwords or sessions; they trust what the gateway says of the person.

mod caller;
mod echo;
mod page;
mod payroll;
mod request_log;
mod visitor_book;
mod websocket;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{Router, middleware};

use self::request_log::RequestLog;
use crate::{
    admin::http::{self, LocalListener},
    clock::Clock,
    lifecycle::Tasks,
};

/// One service of the demo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Service {
    /// Answers with what it received; streams, sockets, uploads and downloads.
    Echo,
    /// Payslips, for those who run the payroll.
    Payroll,
    /// Who comes to the building, in four degrees of insight (promise D3).
    VisitorBook,
}

impl Service {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 3] = [Self::Payroll, Self::VisitorBook, Self::Echo];

    /// The name of its files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Payroll => "payroll",
            Self::VisitorBook => "visitors",
        }
    }

    /// The host under which people reach it through the gateway.
    pub(crate) const fn host(self) -> &'static str {
        match self {
            Self::Echo => "echo.localhost",
            Self::Payroll => "paie.localhost",
            Self::VisitorBook => "visites.localhost",
        }
    }

    fn router(self, clock: &Arc<dyn Clock>) -> Router {
        match self {
            Self::Echo => echo::router(Arc::clone(clock)),
            Self::Payroll => payroll::router(),
            Self::VisitorBook => visitor_book::router(Arc::clone(clock)),
        }
    }
}

/// Where a running service listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Address {
    /// A port of loopback that the system chose.
    Port(SocketAddr),
    /// A Unix socket in the demo's directory.
    Socket(PathBuf),
}

impl Address {
    /// As configuration and `demo.json` write it.
    pub(crate) fn to_url(&self) -> String {
        match self {
            Self::Port(address) => format!("http://{address}"),
            Self::Socket(path) => format!("unix://{}", path.display()),
        }
    }
}

/// A service that runs.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// Which one.
    pub(crate) service: Service,
    /// Where it listens.
    pub(crate) address: Address,
    /// The file to which it writes one JSON line for each request that it receives.
    pub(crate) log: PathBuf,
}

/// Starts `service`, with its files in `directory`.
pub(crate) async fn start(
    service: Service,
    directory: &Path,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> io::Result<Running> {
    let log = directory.join(format!("{}.log", service.name()));
    let request_log = RequestLog::open(&log, Arc::clone(clock))?;
    let (listener, address) = listen(service, directory).await?;
    let router = service.router(clock).layer(middleware::from_fn_with_state(
        request_log,
        request_log::write,
    ));
    tasks.spawn("demo service", http::serve(listener, router, tasks.clone()));
    Ok(Running {
        service,
        address,
        log,
    })
}

/// The payroll cannot be reached over any network; the others have a port that the system chose.
async fn listen(service: Service, directory: &Path) -> io::Result<(LocalListener, Address)> {
    let socket = directory.join(format!("{}.sock", service.name()));
    let fits = socket.as_os_str().len() < SOCKET_PATH_LEN_MAX;
    if service == Service::Payroll && fits {
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = tokio::net::UnixListener::bind(&socket)?;
        return Ok((LocalListener::Unix(listener), Address::Socket(socket)));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((LocalListener::Tcp(listener), Address::Port(address)))
}

/// The longest path of a socket (`sun_path` of unix(7), less the final zero).
const SOCKET_PATH_LEN_MAX: usize = 107;

#[cfg(test)]
mod tests;
