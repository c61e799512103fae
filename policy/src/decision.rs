//! May this request go to that upstream: permit, challenge or refusal, by compiled routes.
//!
//! Default deny: what no route names, nobody reaches. [`authorize`] is the only maker of a
//! [`Permit`], and nothing reaches an upstream without one.

mod explain;
mod table;
mod widening;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use explain::{Considered, Explanation, HostMatch, Outcome, explain};
pub use table::{RouteConflict, RouteIndex, RouteTable};
pub use widening::{Methods, Widening, widened};

use crate::{
    assurance::Assurance,
    id::{Role, TenantName},
    request::CanonicalRequest,
    rule::{Access, Allow, Roles, Route, Tenants},
    session::SessionRecord,
    subject::Subject,
    time::Timestamp,
};

/// What is to be done with a request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// It may go to the route's upstream.
    Permit(Permit<'a>),
    /// It may, once the person has proved who they are.
    Challenge(Challenge<'a>),
    /// It may not.
    Deny(Denial<'a>),
}

/// Evidence that this very request may go to the upstream of this very route.
///
/// Neither `Clone` nor made anywhere but in [`authorize`]; the gateway's `forward` consumes it.
#[derive(Debug)]
pub struct Permit<'a> {
    request: &'a CanonicalRequest,
    route: &'a Route,
    index: RouteIndex,
    passage: Option<Passage<'a>>,
}

/// As whom a signed-in person passes: the identity that the upstream is told.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'a> {
    /// Who.
    pub subject: Subject<'a>,
    /// For which tenant: their own, or the one that a grant opened to them.
    pub tenant: &'a TenantName,
    /// With which roles in that tenant.
    pub roles: &'a [Role],
}

/// What the person has to do first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Challenge<'a> {
    /// The proof that is wanted.
    pub kind: ChallengeKind,
    /// The route that wants it.
    pub route: &'a Route,
    /// The same by its place in the table.
    pub index: RouteIndex,
}

/// Which proof is wanted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ChallengeKind {
    /// Sign in, at least this strongly: nobody is signed in.
    SignIn(Assurance),
    /// Prove it once more, this strongly: the session is weaker than the route asks.
    StepUp(Assurance),
}

impl ChallengeKind {
    /// The stable id used in logs, metrics and `explain`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn(_) => "sign_in_required",
            Self::StepUp(_) => "step_up_required",
        }
    }
}

/// A refusal and the rule that it rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Denial<'a> {
    /// Why.
    pub reason: DenyReason,
    /// The route that refuses; none where the refusal is that there is no route.
    pub route: Option<&'a Route>,
    /// The same by its place in the table.
    pub index: Option<RouteIndex>,
}

/// Why a request may not pass, whoever asks and however often.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DenyReason {
    /// The only right on the route's tenants was a grant that has ended.
    GrantEnded,
    /// No route names the host.
    HostUnknown,
    /// Routes name the host and path, but none for this method.
    MethodNotRouted,
    /// Routes name the host, but none its path.
    PathUnknown,
    /// The person holds none of the roles that the route asks for.
    RoleMissing,
    /// The person belongs to none of the tenants that the route is for.
    TenantNotListed,
}

impl DenyReason {
    /// Every reason, for tables and metrics.
    pub const ALL: [Self; 6] = [
        Self::GrantEnded,
        Self::HostUnknown,
        Self::MethodNotRouted,
        Self::PathUnknown,
        Self::RoleMissing,
        Self::TenantNotListed,
    ];

    /// The stable id used in logs, metrics and `explain`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GrantEnded => "grant_ended",
            Self::HostUnknown => "host_unknown",
            Self::MethodNotRouted => "method_not_routed",
            Self::PathUnknown => "path_unknown",
            Self::RoleMissing => "role_missing",
            Self::TenantNotListed => "tenant_not_listed",
        }
    }
}

/// Decides on a request: the route that is for it, what that route asks, whether this subject has
/// it at `now`.
///
/// The lifetime ties the permit to the request, the table and the session that it was given for.
pub fn authorize<'a>(
    table: &'a RouteTable,
    request: &'a CanonicalRequest,
    subject: Option<Subject<'a>>,
    now: Timestamp,
) -> Decision<'a> {
    let (index, route) =
        match table.select(request.host(), request.path().as_str(), request.method()) {
            Ok(found) => found,
            Err(reason) => {
                return Decision::Deny(Denial {
                    reason,
                    route: None,
                    index: None,
                });
            }
        };
    match admit(route, subject, now) {
        Ok(passage) => Decision::Permit(Permit {
            request,
            route,
            index,
            passage,
        }),
        Err(Obstacle::Proof(kind)) => Decision::Challenge(Challenge { kind, route, index }),
        Err(Obstacle::Right(reason)) => Decision::Deny(Denial {
            reason,
            route: Some(route),
            index: Some(index),
        }),
    }
}

impl<'a> Permit<'a> {
    /// The request that may pass; its target is what is forwarded.
    pub const fn request(&self) -> &'a CanonicalRequest {
        self.request
    }

    /// The route that lets it pass.
    pub const fn route(&self) -> &'a Route {
        self.route
    }

    /// The same by its place in the table, where configuration keeps upstreams and timeouts.
    pub const fn route_index(&self) -> RouteIndex {
        self.index
    }

    /// As whom it passes; none on a public route, whose upstream is told nothing of the person.
    pub const fn passage(&self) -> Option<&Passage<'a>> {
        self.passage.as_ref()
    }
}

/// What stands between a subject and a route.
enum Obstacle {
    Proof(ChallengeKind),
    Right(DenyReason),
}

/// What the route asks, held against who asks.
fn admit<'a>(
    route: &'a Route,
    subject: Option<Subject<'a>>,
    now: Timestamp,
) -> Result<Option<Passage<'a>>, Obstacle> {
    let (assurance, allow) = match &route.access {
        Access::Public => return Ok(None),
        Access::SignedIn { assurance, allow } => (*assurance, allow),
    };
    let Some(subject) = subject else {
        return Err(Obstacle::Proof(ChallengeKind::SignIn(assurance)));
    };
    // Rights come before strength: nobody is asked for a second factor only to be refused then.
    let passage = pass(allow, subject, now).map_err(Obstacle::Right)?;
    if subject.assurance() < assurance {
        return Err(Obstacle::Proof(ChallengeKind::StepUp(assurance)));
    }
    Ok(Some(passage))
}

/// For which tenant and with which roles the subject passes.
fn pass<'a>(
    allow: &'a Allow,
    subject: Subject<'a>,
    now: Timestamp,
) -> Result<Passage<'a>, DenyReason> {
    let (tenant, roles) = standing(allow, subject.record(), now)?;
    Ok(Passage {
        subject,
        tenant,
        roles,
    })
}

/// The tenant and roles that let a session in.
///
/// The home tenant goes first. A grant counts only on routes that name its tenant: where a route is
/// open to every tenant people enter as who they are at home, so that a grant never changes under
/// which tenant somebody is known without the route having asked for it.
fn standing<'a>(
    allow: &Allow,
    record: &'a SessionRecord,
    now: Timestamp,
) -> Result<(&'a TenantName, &'a [Role]), DenyReason> {
    let at_home = (&record.tenant, &*record.roles);
    let tenants = match &allow.tenants {
        Tenants::Any if allow.roles.admit(at_home.1) => return Ok(at_home),
        Tenants::Any => return Err(DenyReason::RoleMissing),
        Tenants::OneOf(tenants) => tenants,
    };
    let mut nearest_miss = DenyReason::TenantNotListed;
    if tenants.contains(at_home.0) {
        if allow.roles.admit(at_home.1) {
            return Ok(at_home);
        }
        nearest_miss = DenyReason::RoleMissing;
    }
    for grant in &record.grants {
        if !tenants.contains(&grant.tenant) || !allow.roles.admit(&grant.roles) {
            continue;
        }
        if now < grant.ends_at {
            return Ok((&grant.tenant, &grant.roles));
        }
        nearest_miss = DenyReason::GrantEnded;
    }
    Err(nearest_miss)
}

impl Allow {
    /// Whether a route with this list would let the session in at `now`, given a proof that is
    /// strong enough. For lists of links: it opens nothing.
    pub fn admits(&self, record: &SessionRecord, now: Timestamp) -> bool {
        standing(self, record, now).is_ok()
    }
}

impl Roles {
    /// Whether somebody who holds `held` is let in. An empty list lets nobody in.
    fn admit(&self, held: &[Role]) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(wanted) => wanted.iter().any(|role| held.contains(role)),
        }
    }
}
