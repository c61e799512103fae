//! Who may go where: default deny, the one route that decides, roles, tenants, grants, methods.

use std::{net::Ipv4Addr, time::Duration};

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::{
    id::{AccountId, SessionId, TenantId},
    path::PathPrefix,
    request::{RequestParts, Scheme},
    rule::HostPattern,
    session::{
        Computer, SessionEpoch, SessionRecord, Stage, Standing, TenantGrant, TokenFacts, judge,
    },
};

pub(super) const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000_000);
pub(super) const HOST: &str = "visitors.example.com";

/// The request that a client makes of `host`.
pub(super) fn request(method: &str, host: &str, target: &str) -> CanonicalRequest {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_str(host).unwrap());
    CanonicalRequest::from_parts(&RequestParts {
        scheme: Scheme::Https,
        method: &method.parse().unwrap(),
        target: target.as_bytes(),
        parsed_target: None,
        authority: None,
        headers: &headers,
        server_name: None,
        client: Ipv4Addr::LOCALHOST.into(),
    })
    .unwrap()
}

/// A signed-in person of `tenant` with these roles.
pub(super) fn person(tenant: &str, roles: &[&str]) -> SessionRecord {
    SessionRecord {
        id: SessionId::from_random([1; 16]),
        account: AccountId::from_random([2; 16]),
        tenant_id: TenantId::from_random([3; 16]),
        tenant: tenant.parse().unwrap(),
        roles: parse_all(roles).into(),
        grants: Box::default(),
        epoch: SessionEpoch(1),
        stage: Stage::Full,
        computer: Computer::Private,
        started_at: NOW,
        authenticated_at: NOW,
        ends_at: NOW.after(Duration::from_hours(24)),
        idle_limit: Duration::from_hours(8),
    }
}

fn granted(
    mut record: SessionRecord,
    tenant: &str,
    roles: &[&str],
    ends_at: Timestamp,
) -> SessionRecord {
    let mut grants = record.grants.into_vec();
    grants.push(TenantGrant {
        tenant: tenant.parse().unwrap(),
        roles: parse_all(roles),
        ends_at,
    });
    record.grants = grants.into();
    record
}

/// What the record amounts to on `host` at `NOW`.
pub(super) fn subject<'a>(record: &'a SessionRecord, host: &str) -> Subject<'a> {
    let token = TokenFacts {
        host: host.parse().unwrap(),
        assurance: Assurance::Password,
        issued_at: NOW,
    };
    let standing = Standing {
        account_epoch: Some(record.epoch),
        last_used_at: NOW,
        ended: false,
    };
    judge(record, &token, standing, &token.host, NOW).unwrap()
}

pub(super) fn parse_all<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Box<[T]> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A route for `"POST GET host/path"`, without methods for all; `*.host` is a wildcard.
pub(super) fn route(name: &str, matches: &str, access: Access) -> Route {
    let mut words: Vec<&str> = matches.split(' ').collect();
    let place = words.pop().unwrap();
    let (host, path) = place.split_once('/').unwrap();
    Route {
        name: name.parse().unwrap(),
        host: match host.strip_prefix("*.") {
            Some(parent) => HostPattern::Wildcard(parent.parse().unwrap()),
            None => HostPattern::Exact(host.parse().unwrap()),
        },
        path: PathPrefix::parse(&format!("/{path}")).unwrap(),
        methods: words.iter().map(|word| word.parse().unwrap()).collect(),
        access,
    }
}

pub(super) fn roles(roles: &[&str]) -> Access {
    Access::SignedIn {
        assurance: Assurance::Password,
        allow: Allow {
            roles: Roles::OneOf(parse_all(roles)),
            tenants: Tenants::Any,
        },
    }
}

fn tenants(tenants: &[&str], roles: Roles) -> Access {
    Access::SignedIn {
        assurance: Assurance::Password,
        allow: Allow {
            roles,
            tenants: Tenants::OneOf(parse_all(tenants)),
        },
    }
}

fn everyone() -> Access {
    Access::SignedIn {
        assurance: Assurance::Password,
        allow: Allow {
            roles: Roles::Any,
            tenants: Tenants::Any,
        },
    }
}

pub(super) fn table(routes: &[Route]) -> RouteTable {
    RouteTable::compile(routes.to_vec()).unwrap()
}

/// The decision in a few words: `permit ROUTE as TENANT`, `permit ROUTE`, or the id of the reason
/// and the route it rests on.
pub(super) fn verdict(
    table: &RouteTable,
    request: &CanonicalRequest,
    record: Option<&SessionRecord>,
) -> String {
    let subject = record.map(|record| subject(record, request.host().as_str()));
    let admits = |route: &Route| match (&route.access, record) {
        (Access::SignedIn { allow, .. }, Some(record)) => allow.admits(record, NOW),
        (Access::SignedIn { .. }, None) => false,
        (Access::Public, _) => true,
    };
    match authorize(table, request, subject, NOW) {
        Decision::Permit(permit) => {
            assert!(std::ptr::eq(permit.request(), request));
            assert!(admits(permit.route()), "links and decisions agree");
            assert_eq!(table.get(permit.route_index()), Some(permit.route()));
            match permit.passage() {
                Some(passage) => format!("permit {} as {}", permit.route().name, passage.tenant),
                None => format!("permit {}", permit.route().name),
            }
        }
        Decision::Challenge(challenge) => {
            format!("{} {}", challenge.kind.as_str(), challenge.route.name)
        }
        Decision::Deny(denial) => match denial.route {
            Some(route) => {
                assert!(!admits(route), "links and decisions agree");
                format!("{} {}", denial.reason.as_str(), route.name)
            }
            None => denial.reason.as_str().to_owned(),
        },
    }
}

fn ask(table: &RouteTable, method: &str, url: &str, record: Option<&SessionRecord>) -> String {
    let (host, path) = url.split_once('/').unwrap();
    verdict(table, &request(method, host, &format!("/{path}")), record)
}

#[test]
fn what_no_route_names_nobody_reaches() {
    let nothing = RouteTable::default();
    let routes = table(&[route("app", "GET a.example.com/app", everyone())]);
    let marie = person("acme", &["it"]);
    for somebody in [None, Some(&marie)] {
        assert_eq!(
            ask(&nothing, "GET", "a.example.com/", somebody),
            "host_unknown"
        );
        assert_eq!(
            ask(&routes, "GET", "b.example.com/app", somebody),
            "host_unknown"
        );
        assert_eq!(
            ask(&routes, "GET", "example.com/app", somebody),
            "host_unknown"
        );
        assert_eq!(
            ask(&routes, "GET", "a.example.com/", somebody),
            "path_unknown"
        );
        assert_eq!(
            ask(&routes, "GET", "a.example.com/apple", somebody),
            "path_unknown"
        );
        assert_eq!(
            ask(&routes, "POST", "a.example.com/app", somebody),
            "method_not_routed"
        );
    }
}

#[test]
fn d3_visitors_register_tenants_read_reception_sees_the_building_it_does_everything() {
    let routes = table(&[
        route("admin", &format!("{HOST}/"), roles(&["it"])),
        route("manage", &format!("{HOST}/visits"), roles(&["it"])),
        route(
            "read",
            &format!("GET {HOST}/visits"),
            roles(&["tenant", "reception", "it"]),
        ),
        route(
            "register",
            &format!("POST {HOST}/visits"),
            roles(&["visitor", "tenant", "reception", "it"]),
        ),
        route(
            "building",
            &format!("GET {HOST}/building"),
            roles(&["reception", "it"]),
        ),
    ]);
    let requests = [
        ("POST", "/visits"),
        ("GET", "/visits"),
        ("HEAD", "/visits/7"),
        ("DELETE", "/visits/7"),
        ("GET", "/building"),
        ("POST", "/building"),
        ("GET", "/"),
        ("GET", "/visitsx"),
    ];
    let matrix = [
        ("visitor", "yes no no no no no no no"),
        ("tenant", "yes yes yes no no no no no"),
        ("reception", "yes yes yes no yes no no no"),
        ("it", "yes yes yes yes yes no yes yes"),
        ("nobody", "no no no no no no no no"),
    ];
    for (role, expected) in matrix {
        let somebody = person("tower", &[role]);
        let seen: Vec<&str> = requests
            .iter()
            .map(|(method, path)| {
                let verdict = ask(&routes, method, &format!("{HOST}{path}"), Some(&somebody));
                if verdict.starts_with("permit ") {
                    "yes"
                } else {
                    "no"
                }
            })
            .collect();
        assert_eq!(seen.join(" "), expected, "{role}");
    }
    for (method, path) in requests {
        let verdict = ask(&routes, method, &format!("{HOST}{path}"), None);
        assert!(!verdict.starts_with("permit"), "{method} {path}: {verdict}");
    }
}

#[test]
fn a_narrow_route_takes_away_from_a_wide_one_and_never_lends_to_it() {
    let routes = table(&[
        route("all", "a.example.com/", everyone()),
        route("reports", "GET a.example.com/reports", roles(&["rh"])),
        route("any-host", "*.example.com/", Access::Public),
    ]);
    let marie = person("acme", &[]);
    let ask = |method, url| ask(&routes, method, url, Some(&marie));
    assert_eq!(ask("GET", "a.example.com/x"), "permit all as acme");
    assert_eq!(ask("GET", "a.example.com/reports"), "role_missing reports");
    assert_eq!(ask("GET", "a.example.com/reports/"), "role_missing reports");
    assert_eq!(ask("POST", "a.example.com/reports/1"), "method_not_routed");
    assert_eq!(ask("GET", "a.example.com/reports2"), "permit all as acme");
    assert_eq!(ask("GET", "b.example.com/reports"), "permit any-host");
    assert_eq!(ask("GET", "b.b.example.com/"), "host_unknown");
    assert_eq!(ask("GET", "example.com/"), "host_unknown");
}

#[test]
fn a2_case_dot_and_port_do_not_make_another_host() {
    let routes = table(&[
        route("closed", "a.b.example.com/", roles(&["it"])),
        route("open", "*.b.example.com/", Access::Public),
    ]);
    for host in [
        "a.b.example.com",
        "A.B.Example.com",
        "a.b.example.com.",
        "a.b.example.com:443",
    ] {
        let request = request("GET", host, "/");
        assert_eq!(
            verdict(&routes, &request, None),
            "sign_in_required closed",
            "{host}"
        );
    }
}

#[test]
fn who_may_get_may_also_head_unless_head_has_a_route_of_its_own() {
    let get = [route("get", "GET a.example.com/", Access::Public)];
    assert_eq!(
        ask(&table(&get), "HEAD", "a.example.com/", None),
        "permit get"
    );
    let both = [
        route("get", "GET a.example.com/", Access::Public),
        route("head", "HEAD a.example.com/", everyone()),
    ];
    assert_eq!(
        ask(&table(&both), "HEAD", "a.example.com/", None),
        "sign_in_required head"
    );
    let post = [route("post", "POST a.example.com/", Access::Public)];
    assert_eq!(
        ask(&table(&post), "HEAD", "a.example.com/", None),
        "method_not_routed"
    );
}

#[test]
fn d7_an_empty_list_lets_nobody_in() {
    let no_role = table(&[route("a", "a.example.com/", roles(&[]))]);
    let no_tenant = table(&[route("a", "a.example.com/", tenants(&[], Roles::Any))]);
    let marie = person("acme", &["rh", "it"]);
    assert_eq!(
        ask(&no_role, "GET", "a.example.com/", Some(&marie)),
        "role_missing a"
    );
    assert_eq!(
        ask(&no_tenant, "GET", "a.example.com/", Some(&marie)),
        "tenant_not_listed a"
    );
}

#[test]
fn tenants_are_kept_apart_and_roles_count_where_they_are_held() {
    let rh = || Roles::OneOf(parse_all(&["rh"]));
    let routes = table(&[route(
        "pay",
        "a.example.com/",
        tenants(&["acme", "bolt"], rh()),
    )]);
    let ask = |record: &SessionRecord| ask(&routes, "GET", "a.example.com/", Some(record));
    assert_eq!(ask(&person("acme", &["rh"])), "permit pay as acme");
    assert_eq!(ask(&person("acme", &["it"])), "role_missing pay");
    assert_eq!(ask(&person("cora", &["rh"])), "tenant_not_listed pay");
    // A role at home is no role on the tenant that was opened.
    let later = NOW.after(Duration::from_secs(1));
    let guest = granted(person("cora", &["rh"]), "acme", &["it"], later);
    assert_eq!(ask(&guest), "tenant_not_listed pay");
    let guest = granted(guest, "bolt", &["rh"], later);
    assert_eq!(ask(&guest), "permit pay as bolt");
}

#[test]
fn a_grant_ends_at_its_end_and_counts_only_where_the_route_names_its_tenant() {
    let acme = table(&[route(
        "pay",
        "a.example.com/",
        tenants(&["acme"], Roles::Any),
    )]);
    let ask_until = |ends_at| {
        let guest = granted(person("cora", &[]), "acme", &[], ends_at);
        ask(&acme, "GET", "a.example.com/", Some(&guest))
    };
    assert_eq!(
        ask_until(NOW.after(Duration::from_millis(1))),
        "permit pay as acme"
    );
    assert_eq!(ask_until(NOW), "grant_ended pay");
    assert_eq!(
        ask_until(NOW.before(Duration::from_millis(1))),
        "grant_ended pay"
    );
    let any = table(&[route("any", "a.example.com/", roles(&["rh"]))]);
    let guest = granted(
        person("cora", &["it"]),
        "acme",
        &["rh"],
        NOW.after(Duration::MAX),
    );
    assert_eq!(
        ask(&any, "GET", "a.example.com/", Some(&guest)),
        "role_missing any"
    );
}

#[test]
fn rights_come_before_strength() {
    let strong = |access| match access {
        Access::SignedIn { allow, .. } => Access::SignedIn {
            assurance: Assurance::Passkey,
            allow,
        },
        Access::Public => Access::Public,
    };
    let routes = table(&[route("vault", "a.example.com/", strong(roles(&["it"])))]);
    let ask = |record: Option<&SessionRecord>| ask(&routes, "GET", "a.example.com/", record);
    assert_eq!(ask(None), "sign_in_required vault");
    assert_eq!(ask(Some(&person("acme", &["rh"]))), "role_missing vault");
    assert_eq!(
        ask(Some(&person("acme", &["it"]))),
        "step_up_required vault"
    );
}

#[test]
fn a_public_route_tells_nobody_who_asks() {
    let routes = table(&[route("hooks", "a.example.com/hooks", Access::Public)]);
    let marie = person("acme", &["it"]);
    assert_eq!(
        ask(&routes, "POST", "a.example.com/hooks/1", Some(&marie)),
        "permit hooks"
    );
}

#[test]
fn two_routes_for_the_same_requests_are_found() {
    let twice = |one, other| {
        RouteTable::compile(vec![
            route("one", one, Access::Public),
            route("other", other, everyone()),
        ])
        .map(|_| ())
    };
    let conflict = Err(vec![RouteConflict {
        first: 0,
        second: 1,
    }]);
    assert_eq!(twice("a.example.com/", "a.example.com/"), conflict);
    assert_eq!(twice("a.example.com/x", "a.example.com/x/"), conflict);
    assert_eq!(
        twice("GET POST a.example.com/", "PUT POST a.example.com/"),
        conflict
    );
    assert_eq!(twice("*.example.com/", "*.example.com/"), conflict);
    assert_eq!(twice("GET a.example.com/", "a.example.com/"), Ok(()));
    assert_eq!(twice("a.example.com/", "*.example.com/"), Ok(()));
    assert_eq!(twice("a.example.com/x", "a.example.com/"), Ok(()));
}

#[test]
fn an_explanation_names_every_route_on_the_way() {
    let routes = table(&[
        route("all", "a.example.com/", everyone()),
        route("get", "GET a.example.com/x/y", roles(&["rh"])),
        route("post", "POST a.example.com/x/y", everyone()),
        route("beside", "a.example.com/x/z", everyone()),
        route("elsewhere", "b.example.com/", everyone()),
    ]);
    let asked = request("GET", "a.example.com", "/x/y/1");
    let marie = person("acme", &["it"]);
    let explanation = explain(&routes, &asked, Some(subject(&marie, "a.example.com")), NOW);
    let considered: Vec<(&str, &str)> = explanation
        .considered
        .iter()
        .map(|it| (it.route.name.as_str(), it.outcome.as_str()))
        .collect();
    assert_eq!(
        considered,
        [
            ("get", "decides"),
            ("post", "other_method"),
            ("all", "shorter_path")
        ]
    );
    assert!(matches!(
        explanation.decision,
        Decision::Deny(Denial { reason: DenyReason::RoleMissing, route: Some(route), .. })
            if route.name.as_str() == "get"
    ));
    let unknown = request("GET", "c.example.com", "/");
    let explanation = explain(&routes, &unknown, None, NOW);
    assert_eq!(explanation.host, HostMatch::Unknown);
    assert_eq!(explanation.considered, []);
}

#[test]
fn the_ids_of_reasons_differ() {
    let ids: std::collections::BTreeSet<&str> = DenyReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(ids.len(), DenyReason::ALL.len());
}
