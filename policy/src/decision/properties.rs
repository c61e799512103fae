//! What holds for every set of routes: order means nothing, and a stricter route opens nothing.

use proptest::{prelude::*, sample::select, test_runner::TestCaseError};

use super::{
    RouteTable,
    tests::{person, request, roles, route, table, verdict},
    widened,
};
use crate::rule::{Access, Route};

const HOSTS: [&str; 4] = [
    "a.example.com",
    "b.example.com",
    "*.example.com",
    "*.a.example.com",
];
const PATHS: [&str; 6] = ["", "x", "x/y", "x/y/z", "y", "xy"];
const METHODS: [&str; 4] = ["", "GET ", "POST ", "GET POST "];
const ROLES: [&str; 3] = ["rh", "it", "visitor"];
const URLS: [&str; 9] = [
    "/", "/x", "/x/", "/x/y", "/x/y/z/w", "/y", "/xy", "/z", "/x/z",
];
const ASKED_HOSTS: [&str; 5] = [
    "a.example.com",
    "b.example.com",
    "c.example.com",
    "c.a.example.com",
    "example.com",
];

fn any_access() -> impl Strategy<Value = Access> {
    prop_oneof![
        1 => Just(Access::Public),
        3 => proptest::collection::vec(select(&ROLES[..]), 0..3).prop_map(|names| roles(&names)),
    ]
}

fn any_route() -> impl Strategy<Value = Route> {
    let place = (select(&METHODS[..]), select(&HOSTS[..]), select(&PATHS[..]));
    (place, any_access()).prop_map(|((methods, host, path), access)| {
        route("r", &format!("{methods}{host}/{path}"), access)
    })
}

/// Routes of which no two claim the same requests, each with a name of its own.
fn any_routes() -> impl Strategy<Value = Vec<Route>> {
    proptest::collection::vec(any_route(), 0..12).prop_map(|drafts| {
        let mut routes: Vec<Route> = Vec::new();
        for (place, mut draft) in drafts.into_iter().enumerate() {
            draft.name = format!("r{place}").parse().unwrap();
            routes.push(draft);
            if RouteTable::compile(routes.clone()).is_err() {
                routes.pop();
            }
        }
        routes
    })
}

/// Every decision that the routes make, in one list.
fn decisions(routes: &[Route]) -> Vec<(String, String)> {
    let table = table(routes);
    let people = [
        None,
        Some(person("acme", &[])),
        Some(person("acme", &["rh"])),
        Some(person("bolt", &["it", "visitor"])),
    ];
    let asked = ASKED_HOSTS.iter().flat_map(|host| {
        let of_url = move |url| ["GET", "HEAD", "POST", "DELETE"].map(|method| (method, host, url));
        URLS.into_iter().flat_map(of_url)
    });
    let decide = |(method, host, url): (&str, &&str, &str)| {
        let asked = request(method, host, url);
        people.each_ref().map(|somebody| {
            let who = somebody.as_ref().map_or(0, |record| record.roles.len() + 1);
            let what = format!("{who}: {method} {host}{url}");
            (what, verdict(&table, &asked, somebody.as_ref()))
        })
    };
    asked.flat_map(decide).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_routes_means_nothing(routes in any_routes(), turn in 0_usize..12) {
        let mut turned = routes.clone();
        if !turned.is_empty() {
            let middle = turn % turned.len();
            turned.rotate_left(middle);
        }
        turned.reverse();
        prop_assert_eq!(decisions(&routes), decisions(&turned));
    }

    #[test]
    fn adding_a_route_that_lets_nobody_in_opens_nothing(routes in any_routes(), shut in any_route()) {
        let mut shut = shut;
        shut.name = "shut".parse().unwrap();
        shut.access = roles(&[]);
        let mut stricter = routes.clone();
        stricter.push(shut);
        if RouteTable::compile(stricter.clone()).is_err() {
            return Ok(());
        }
        for ((asked, before), (_, after)) in decisions(&routes).into_iter().zip(decisions(&stricter)) {
            let opened = after.starts_with("permit") && before != after;
            prop_assert!(!opened, "{}: {} became {}", asked, before, after);
        }
    }

    #[test]
    fn whom_other_routes_let_in_is_told(old in any_routes(), new in any_routes()) {
        let told = widened(&table(&old), &table(&new));
        for ((asked, before), (_, after)) in decisions(&old).into_iter().zip(decisions(&new)) {
            let Some(name) = after.strip_prefix("permit ") else { continue };
            let name = name.split(' ').next().unwrap_or_default();
            let is_new = before.contains("host_unknown") || before.contains("path_unknown");
            let route = new.iter().find(|route| route.name.as_str() == name);
            let is_public = route.is_some_and(|route| route.access == Access::Public);
            if before.starts_with("permit") || (is_new && !is_public) {
                continue;
            }
            let named = told.iter().any(|one| one.route.as_str() == name);
            prop_assert!(named, "{asked}: {before} became {after}: {told:?}");
        }
        prop_assert_eq!(widened(&table(&new), &table(&new)), []);
    }

    #[test]
    fn a_permit_always_names_a_route_for_that_host_path_and_method(routes in any_routes()) {
        for (asked, decision) in decisions(&routes) {
            let Some(name) = decision.strip_prefix("permit ") else { continue };
            let name = name.split(' ').next().unwrap_or_default();
            check_route(&routes, name, &asked)?;
        }
    }
}

/// Held against the routes by another reading of them than the table's.
fn check_route(routes: &[Route], name: &str, asked: &str) -> Result<(), TestCaseError> {
    let route = routes.iter().find(|route| route.name.as_str() == name);
    let route = route.ok_or_else(|| TestCaseError::fail(format!("no route {name}")))?;
    let [_, method, url] = asked.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        return Err(TestCaseError::fail(asked.to_owned()));
    };
    let (host, path) = url.split_at(url.find('/').unwrap());
    let pattern = route.host.to_string();
    let host_fits = match pattern.strip_prefix('*') {
        Some(parent) => host
            .strip_suffix(parent)
            .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        None => host == pattern,
    };
    let prefix = route.path.as_str().trim_end_matches('/');
    let path_fits = path
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let methods: Vec<&str> = route.methods.iter().map(http::Method::as_str).collect();
    let method_fits = methods.is_empty()
        || methods.contains(&method)
        || (method == "HEAD" && methods.contains(&"GET"));
    prop_assert!(
        host_fits && path_fits && method_fits,
        "{asked} by {route:?}"
    );
    Ok(())
}
