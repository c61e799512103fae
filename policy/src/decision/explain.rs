//! Why a request would pass or not: the same decision, with every route that was looked at.

use super::{Decision, RouteTable, authorize, table::segments};
use crate::{
    request::CanonicalRequest,
    rule::{HostPattern, Route},
    subject::Subject,
    time::Timestamp,
};

/// A decision and the way to it.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// Which pattern the host fell under.
    pub host: HostMatch,
    /// The host's routes whose path the request lies at or below, longest path first.
    pub considered: Vec<Considered<'a>>,
    /// What was decided; made by [`authorize`] itself, so it cannot tell another story.
    pub decision: Decision<'a>,
}

/// How a host was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HostMatch {
    /// By this pattern.
    Pattern(HostPattern),
    /// No route names it.
    Unknown,
}

/// A route that was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Considered<'a> {
    /// The route.
    pub route: &'a Route,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a route that was looked at.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// It decides.
    Decides,
    /// It has the longest path, but is for other methods.
    OtherMethod,
    /// A route with a longer path goes before it.
    ShorterPath,
}

impl Outcome {
    /// The stable id used in `explain --json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::OtherMethod => "other_method",
            Self::ShorterPath => "shorter_path",
        }
    }
}

/// Decides as [`authorize`] does and tells how. It reads every route: for people, not for requests.
pub fn explain<'a>(
    table: &'a RouteTable,
    request: &'a CanonicalRequest,
    subject: Option<Subject<'a>>,
    now: Timestamp,
) -> Explanation<'a> {
    let host = table
        .pattern_for(request.host())
        .map_or(HostMatch::Unknown, HostMatch::Pattern);
    let considered = match &host {
        HostMatch::Pattern(pattern) => considered(table, pattern, request),
        HostMatch::Unknown => Vec::new(),
    };
    Explanation {
        host,
        considered,
        decision: authorize(table, request, subject, now),
    }
}

fn considered<'a>(
    table: &'a RouteTable,
    pattern: &HostPattern,
    request: &CanonicalRequest,
) -> Vec<Considered<'a>> {
    let mut near: Vec<&Route> = table
        .routes()
        .iter()
        .filter(|route| {
            route.host == *pattern && lies_below(request.path().as_str(), route.path.as_str())
        })
        .collect();
    near.sort_by_key(|route| std::cmp::Reverse(segments(route.path.as_str()).count()));
    let longest = near
        .first()
        .map(|route| segments(route.path.as_str()).count());
    let chosen = table
        .select(request.host(), request.path().as_str(), request.method())
        .ok()
        .map(|(_, route)| route);
    near.into_iter()
        .map(|route| Considered {
            route,
            outcome: if chosen.is_some_and(|chosen| chosen.name == route.name) {
                Outcome::Decides
            } else if Some(segments(route.path.as_str()).count()) == longest {
                Outcome::OtherMethod
            } else {
                Outcome::ShorterPath
            },
        })
        .collect()
}

/// Whether a path is at or below another, in whole segments.
fn lies_below(path: &str, prefix: &str) -> bool {
    let mut rest = segments(path);
    segments(prefix).all(|segment| rest.next() == Some(segment))
}
