//! Reads `[[certificate]]`, and sees that each host which is served has one.

use std::collections::HashMap;

use octroi_policy::rule::HostPattern;

use super::{
    file,
    route::{Draft, host_pattern},
};
use crate::{
    reader::{Reader, Told},
    settings::{Certificate, Server},
    source::At,
};

pub(super) fn certificates(readers: &[Reader<'_>]) -> Vec<Told<Certificate>> {
    let mut named: HashMap<String, At> = HashMap::new();
    let mut default: Option<At> = None;
    let mut certificates = Vec::new();
    for &reader in readers {
        let names = names(reader, &mut named);
        check_default(reader, &mut default);
        let chain = reader.required_path("chain");
        if let Some(chain) = &chain {
            file::check_readable(reader, chain);
        }
        let key_file = reader.required_path("key_file");
        if let Some(key_file) = &key_file {
            file::check_secret(reader, key_file);
        }
        if let (Some(chain), Some(key_file)) = (chain, key_file) {
            certificates.push(Told {
                value: Certificate {
                    names,
                    chain: chain.value,
                    key_file: key_file.value,
                    default: reader.boolean("default"),
                },
                at: reader.at(),
            });
        }
    }
    certificates
}

fn names(reader: Reader<'_>, named: &mut HashMap<String, At>) -> Vec<String> {
    if reader.require("names").is_none() {
        return Vec::new();
    }
    let mut names = Vec::new();
    for text in reader.some_texts("names", "") {
        let Some(pattern) = host_pattern(reader, "names", text) else {
            continue;
        };
        let name = pattern.to_string();
        if let Some(earlier) = named.insert(name.clone(), text.at) {
            reader.reading().contradiction(
                text.at,
                earlier,
                format!("{name} has a certificate already"),
                "leave the name to one of them",
            );
        }
        names.push(name);
    }
    names
}

fn check_default(reader: Reader<'_>, default: &mut Option<At>) {
    if !reader.boolean("default") {
        return;
    }
    let at = reader.at_key("default");
    if let Some(earlier) = default.replace(at) {
        reader.reading().contradiction(
            at,
            earlier,
            "two certificates are the default",
            "leave `default = true` to one of them",
        );
    }
}

/// Every host that is served needs a certificate, or its TLS handshakes fail.
pub(super) fn check_coverage(
    section: Reader<'_>,
    server: &Server,
    certificates: &[Told<Certificate>],
    routes: &[Draft],
) {
    let names: std::collections::HashSet<&str> = certificates
        .iter()
        .flat_map(|certificate| &certificate.value.names)
        .map(String::as_str)
        .collect();
    let mut missing: std::collections::HashSet<String> = std::collections::HashSet::new();
    let mut check = |pattern: &HostPattern, at: At| {
        if is_covered(&names, pattern) {
            return;
        }
        let name = pattern.to_string();
        // One word for a host, however many routes it has.
        if missing.insert(name.clone()) {
            section.reading().error(
                at,
                format!("no certificate is for {name}"),
                format!("add {name:?} to the `names` of a `[[certificate]]` that is for it"),
            );
        }
    };
    let portal = HostPattern::Exact(server.portal.clone());
    check(&portal, section.at_key("portal"));
    for route in routes {
        check(&route.route.host, route.at);
    }
}

fn is_covered(names: &std::collections::HashSet<&str>, pattern: &HostPattern) -> bool {
    let text = pattern.to_string();
    let by_wildcard = match pattern {
        HostPattern::Exact(host) => host
            .as_str()
            .split_once('.')
            .is_some_and(|(_, parent)| names.contains(format!("*.{parent}").as_str())),
        HostPattern::Wildcard(_) => false,
    };
    names.contains(text.as_str()) || by_wildcard
}
