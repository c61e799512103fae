//! Routes compiled for look-up: as fast with ten thousand as with ten, and without allocation.

use std::collections::HashMap;

use http::Method;

use super::DenyReason;
use crate::{
    host::Host,
    rule::{HostPattern, Route},
};

/// All routes, ready to be searched.
///
/// One host's routes answer for it alone: where an exact host is routed a wildcard is not asked,
/// and where a longer path is routed a shorter one is not asked, not even for a method that the
/// longer one leaves out. So a narrow route takes away from a wide one and never lends to it.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Box<[Route]>,
    exact: HashMap<Host, Node>,
    /// By the host below which one label stands for any.
    wildcard: HashMap<Box<str>, Node>,
}

/// A route's place in its table, in the order of the configuration file.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RouteIndex(usize);

impl RouteIndex {
    /// The place as a number, counted from 0.
    pub const fn get(self) -> usize {
        self.0
    }
}

/// Two routes that claim the same host, path and method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RouteConflict {
    /// The place of the one that came first.
    pub first: usize,
    /// The place of the one that repeats it.
    pub second: usize,
}

/// One segment of a path: the routes that end here and what lies below.
#[derive(Debug, Default)]
struct Node {
    here: Option<Here>,
    below: HashMap<Box<str>, Self>,
}

/// The routes of one host and path.
#[derive(Debug, Default)]
pub(super) struct Here {
    by_method: Vec<(Method, RouteIndex)>,
    any_method: Option<RouteIndex>,
}

impl RouteTable {
    /// Compiles routes, whose order means nothing beyond their [`RouteIndex`].
    ///
    /// # Errors
    ///
    /// Every pair that claims the same host, path and method.
    pub fn compile(routes: Vec<Route>) -> Result<Self, Vec<RouteConflict>> {
        let mut table = Self::default();
        let mut conflicts = Vec::new();
        for (place, route) in routes.iter().enumerate() {
            let here = table.root_mut(&route.host).descend(route.path.as_str());
            if let Err(first) = here.claim(&route.methods, RouteIndex(place)) {
                conflicts.push(RouteConflict {
                    first: first.get(),
                    second: place,
                });
            }
        }
        table.routes = routes.into();
        if conflicts.is_empty() {
            Ok(table)
        } else {
            Err(conflicts)
        }
    }

    /// The routes in the order of the configuration file.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route at a place.
    pub fn get(&self, index: RouteIndex) -> Option<&Route> {
        self.routes.get(index.0)
    }

    /// Whether any route is for this host.
    pub fn names_host(&self, host: &Host) -> bool {
        self.root(host).is_some()
    }

    /// The one route that is for this host, path and method, or why there is none.
    pub(super) fn select(
        &self,
        host: &Host,
        path: &str,
        method: &Method,
    ) -> Result<(RouteIndex, &Route), DenyReason> {
        let root = self.root(host).ok_or(DenyReason::HostUnknown)?;
        let here = root.longest(path).ok_or(DenyReason::PathUnknown)?;
        let index = here.route_for(method).ok_or(DenyReason::MethodNotRouted)?;
        let route = self.get(index).ok_or(DenyReason::PathUnknown)?;
        Ok((index, route))
    }

    /// Which pattern of the table a host falls under.
    pub(super) fn pattern_for(&self, host: &Host) -> Option<HostPattern> {
        if self.exact.contains_key(host) {
            return Some(HostPattern::Exact(host.clone()));
        }
        let parent = parent_of(host).filter(|parent| self.wildcard.contains_key(*parent))?;
        parent.parse().ok().map(HostPattern::Wildcard)
    }

    /// Which of the table's patterns answers for the hosts of a pattern, be it of this table or not.
    pub(super) fn answering(&self, hosts: &HostPattern) -> Option<HostPattern> {
        match hosts {
            HostPattern::Exact(host) => self.pattern_for(host),
            HostPattern::Wildcard(parent) => {
                let is_known = self.wildcard.contains_key(parent.as_str());
                is_known.then(|| hosts.clone())
            }
        }
    }

    /// The routes that decide on a path, on the hosts of a pattern.
    pub(super) fn decisive(&self, hosts: &HostPattern, path: &str) -> Option<&Here> {
        let root = match hosts {
            HostPattern::Exact(host) => self.root(host),
            HostPattern::Wildcard(parent) => self.wildcard.get(parent.as_str()),
        };
        root?.longest(path)
    }

    fn root(&self, host: &Host) -> Option<&Node> {
        self.exact.get(host).or_else(|| {
            let parent = parent_of(host)?;
            self.wildcard.get(parent)
        })
    }

    fn root_mut(&mut self, host: &HostPattern) -> &mut Node {
        match host {
            HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default(),
            HostPattern::Wildcard(parent) => {
                self.wildcard.entry(parent.as_str().into()).or_default()
            }
        }
    }
}

/// What stands after a host's first label.
fn parent_of(host: &Host) -> Option<&str> {
    host.as_str().split_once('.').map(|(_, parent)| parent)
}

/// A path's segments; `/` has none, and a trailing slash adds none.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

impl Node {
    /// The node at the end of `path`, made where it is missing.
    fn descend(&mut self, path: &str) -> &mut Here {
        let mut node = self;
        for segment in segments(path) {
            node = node.below.entry(segment.into()).or_default();
        }
        node.here.get_or_insert_default()
    }

    /// The routes of the longest path that `path` lies at or below. It looks at no more segments
    /// than the deepest route has, so a path made long does not make the search long.
    fn longest(&self, path: &str) -> Option<&Here> {
        let mut node = self;
        let mut found = node.here.as_ref();
        for segment in segments(path) {
            let Some(next) = node.below.get(segment) else {
                break;
            };
            node = next;
            found = node.here.as_ref().or(found);
        }
        found
    }
}

impl Here {
    /// Takes these methods, or all that nobody else takes, for one route.
    fn claim(&mut self, methods: &[Method], index: RouteIndex) -> Result<(), RouteIndex> {
        if methods.is_empty() {
            return match self.any_method.replace(index) {
                Some(first) => Err(first),
                None => Ok(()),
            };
        }
        for method in methods {
            if let Some((_, first)) = self.by_method.iter().find(|(taken, _)| taken == method) {
                return Err(*first);
            }
            self.by_method.push((method.clone(), index));
        }
        Ok(())
    }

    /// A route that names the method goes before one that is for all; who may GET may also HEAD,
    /// which tells less (RFC 9110, section 9.3.2).
    pub(super) fn route_for(&self, method: &Method) -> Option<RouteIndex> {
        let named = |wanted: &Method| {
            let mut taken = self.by_method.iter();
            taken.find(|(taken, _)| taken == wanted).map(|(_, at)| *at)
        };
        let as_get = || (method == Method::HEAD).then(|| named(&Method::GET))?;
        named(method).or_else(as_get).or(self.any_method)
    }

    /// The methods that routes name.
    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.by_method.iter().map(|(method, _)| method)
    }

    /// The route for every method that none names.
    pub(super) const fn for_all(&self) -> Option<RouteIndex> {
        self.any_method
    }
}
