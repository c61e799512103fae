//! `demo.json`: what the demonstration tells scripts.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The demonstration's addresses, accounts and services.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Bound address of the TLS listener.
    pub https: SocketAddr,
    /// Bound address of the plain listener, which redirects.
    pub http: SocketAddr,
    /// Bound address of the management listener.
    pub management: SocketAddr,
    /// The authority's certificate, PEM.
    pub authority: PathBuf,
    /// Host of the portal, without port.
    pub portal: String,
    /// Who can sign in.
    pub accounts: Vec<Account>,
    /// What stands behind the gateway.
    pub services: Vec<Service>,
}

/// One account of the demonstration.
#[derive(Clone, Debug)]
pub struct Account {
    /// Login within its tenant.
    pub login: String,
    /// Password.
    pub password: String,
    /// Tenant.
    pub tenant: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Whether the password must be changed at the first sign-in.
    pub is_provisional: bool,
}

impl Account {
    /// `tenant/login`: right at every entry.
    pub fn full_login(&self) -> String {
        format!("{}/{}", self.tenant, self.login)
    }
}

/// One internal service of the demonstration.
#[derive(Clone, Debug)]
pub struct Service {
    /// Public host.
    pub host: String,
    /// Its own address.
    pub address: String,
    /// The file in which it writes one line of JSON for each request it receives.
    pub log: PathBuf,
    /// Roles that may reach it.
    pub roles: Vec<String>,
}

impl Service {
    /// How many requests this service received.
    pub fn count(&self) -> usize {
        self.received().len()
    }

    /// The value of a field of the last request; `None` where there was none.
    pub fn last_field(&self, name: &str) -> Option<String> {
        let last = self.received().pop()?;
        let found = last["headers"]
            .as_array()?
            .iter()
            .find(|pair| pair[0] == name)?;
        Some(text_of(&found[1]))
    }

    /// The requests this service received.
    pub fn received(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }
}

impl Facts {
    /// Reads `demo.json` of a directory.
    pub fn read(directory: &Path) -> Self {
        let text = std::fs::read_to_string(directory.join("demo.json")).expect("demo.json");
        let json: Value = serde_json::from_str(&text).expect("demo.json is JSON");
        Self {
            https: address(&json["https"]),
            http: address(&json["http"]),
            management: address(&json["management"]),
            authority: directory.join(text_of(&json["ca"])),
            portal: text_of(&json["portal"])
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
            accounts: json["accounts"]
                .as_array()
                .expect("accounts")
                .iter()
                .map(account)
                .collect(),
            services: json["services"]
                .as_array()
                .expect("services")
                .iter()
                .map(|one| service(one, directory))
                .collect(),
        }
    }

    /// An account ready to use that has this role.
    #[track_caller]
    pub fn with_role(&self, role: &str) -> &Account {
        self.accounts
            .iter()
            .find(|account| {
                !account.is_provisional && account.roles.iter().any(|have| have == role)
            })
            .unwrap_or_else(|| panic!("no ready account has the role {role}"))
    }

    /// The account `tenant/login`.
    #[track_caller]
    pub fn account(&self, full_login: &str) -> &Account {
        let found = self
            .accounts
            .iter()
            .find(|account| account.full_login() == full_login);
        found.unwrap_or_else(|| panic!("no account is called {full_login}"))
    }

    /// An account whose password must be changed first.
    #[track_caller]
    pub fn provisional(&self) -> &Account {
        self.accounts
            .iter()
            .find(|account| account.is_provisional)
            .expect("a provisional account")
    }

    /// The service whose host begins with this label.
    #[track_caller]
    pub fn service(&self, label: &str) -> &Service {
        self.services
            .iter()
            .find(|service| service.host.split('.').next() == Some(label))
            .unwrap_or_else(|| panic!("no service is called {label}"))
    }

    pub(super) fn listen_on(&mut self, [https, http, management]: [u16; 3]) {
        self.https.set_port(https);
        self.http.set_port(http);
        self.management.set_port(management);
    }
}

/// The configuration with other ports in its listeners.
pub(super) fn with_ports(config: &str, [https, http, management]: [u16; 3]) -> String {
    let line = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        match key {
            "https" => format!("https = \"127.0.0.1:{https}\""),
            "http" => format!("http = \"127.0.0.1:{http}\""),
            "management" => format!("management = \"127.0.0.1:{management}\""),
            _ => line.to_owned(),
        }
    };
    config.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn account(json: &Value) -> Account {
    Account {
        login: text_of(&json["login"]),
        password: text_of(&json["password"]),
        tenant: text_of(&json["tenant"]),
        roles: texts_of(&json["roles"]),
        is_provisional: json["provisional"].as_bool().expect("provisional"),
    }
}

fn service(json: &Value, directory: &Path) -> Service {
    Service {
        host: text_of(&json["host"])
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned(),
        address: text_of(&json["address"]),
        log: directory.join(text_of(&json["log"])),
        roles: texts_of(&json["roles"]),
    }
}

fn address(json: &Value) -> SocketAddr {
    let text = text_of(json);
    let bare = text
        .split_once("://")
        .map_or(text.as_str(), |(_, rest)| rest)
        .trim_end_matches('/');
    bare.replace("localhost", "127.0.0.1")
        .parse()
        .unwrap_or_else(|_| panic!("{text} is no address"))
}

fn text_of(json: &Value) -> String {
    json.as_str()
        .unwrap_or_else(|| panic!("{json} is no text"))
        .to_owned()
}

fn texts_of(json: &Value) -> Vec<String> {
    json.as_array()
        .expect("a list")
        .iter()
        .map(text_of)
        .collect()
}
