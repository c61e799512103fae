//! Which certificate answers which name: exact, then wildcard, else none.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::bundle::Bundle;

/// Finds certificates by name, without a lock; all of them can be replaced in one swap.
pub struct Resolver {
    table: ArcSwap<Table>,
}

#[derive(Default)]
struct Table {
    exact: HashMap<Box<str>, Arc<CertifiedKey>>,
    /// By the name that follows the one label that the star stands for.
    wildcard: HashMap<Box<str>, Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl Resolver {
    /// A resolver of these certificates. Where two are for one name, the later one answers.
    pub fn new(bundles: &[Bundle]) -> Arc<Self> {
        Arc::new(Self {
            table: ArcSwap::from_pointee(Table::of(bundles)),
        })
    }

    /// Serves these certificates instead from the next handshake on.
    pub fn replace(&self, bundles: &[Bundle]) {
        self.table.store(Arc::new(Table::of(bundles)));
    }

    /// The certificate for a name, or for clients that give none. `None` means that the handshake
    /// must end with `unrecognized_name` (RFC 6066, section 3; RFC 9325, section 3.7).
    pub fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        let Some(name) = name else {
            return table.default.clone();
        };
        let name = lower(name);
        let exact = table.exact.get(&*name);
        let of_parent = || {
            let (_, parent) = name.split_once('.')?;
            table.wildcard.get(parent)
        };
        exact.or_else(of_parent).cloned()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(client_hello.server_name())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl Table {
    fn of(bundles: &[Bundle]) -> Self {
        let mut table = Self::default();
        for bundle in bundles {
            table.add(bundle);
        }
        table
    }

    fn add(&mut self, bundle: &Bundle) {
        for pattern in bundle.names() {
            let names = if pattern.is_wildcard() {
                &mut self.wildcard
            } else {
                &mut self.exact
            };
            names.insert(pattern.name().into(), Arc::clone(&bundle.key));
        }
        if bundle.is_default {
            self.default = Some(Arc::clone(&bundle.key));
        }
    }
}

/// Names are compared without case (RFC 6066, section 3); most come in lower case already.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests;
