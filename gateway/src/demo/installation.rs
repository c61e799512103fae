//! The demo's directory: authority, certificate, keyring, configuration.

use std::{
    fmt::Write,
    fs::File,
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use octroi_certs::dev_authority::{DevelopmentAuthority, Issued};
use octroi_policy::time::Timestamp;
use rustls_pki_types::UnixTime;

use super::{
    DemoFault,
    files::{self, Readers},
    services::{Running, Service},
};
use crate::{
    entropy::Entropy,
    keyring::{Keyring, KeyringError},
};

/// Where everything of one demo lies.
#[derive(Clone, Debug)]
pub(super) struct Installation {
    directory: PathBuf,
}

/// The addresses that were bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    /// Where browsers connect.
    pub(super) https: SocketAddr,
    /// Where plain HTTP is sent on to HTTPS.
    pub(super) http: SocketAddr,
    /// Where health and metrics are read.
    pub(super) management: SocketAddr,
}

impl Installation {
    /// Prepares `directory`, which may hold a demo already; its keys and people stay.
    pub(super) fn prepare(
        directory: &Path,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, DemoFault> {
        files::make_directory(directory)?;
        let directory = directory.canonicalize().map_err(|error| DemoFault::File {
            file: directory.to_owned(),
            error,
        })?;
        let own = Self { directory };
        own.refuse_where_one_runs()?;
        for inner in ["data", "run", "services", "tls"] {
            files::make_directory(&own.directory.join(inner))?;
        }
        own.certify(now)?;
        match Keyring::create(&own.directory.join("keyring"), entropy) {
            Ok(_) | Err(KeyringError::Exists(_)) => Ok(own),
            Err(fault) => Err(DemoFault::other(fault)),
        }
    }

    /// A second demo would take the first one's sockets and files away.
    fn refuse_where_one_runs(&self) -> Result<(), DemoFault> {
        match UnixStream::connect(self.directory.join("run/admin.sock")) {
            Ok(_) => Err(DemoFault::Runs(self.directory.clone())),
            Err(_) => Ok(()),
        }
    }

    /// The authority that browsers are told to trust.
    pub(super) fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// The configuration file.
    pub(super) fn configuration(&self) -> PathBuf {
        self.directory.join("octroi.toml")
    }

    /// Where the passwords of the demo's people are kept.
    pub(super) fn people(&self) -> PathBuf {
        self.directory.join("people.json")
    }

    /// Where scripts find everything.
    pub(super) fn facts(&self) -> PathBuf {
        self.directory.join("demo.json")
    }

    /// Where the services keep their sockets and logs.
    pub(super) fn services(&self) -> PathBuf {
        self.directory.join("services")
    }

    /// Where the gateway writes one line for each request; it goes on where it was.
    pub(super) fn access_log(&self) -> Result<File, DemoFault> {
        let file = self.directory.join("access.log");
        let opened = File::options().create(true).append(true).open(&file);
        opened.map_err(|error| DemoFault::File { file, error })
    }

    /// Writes the configuration for these addresses and services.
    pub(super) fn configure(
        &self,
        addresses: Addresses,
        services: &[Running],
    ) -> Result<(), DemoFault> {
        let text = configuration(addresses, services);
        files::write(&self.configuration(), text.as_bytes(), Readers::Everybody)
    }

    /// Keeps the authority while it is good, so that browsers need to be told once; the
    /// certificate is new at each start.
    fn certify(&self, now: Timestamp) -> Result<(), DemoFault> {
        let now = unix_time(now);
        let key_file = self.directory.join("authority.key");
        let kept = (
            files::read_if_there(&self.authority())?,
            files::read_if_there(&key_file)?,
        );
        let authority = match kept {
            (Some(certificate), Some(key)) => DevelopmentAuthority::from_pem(&certificate, &key),
            _ => DevelopmentAuthority::create(&[], now),
        };
        let authority = authority.map_err(DemoFault::other)?;
        files::write(&key_file, authority.key_pem().as_bytes(), Readers::Owner)?;
        let certificate = authority.certificate_pem().as_bytes();
        files::write(&self.authority(), certificate, Readers::Everybody)?;
        let names: Vec<&str> = std::iter::once(PORTAL)
            .chain(Service::ALL.map(Service::host))
            .collect();
        let named = authority.issue(&names, now).map_err(DemoFault::other)?;
        self.keep_certificate("", &named)?;
        // Apart from the other: whoever takes no wildcard below a top-level name refuses a
        // certificate that has one, whatever else it is for.
        let wildcard = authority.issue_wildcard(now).map_err(DemoFault::other)?;
        self.keep_certificate("wildcard-", &wildcard)
    }

    fn keep_certificate(&self, prefix: &str, issued: &Issued) -> Result<(), DemoFault> {
        let tls = self.directory.join("tls");
        let key = tls.join(format!("{prefix}key.pem"));
        files::write(&key, issued.key_pem.as_bytes(), Readers::Owner)?;
        let chain = tls.join(format!("{prefix}chain.pem"));
        files::write(&chain, issued.chain_pem.as_bytes(), Readers::Everybody)
    }
}

fn unix_time(now: Timestamp) -> UnixTime {
    let seconds = u64::try_from(now.as_unix_seconds()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// The configuration of a demo, as an operator would write it.
fn configuration(addresses: Addresses, services: &[Running]) -> String {
    let Addresses {
        https,
        http,
        management,
    } = addresses;
    let names: Vec<String> = std::iter::once(PORTAL)
        .chain(Service::ALL.map(Service::host))
        .map(|name| format!("\"{name}\""))
        .collect();
    let mut text = format!(
        "# Written anew by `octroi demo` at each start; changes made while it runs are taken over at once.\n\
         [server]\n\
         https = \"{https}\"\n\
         http = \"{http}\"\n\
         management = \"{management}\"\n\
         portal = \"{PORTAL}\"\n\
         data = \"data\"\n\
         keyring = \"keyring\"\n\
         admin_socket = \"run/admin.sock\"\n\
         hsts = \"off\"\n\
         demo = true\n\
         \n\
         [[certificate]]\n\
         names = [\"localhost\", {names}]\n\
         chain = \"tls/chain.pem\"\n\
         key_file = \"tls/key.pem\"\n\
         \n\
         # For every other name below localhost: a page says that nothing is there.\n\
         [[certificate]]\n\
         names = [\"*.localhost\"]\n\
         chain = \"tls/wildcard-chain.pem\"\n\
         key_file = \"tls/wildcard-key.pem\"\n\
         \n\
         [tenants]\n\
         default = \"acme\"\n\
         \n\
         [brand]\n\
         name = \"Octroi – démo\"\n\
         \n\
         [contact]\n\
         support = \"mailto:assistance@example.com\"\n\
         privacy = \"https://example.com/privacy\"\n\
         dpo = \"mailto:dpo@example.com\"\n\
         accessibility = \"https://example.com/accessibility\"\n\
         accessibility_verdict = \"partial\"\n\
         security = \"mailto:security@example.com\"\n",
        names = names.join(", "),
    );
    for running in services {
        for route in routes(running.service) {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n[[route]]\nname = \"{}\"\nhost = \"{}\"\n{}to = \"{}\"\n{}\n",
                route.name,
                running.service.host(),
                route.matches,
                running.address.to_url(),
                route.access,
            );
        }
    }
    text
}

/// One route of a service: what it is for, and who may pass.
struct DemoRoute {
    name: &'static str,
    matches: &'static str,
    access: &'static str,
}

const fn route(name: &'static str, matches: &'static str, access: &'static str) -> DemoRoute {
    DemoRoute {
        name,
        matches,
        access,
    }
}

const fn routes(service: Service) -> &'static [DemoRoute] {
    match service {
        Service::Echo => &ECHO,
        Service::Payroll => &PAYROLL,
        Service::VisitorBook => &VISITOR_BOOK,
    }
}

/// Where people sign in.
pub(super) const PORTAL: &str = "login.localhost";

const ECHO: [DemoRoute; 2] = [
    route(
        "echo",
        "",
        r#"allow = "everyone"
sign_in = "password"
identity = { login = "Remote-Login", name = "Remote-Name" }"#,
    ),
    route(
        "echo-public",
        "path = \"/public\"\n",
        "sign_in = \"public\"",
    ),
];

const PAYROLL: [DemoRoute; 1] = [route(
    "payroll",
    "",
    r#"allow = { roles = ["rh"] }
sign_in = "password"
identity = { login = "Remote-Login" }"#,
)];

/// Promise D3: a visitor only registers, occupants see their own, reception the building, IT all.
const VISITOR_BOOK: [DemoRoute; 4] = [
    route("visitors-form", READ, BUILDING),
    route(
        "visitors-register",
        "path = \"/visits\"\nmethods = [\"POST\"]\n",
        BUILDING,
    ),
    route(
        "visitors-list",
        "path = \"/visits\"\nmethods = [\"GET\", \"HEAD\"]\n",
        r#"allow = { roles = ["occupant", "reception", "it"] }
sign_in = "password"
identity = { login = "Remote-Login" }"#,
    ),
    route(
        "visitors-admin",
        "path = \"/admin\"\n",
        r#"allow = { roles = ["it"] }
sign_in = "password"
identity = { login = "Remote-Login" }"#,
    ),
];

const READ: &str = "methods = [\"GET\", \"HEAD\"]\n";

const BUILDING: &str = r#"allow = { roles = ["visitor", "occupant", "reception", "it"] }
sign_in = "password"
identity = { login = "Remote-Login" }"#;

#[cfg(test)]
mod tests {
    use octroi_certs::{bundle::BundleSource, reload, resolver::Resolver};

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn every_name_below_localhost_has_a_certificate_and_those_of_services_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        let installation = Installation::prepare(folder.path(), now, &SystemEntropy).unwrap();
        let address = "127.0.0.1:8443".parse().unwrap();
        let addresses = Addresses {
            https: address,
            http: "127.0.0.1:8080".parse().unwrap(),
            management: "127.0.0.1:9090".parse().unwrap(),
        };
        installation.configure(addresses, &[]).unwrap();
        let text = std::fs::read_to_string(installation.configuration()).unwrap();
        let loaded = octroi_config::parse(&text, &installation.configuration());
        let settings = loaded
            .unwrap_or_else(|problems| panic!("{problems:#?}"))
            .settings;
        let sources: Vec<BundleSource> = settings
            .certificates
            .iter()
            .map(|certificate| BundleSource {
                names: certificate
                    .names
                    .iter()
                    .map(|name| name.parse().unwrap())
                    .collect(),
                chain: certificate.chain.clone(),
                key: certificate.key_file.clone(),
                is_default: certificate.default,
            })
            .collect();
        let resolver = Resolver::new(&reload::load_all(&sources).unwrap());
        let named = resolver.find(Some(PORTAL)).unwrap();
        let other = resolver.find(Some("anything.localhost")).unwrap();
        assert_ne!(named.cert, other.cert);
        assert!(resolver.find(Some("example.com")).is_none());
    }
}
