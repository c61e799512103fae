//! What a route asks of a request: the rules that ops write, compiled.

use std::fmt;

use crate::{
    assurance::Assurance,
    host::Host,
    id::{Role, RouteName, TenantName},
    path::PathPrefix,
};

/// One route: which requests it is for, and what it takes to pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// The route's name in logs, metrics and `explain`.
    pub name: RouteName,
    /// Which hosts it answers for.
    pub host: HostPattern,
    /// The path and everything below it, in whole segments; `/` is everything, and a slash at the
    /// end means nothing: `/a/` is for `/a` too.
    pub path: PathPrefix,
    /// The methods it is for; empty means all.
    pub methods: Box<[http::Method]>,
    /// What it takes to pass.
    pub access: Access,
}

/// Which hosts a route answers for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum HostPattern {
    /// This host.
    Exact(Host),
    /// Every host one label below this one: `*.example.com`.
    Wildcard(Host),
}

impl fmt::Display for HostPattern {
    /// As configuration writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => write!(f, "{host}"),
            Self::Wildcard(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// What it takes to pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Anybody, signed in or not; no identity goes to the upstream.
    Public,
    /// Signed in at least this strongly, and on the list.
    SignedIn {
        /// The weakest proof that is enough.
        assurance: Assurance,
        /// Who is let in.
        allow: Allow,
    },
}

/// Who is let in, of those who are signed in. An empty list lets nobody in: "everybody" has to be
/// said (attack class D7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Allow {
    /// With one of these roles.
    pub roles: Roles,
    /// From one of these tenants.
    pub tenants: Tenants,
}

/// Which roles are let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Roles {
    /// Every signed-in account.
    Any,
    /// Accounts that hold one of these.
    OneOf(Box<[Role]>),
}

/// Which tenants are let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Tenants {
    /// Every tenant.
    Any,
    /// These.
    OneOf(Box<[TenantName]>),
}
