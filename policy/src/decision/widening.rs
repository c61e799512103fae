//! What one table lets in that another kept out: for whoever has to notice that a route is gone.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
};

use http::Method;

use super::{RouteTable, table::Here};
use crate::{
    assurance::Assurance,
    id::RouteName,
    rule::{Access, Allow, HostPattern, Roles, Route, Tenants},
};

/// Requests that some people may make now and might not before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Widening {
    /// The hosts.
    pub host: HostPattern,
    /// The path, and what lies below it but for what a longer path of either table decides.
    pub path: String,
    /// The methods.
    pub methods: Methods,
    /// Who might pass; `None`: nobody.
    pub before: Option<Access>,
    /// Who may.
    pub now: Access,
    /// The route that lets them.
    pub route: RouteName,
}

/// Methods of requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Methods {
    /// All but these.
    AllBut(Vec<Method>),
    /// These.
    These(Vec<Method>),
}

/// Where `new` lets somebody in whom `old` kept out: what was closed or restricted and is public,
/// what takes less proof, a list that is gone or longer, a method that was left out.
///
/// A service on a path that no route was for is told of only if it is public: everything else about
/// it is new, too. Nor is told of somebody who comes to pass by a grant because a route that was for
/// every tenant names theirs: its list got shorter.
pub fn widened(old: &RouteTable, new: &RouteTable) -> Vec<Widening> {
    let by_host = [paths(old), paths(new)];
    let hosts: HashSet<&HostPattern> = by_host.iter().flat_map(HashMap::keys).copied().collect();
    let at_host = |host| {
        // A host that one table names may fall under a wildcard of the other.
        let of_both = [old, new].into_iter().zip(&by_host);
        let places = of_both.filter_map(|(table, paths)| paths.get(&table.answering(host)?));
        let places: BTreeSet<&str> = places.flatten().copied().collect();
        places
            .into_iter()
            .flat_map(move |path| at(host, path, old, new))
    };
    let mut found: Vec<Widening> = hosts.into_iter().flat_map(at_host).collect();
    found.sort_by_cached_key(|one| (one.host.to_string(), one.path.clone()));
    found
}

/// The paths of a table's routes, by the hosts that they are for.
fn paths(table: &RouteTable) -> HashMap<&HostPattern, Vec<&str>> {
    let mut paths: HashMap<_, Vec<_>> = HashMap::new();
    for route in table.routes() {
        let of_host = paths.entry(&route.host).or_default();
        of_host.push(match route.path.as_str().trim_end_matches('/') {
            "" => "/",
            path => path,
        });
    }
    paths
}

/// The same for one path: which is decided as it is itself up to the next longer path.
fn at(host: &HostPattern, path: &str, old: &RouteTable, new: &RouteTable) -> Vec<Widening> {
    let before = old.decisive(host, path);
    let Some(now) = new.decisive(host, path) else {
        return Vec::new();
    };
    let named = named(before.into_iter().chain([now]));
    let mut found: Vec<Opening<'_>> = Vec::new();
    for method in named.iter().map(Some).chain([None]) {
        let access = before.and_then(|here| route_of(old, here, method));
        let access = access.map(|route| &route.access);
        let Some(route) = route_of(new, now, method) else {
            continue;
        };
        if !lets_more_in(before.is_some(), access, &route.access) {
            continue;
        }
        let mut same = found.iter_mut();
        match same.find(|one| one.before == access && one.route.name == route.name) {
            Some(opening) => opening.methods.push(method),
            None => found.push(Opening {
                before: access,
                route,
                methods: vec![method],
            }),
        }
    }
    let widening = |opening: Opening<'_>| Widening {
        host: host.clone(),
        path: path.to_owned(),
        methods: Methods::of(&opening.methods, &named),
        before: opening.before.cloned(),
        now: opening.route.access.clone(),
        route: opening.route.name.clone(),
    };
    found.into_iter().map(widening).collect()
}

/// Methods of one path that were the same people's and are the same route's.
struct Opening<'a> {
    before: Option<&'a Access>,
    route: &'a Route,
    /// `None` among them stands for all that no route names.
    methods: Vec<Option<&'a Method>>,
}

/// Every method that these name, and HEAD where they name GET, which lets it pass as well.
fn named<'a>(places: impl Iterator<Item = &'a Here>) -> Vec<Method> {
    let mut named: Vec<Method> = places.flat_map(Here::methods).cloned().collect();
    if named.contains(&Method::GET) {
        named.push(Method::HEAD);
    }
    named.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    named.dedup();
    named
}

/// Which route is for the method; for `None`, for all that no route names.
fn route_of<'a>(table: &'a RouteTable, here: &Here, method: Option<&Method>) -> Option<&'a Route> {
    let index = match method {
        Some(method) => here.route_for(method),
        None => here.for_all(),
    };
    table.get(index?)
}

/// Whether somebody passes now who did not. `was_decided`: a route was for the path, if perhaps not
/// for the method.
fn lets_more_in(was_decided: bool, before: Option<&Access>, now: &Access) -> bool {
    match (before, now) {
        (Some(Access::Public), _) => false,
        (_, Access::Public) => true,
        (None, Access::SignedIn { allow, .. }) => was_decided && allow.is_for_somebody(),
        (
            Some(Access::SignedIn {
                assurance: was,
                allow: old,
            }),
            Access::SignedIn { assurance, allow },
        ) => {
            allow.is_for_somebody()
                && (assurance < was
                    || allow.roles.has_more_than(&old.roles)
                    || allow.tenants.has_more_than(&old.tenants))
        }
    }
}

impl Allow {
    fn is_for_somebody(&self) -> bool {
        let no_role = matches!(&self.roles, Roles::OneOf(roles) if roles.is_empty());
        let no_tenant = matches!(&self.tenants, Tenants::OneOf(tenants) if tenants.is_empty());
        !no_role && !no_tenant
    }
}

impl Roles {
    fn has_more_than(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Any, _) => false,
            (Self::OneOf(_), Self::Any) => true,
            (Self::OneOf(before), Self::OneOf(now)) => now.iter().any(|one| !before.contains(one)),
        }
    }
}

impl Tenants {
    fn has_more_than(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Any, _) => false,
            (Self::OneOf(_), Self::Any) => true,
            (Self::OneOf(before), Self::OneOf(now)) => now.iter().any(|one| !before.contains(one)),
        }
    }
}

impl Methods {
    /// Some of those that are `named`; `None` among them stands for all others.
    fn of(methods: &[Option<&Method>], named: &[Method]) -> Self {
        if methods.contains(&None) {
            let left_out = named.iter().filter(|one| !methods.contains(&Some(one)));
            Self::AllBut(left_out.cloned().collect())
        } else {
            Self::These(methods.iter().copied().flatten().cloned().collect())
        }
    }
}

impl fmt::Display for Widening {
    /// For people who read logs: `pay.example.com/admin, every method: for nobody before, …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, methods, .. } = self;
        let path = self.path.as_str();
        let before = self
            .before
            .as_ref()
            .map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let (now, route) = (&self.now, &self.route);
        write!(
            f,
            "{host}{path}, {methods}: for {before} before, for {now} now, by route {route}"
        )
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |methods: &[Method]| in_a_row(methods, ", ");
        match self {
            Self::AllBut(none) if none.is_empty() => f.write_str("every method"),
            Self::AllBut(methods) => write!(f, "every method but {}", list(methods)),
            Self::These(methods) => f.write_str(&list(methods)),
        }
    }
}

impl fmt::Display for Access {
    /// Who passes, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (assurance, allow) = match self {
            Self::Public => return f.write_str("everybody, signed in or not"),
            Self::SignedIn { assurance, allow } => (*assurance, allow),
        };
        if !allow.is_for_somebody() {
            return f.write_str("nobody");
        }
        let stronger = Some(assurance).filter(|it| *it > Assurance::Password);
        let proof = stronger.map_or_else(String::new, |it| format!(" by {}", it.as_str()));
        let roles = match &allow.roles {
            Roles::Any => String::new(),
            Roles::OneOf(roles) => format!(" with the role {}", in_a_row(roles, " or ")),
        };
        let tenants = match &allow.tenants {
            Tenants::Any => String::new(),
            Tenants::OneOf(tenants) => format!(" for the tenant {}", in_a_row(tenants, " or ")),
        };
        write!(f, "whoever is signed in{proof}{roles}{tenants}")
    }
}

fn in_a_row(items: &[impl ToString], between: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(between)
}
