//! What counts as wider, and what does not; and, over chance tables, that nobody slips in untold.

use super::*;
use crate::{decision::tests::parse_all, path::PathPrefix};

/// A route of `a.example.com`: path, methods, who.
type Line<'a> = (&'a str, &'a [&'a str], Access);

fn everyone() -> Access {
    only(Roles::Any, Tenants::Any)
}

fn only(roles: Roles, tenants: Tenants) -> Access {
    Access::SignedIn {
        assurance: Assurance::Password,
        allow: Allow { roles, tenants },
    }
}

fn roles(names: &[&str]) -> Access {
    only(Roles::OneOf(parse_all(names)), Tenants::Any)
}

fn tenants(names: &[&str]) -> Access {
    only(Roles::Any, Tenants::OneOf(parse_all(names)))
}

fn table_on(host: &HostPattern, lines: &[&Line<'_>]) -> RouteTable {
    let route = |(number, (path, methods, access)): (usize, &&Line<'_>)| Route {
        name: format!("r{number}").parse().unwrap(),
        host: host.clone(),
        path: PathPrefix::parse(path).unwrap(),
        methods: parse_all(methods),
        access: access.clone(),
    };
    RouteTable::compile(lines.iter().enumerate().map(route).collect()).unwrap()
}

fn exact() -> HostPattern {
    HostPattern::Exact("a.example.com".parse().unwrap())
}

/// What is told of the step from `old` to `new`, on one host.
fn told(old: &[&Line<'_>], new: &[&Line<'_>]) -> Vec<String> {
    let [old, new] = [old, new].map(|lines| table_on(&exact(), lines));
    widened(&old, &new)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_closed_path_that_is_lost_from_an_open_one_is_told() {
    let open: Line<'_> = ("/w", &[], Access::Public);
    let closed: Line<'_> = ("/w/admin/", &[], roles(&["it", "rh"]));
    assert_eq!(
        told(&[&open, &closed], &[&open]),
        [
            "a.example.com/w/admin, every method: for whoever is signed in with the role it or rh before, for everybody, signed in or not now, by route r0"
        ]
    );
    let none: [&str; 0] = [];
    assert_eq!(told(&[&open], &[&open, &closed]), none);
    assert_eq!(told(&[&closed], &[]), none, "closed for good");
    assert_eq!(
        told(&[], &[&open, &closed]).len(),
        1,
        "a new service is told of where it is public"
    );
    assert_eq!(told(&[&open], &[&open]), none, "nothing changed");
}

#[test]
fn whoever_is_let_in_besides_is_told() {
    let strong = Access::SignedIn {
        assurance: Assurance::TwoFactor,
        allow: Allow {
            roles: Roles::Any,
            tenants: Tenants::Any,
        },
    };
    let wider = [
        (roles(&["it"]), roles(&["it", "rh"])),
        (roles(&["it"]), roles(&["rh"])),
        (roles(&["it"]), everyone()),
        (roles(&[]), roles(&["it"])),
        (tenants(&["acme"]), tenants(&["acme", "bolt"])),
        (tenants(&["acme"]), everyone()),
        (tenants(&["acme"]), roles(&["it"])),
        (strong.clone(), everyone()),
        (everyone(), Access::Public),
        (roles(&[]), Access::Public),
    ];
    for (old, new) in wider {
        let (line, back) = (("/", &[][..], old), ("/", &[][..], new));
        assert_eq!(told(&[&line], &[&back]).len(), 1, "{line:?} to {back:?}");
    }
    let narrower = [
        (Access::Public, everyone()),
        (everyone(), strong),
        (everyone(), roles(&["it"])),
        (everyone(), tenants(&["acme"])),
        (roles(&["it", "rh"]), roles(&["rh"])),
        (roles(&["it"]), roles(&[])),
        (tenants(&["acme"]), tenants(&[])),
        (roles(&["it", "rh"]), roles(&["rh", "it"])),
    ];
    for (old, new) in narrower {
        let (line, next) = (("/", &[][..], old), ("/", &[][..], new));
        let told = told(&[&line], &[&next]);
        assert!(told.is_empty(), "{line:?} to {next:?}: {told:?}");
    }
}

#[test]
fn a_method_that_was_left_out_is_told_by_its_name() {
    let get: Line<'_> = ("/", &["GET"], everyone());
    let words = |text: &str| {
        format!(
            "a.example.com/, {text}: for nobody before, for whoever is signed in now, by route r0"
        )
    };
    let post: Line<'_> = ("/", &["GET", "POST"], everyone());
    assert_eq!(told(&[&get], &[&post]), [words("POST")]);
    let every: Line<'_> = ("/", &[], everyone());
    assert_eq!(
        told(&[&get], &[&every]),
        [words("every method but GET, HEAD")]
    );
    assert!(told(&[&post], &[&get]).is_empty());
    let below: Line<'_> = ("/new", &[], everyone());
    assert!(
        told(&[&("/old", &[], everyone())], &[&below]).is_empty(),
        "a new service with a list of its own"
    );
    let public: Line<'_> = ("/", &["GET"], Access::Public);
    let told = told(&[&get], &[&public]);
    assert!(told[0].contains("/, GET, HEAD: "), "{told:?}");
}

#[test]
fn a_host_that_falls_to_a_wildcard_is_told() {
    let wildcard = HostPattern::Wildcard("example.com".parse().unwrap());
    let route = |name: &str, host: &HostPattern, access| Route {
        name: name.parse().unwrap(),
        host: host.clone(),
        path: PathPrefix::parse("/").unwrap(),
        methods: Box::default(),
        access,
    };
    let all = route("all", &wildcard, Access::Public);
    let one = route("one", &exact(), roles(&["it"]));
    let old = RouteTable::compile(vec![all.clone(), one.clone()]).unwrap();
    let new = RouteTable::compile(vec![all.clone()]).unwrap();
    let found = widened(&old, &new);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].host, &found[0].route), (&exact(), &all.name));
    assert_eq!(widened(&new, &old), []);
    let shut = route("all", &wildcard, roles(&["it"]));
    let old = RouteTable::compile(vec![shut, one.clone()]).unwrap();
    let new = RouteTable::compile(vec![all, one]).unwrap();
    let found = widened(&old, &new);
    assert_eq!(
        found.len(),
        1,
        "the host of its own is as it was: {found:?}"
    );
    assert_eq!(found[0].host, wildcard);
}
