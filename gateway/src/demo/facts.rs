//! `demo.json`: what scripts need to know of a demo that runs.

use serde::Serialize;

use super::{
    DemoFault,
    files::{self, Readers},
    installation::{Addresses, Installation, PORTAL},
    people::Person,
    services::{Running, Service},
};

/// The whole document. Its fields are a contract with scripts.
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    /// Bound address of HTTPS.
    https: String,
    /// Bound address of plain HTTP.
    http: String,
    /// Bound address of health and metrics.
    management: String,
    /// The authority's file.
    ca: String,
    /// The portal's host.
    portal: &'static str,
    /// Who can sign in.
    accounts: &'a [Person],
    /// What stands behind the gateway.
    services: Vec<ServiceFacts>,
}

#[derive(Debug, Serialize)]
struct ServiceFacts {
    /// Its public host.
    host: &'static str,
    /// Its own address, which nobody but the gateway should use.
    address: String,
    /// The file in which it writes one JSON line for each request received.
    log: String,
    /// The roles that may reach it.
    roles: &'static [&'static str],
}

impl<'a> Facts<'a> {
    /// What is known once everything listens.
    pub(super) fn of(
        installation: &Installation,
        addresses: Addresses,
        people: &'a [Person],
        services: &[Running],
    ) -> Self {
        Self {
            https: addresses.https.to_string(),
            http: addresses.http.to_string(),
            management: addresses.management.to_string(),
            ca: installation.authority().display().to_string(),
            portal: PORTAL,
            accounts: people,
            services: services
                .iter()
                .map(|running| ServiceFacts {
                    host: running.service.host(),
                    address: running.address.to_url(),
                    log: running.log.display().to_string(),
                    roles: roles(running.service),
                })
                .collect(),
        }
    }

    /// Writes the document; it holds passwords, so its owner alone reads it.
    pub(super) fn write(&self, installation: &Installation) -> Result<(), DemoFault> {
        let file = installation.facts();
        let text = serde_json::to_string_pretty(self).map_err(|error| DemoFault::Malformed {
            file: file.clone(),
            error,
        })?;
        files::write(&file, text.as_bytes(), Readers::Owner)
    }
}

const fn roles(service: Service) -> &'static [&'static str] {
    match service {
        Service::Echo => &["it", "occupant", "reception", "rh", "visitor"],
        Service::Payroll => &["rh"],
        Service::VisitorBook => &["it", "occupant", "reception", "visitor"],
    }
}
