//! Every address on which the gateway listens, bound before anything is answered.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
};

use crate::{cli::Failure, listener::sockets};

/// Bound sockets.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// HTTPS: for each address one socket a worker.
    pub(crate) https: Vec<Vec<TcpListener>>,
    /// Plain HTTP: one socket an address.
    pub(crate) http: Vec<TcpListener>,
    /// Health and metrics.
    pub(crate) management: TcpListener,
}

/// The addresses that were bound, ports settled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Bound {
    /// HTTPS.
    pub(crate) https: Vec<SocketAddr>,
    /// Plain HTTP.
    pub(crate) http: Vec<SocketAddr>,
    /// Health and metrics.
    pub(crate) management: SocketAddr,
}

/// What whoever starts a gateway calls its listeners, to be told which of them to change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenerNames {
    https: &'static str,
    http: &'static str,
    management: &'static str,
}

impl ListenerNames {
    /// The keys of the configuration.
    pub(crate) const KEYS: Self = Self {
        https: "`server.https`",
        http: "`server.http`",
        management: "`server.management`",
    };
    /// The options of the demo.
    pub(crate) const OPTIONS: Self = Self {
        https: "--https",
        http: "--http",
        management: "--management",
    };
}

impl Sockets {
    /// Binds all of them, or none.
    pub(crate) fn bind(
        https: &[SocketAddr],
        http: &[SocketAddr],
        management: SocketAddr,
        workers: NonZeroUsize,
        names: ListenerNames,
    ) -> Result<Self, Failure> {
        let several = |address: &SocketAddr, count: usize| {
            sockets::bind(*address, count)
                .map_err(|error| cannot_bind(*address, &error, names.https))
        };
        let one = |address: &SocketAddr, name: &str| {
            TcpListener::bind(address).map_err(|error| cannot_bind(*address, &error, name))
        };
        Ok(Self {
            https: https
                .iter()
                .map(|address| several(address, workers.get()))
                .collect::<Result<_, _>>()?,
            http: http
                .iter()
                .map(|address| one(address, names.http))
                .collect::<Result<_, _>>()?,
            management: one(&management, names.management)?,
        })
    }

    /// The addresses, as the system settled them.
    pub(crate) fn addresses(&self) -> Result<Bound, Failure> {
        let first = |sockets: &Vec<TcpListener>| sockets.first().map(TcpListener::local_addr);
        let https: io::Result<_> = self.https.iter().filter_map(first).collect();
        let http: io::Result<_> = self.http.iter().map(TcpListener::local_addr).collect();
        let unknown =
            |error: io::Error| Failure::Unavailable(format!("a listener has no address: {error}"));
        Ok(Bound {
            https: https.map_err(unknown)?,
            http: http.map_err(unknown)?,
            management: self.management.local_addr().map_err(unknown)?,
        })
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system has forty other errors, and one remedy for them"
)]
fn cannot_bind(address: SocketAddr, error: &io::Error, name: &str) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it or choose another port",
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE"
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => "check the address",
    };
    Failure::Unavailable(format!(
        "cannot listen on {address} ({error}): {remedy}; the address is that of {name}"
    ))
}

/// As many workers as the process may use processor cores.
pub(crate) fn workers_per_core() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_a_port_taken_learns_which_address_to_change() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap();
        let free = "127.0.0.1:0".parse().unwrap();
        let why = |http: &[SocketAddr], management, names| {
            let bound = Sockets::bind(&[free], http, management, NonZeroUsize::MIN, names);
            bound.unwrap_err().to_string()
        };
        let keys = why(&[free], taken, ListenerNames::KEYS);
        assert!(keys.ends_with("`server.management`"), "{keys}");
        let options = why(&[taken], free, ListenerNames::OPTIONS);
        assert!(options.ends_with("--http"), "{options}");
    }
}
