//! Broken files get all their problems told, in order, with place, fact and remedy; sound ones are
//! read as they are written.

mod changes;
mod rights;

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use octroi_policy::rule::{Access, Roles, Tenants};

use super::{Loaded, load, parse};
use crate::{
    problem::{Problems, Severity},
    settings::{Hsts, Reach, Storage, Upstream, Workers},
};

const SERVER: &str = r#"
[server]
https = "0.0.0.0:443"
portal = "login.example.com"
data = "/var/lib/octroi"
keyring = "/etc/octroi/keyring"
"#;
const CERTIFICATE: &str = r#"
[[certificate]]
names = ["*.example.com"]
chain = "/tls/chain.pem"
key_file = "/tls/key.pem"
"#;

fn read(text: &str) -> Result<Loaded, Problems> {
    parse(text, Path::new("/etc/octroi/octroi.toml"))
}

/// Each error as `line:column what; remedy`.
fn errors(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => Vec::new(),
        Err(Problems(problems)) => problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(|problem| {
                let line = problem.to_string().replace("error: ", "");
                line.replace("/etc/octroi/octroi.toml:", "")
            })
            .collect(),
    }
}

/// The errors of a sound file with this route, its lines counted from 1.
fn route_errors(route: &str) -> Vec<String> {
    let before = format!("{SERVER}{CERTIFICATE}");
    let text = format!("{before}\n[[route]]\n{route}");
    let offset = before.lines().count() + 2;
    errors(&text)
        .into_iter()
        .map(|error| {
            let (line, rest) = error.split_once(':').unwrap();
            let line = line.parse::<usize>().unwrap().saturating_sub(offset);
            format!("{line}:{rest}")
        })
        .collect()
}

/// The one error of a route that is sound but for this line.
fn route_error(line: &str) -> String {
    let key = line.split([' ', '=']).next().unwrap();
    let sound = [
        "host = \"a.example.com\"",
        "to = \"http://10.0.0.1:80\"",
        "allow = \"everyone\"",
    ];
    let rest: Vec<&str> = sound
        .into_iter()
        .filter(|other| other.split(' ').next() != Some(key))
        .collect();
    let errors = route_errors(&format!("{line}\n{}\n", rest.join("\n")));
    assert_eq!(errors.len(), 1, "{line}: {errors:#?}");
    errors.concat()
}

#[test]
fn every_problem_of_a_file_is_told_at_once_in_its_order() {
    let text = r#"
[server]
https = "0.0.0.0"
portal = "login_example.com"
data = "/var/lib/octroi"
keyring = "/var/lib/octroi/keyring"
worker = 4

[sesions]
absolute = "24h"

[journal]
keep_months = 24

[[route]]
hots = "a.example.com"
to = "http://8.8.8.8"
"#;
    assert_eq!(
        errors(text),
        [
            "3:9: `server.https` is \"0.0.0.0\": the port is missing; write an address and port such as \"0.0.0.0:443\", or a list of them",
            "4:10: `server.portal` is \"login_example.com\": not a host name: letters, digits, '-' and '.' are wanted, labels of 1 to 63 characters; write a host name such as \"login.example.com\"",
            "6:11: `server.keyring` lies within `server.data`: whoever copies the data gets the keys to it; move the file elsewhere, such as \"/etc/octroi/keyring\"",
            "7:1: `server.worker` is not a key; did you mean `workers`?",
            "9:2: `sesions` is not a section; did you mean `sessions`?",
            "13:15: `journal.keep_months` is 24, and nothing says why; say why in `keep_reason`, or keep the journal for 12 months at most",
            "15:1: `route.host` is missing; add `host` to `[[route]]`: a host name such as \"paie.example.com\" or \"*.example.com\"",
            "15:1: `route.allow` is missing, so it is not known who may pass; add `allow = { roles = [\"…\"] }`, or `allow = \"everyone\"` for everyone who is signed in",
            "16:1: `route.hots` is not a key; did you mean `host`?",
            "17:6: 8.8.8.8 can be reached from the Internet, and so around the gateway; use a private address, or say `expose_ok = true` if the service defends itself",
        ]
    );
}

#[test]
fn an_empty_file_lacks_what_has_no_default() {
    let missing: Vec<String> = errors("")
        .iter()
        .map(|error| error.split(';').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        missing,
        [
            "1:1: `server.https` is missing",
            "1:1: `server.portal` is missing",
            "1:1: `server.data` is missing",
            "1:1: `server.keyring` is missing",
        ]
    );
}

#[test]
fn text_that_is_not_toml_is_told_by_place() {
    let found = errors("[server\nhttps = \n[[route]\n");
    let places: Vec<&str> = found
        .iter()
        .map(|error| error.split_once(" this is not TOML: ").unwrap().0)
        .collect();
    assert_eq!(places, ["1:8:", "3:9:"]);
}

#[test]
fn the_admin_socket_is_found_whatever_else_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("octroi.toml");
    let socket = |text: &str, environment: &[(&str, &str)]| {
        fs::write(&file, text).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        super::admin_socket(&file, &environment.collect())
    };
    let usual = Some(PathBuf::from("/var/lib/octroi/admin/admin.sock"));
    for wrong in ["[[route]]\nhost = 7", "[[route]\nhost =", "[nonsense]", "“"] {
        assert_eq!(socket(&format!("{SERVER}{wrong}"), &[]), usual, "{wrong}");
    }
    let named = SERVER.replace("data =", "admin_socket = \"/run/a.sock\"\nportall =");
    assert_eq!(socket(&named, &[]), Some("/run/a.sock".into()));
    let elsewhere = [("OCTROI__SERVER__ADMIN_SOCKET", "/run/b.sock")];
    assert_eq!(socket(&named, &elsewhere), Some("/run/b.sock".into()));
    assert_eq!(socket("[server]\nportal = 7", &[]), None);
    assert_eq!(
        super::admin_socket(&directory.path().join("none"), &Vec::new()),
        None
    );
}

#[test]
fn columns_count_characters() {
    let found = errors("brand = { name = \"é\", logoo = 1 }");
    let expected = "1:23: `brand.logoo` is not a key; did you mean `logo`?";
    assert!(found.contains(&expected.to_owned()), "{found:#?}");
}

#[test]
fn a_sound_file_is_read_as_it_is_written() {
    let text = format!(
        "{SERVER}{CERTIFICATE}\n[[route]]\nhost = \"a.example.com\"\npath = \"/x/\"\nto = [\"http://10.0.0.1\", \"http://db.internal:81\"]\nallow = {{ roles = [\"rh\"] }}\n"
    );
    let settings = read(&text).unwrap().settings;
    assert_eq!(settings.server.https, ["0.0.0.0:443".parse().unwrap()]);
    assert_eq!(settings.server.management.address.port(), 9443);
    assert_eq!(settings.server.workers, Workers::PerCore);
    assert_eq!(
        settings.server.hsts,
        Hsts::MaxAge(Duration::from_hours(365 * 24))
    );
    assert_eq!(
        settings.server.admin_socket,
        Path::new("/var/lib/octroi/admin/admin.sock")
    );
    assert_eq!(settings.sessions.absolute, Duration::from_hours(24));
    assert_eq!(settings.sessions.idle_public, Duration::from_mins(15));
    assert_eq!(settings.hashing.memory_kib, 19_456);
    assert_eq!(settings.storage, Storage::Embedded);
    let (route, way) = settings.routes.iter().next().unwrap();
    assert_eq!(route.name.as_str(), "a.example.com.x");
    assert_eq!(route.path.as_str(), "/x");
    assert_eq!(&*way.audience, "a.example.com/x");
    let to: Vec<String> = way.to.iter().map(Upstream::to_string).collect();
    assert_eq!(to, ["10.0.0.1:80", "db.internal:81"]);
    let Access::SignedIn { allow, .. } = &route.access else {
        panic!("{route:?}");
    };
    assert_eq!(allow.roles, Roles::OneOf(["rh".parse().unwrap()].into()));
    assert_eq!(allow.tenants, Tenants::Any);
}

#[test]
fn invariant_11_what_is_not_enforced_yet_is_refused_and_never_ignored() {
    for (line, value) in [
        (
            "sign_in = \"two_factor\"",
            "`route.sign_in = \"two_factor\"`",
        ),
        ("sign_in = \"passkey\"", "`route.sign_in = \"passkey\"`"),
        ("two_factor = true", "`route.two_factor`"),
        ("second_factor = true", "`route.second_factor`"),
        ("passkey = \"required\"", "`route.passkey`"),
        ("fresh = \"12h\"", "`route.fresh`"),
        (
            "limit = { per_account = \"600/min\", burst = 100 }",
            "`route.limit`",
        ),
    ] {
        let error = route_error(line);
        let expected = format!("{value} is not available in this version");
        assert!(error.contains(&expected), "{error}");
    }
    for (text, value) in [
        (
            "[storage]\ndatabase = \"postgres://db/octroi\"",
            "`storage.database = \"postgres://db/octroi\"`",
        ),
        (
            "[storage]\nsessions = \"redis://cache\"",
            "`storage.sessions = \"redis://cache\"`",
        ),
        ("[password]\nage_max = 90", "`password.age_max`"),
        ("[acme]\ncontact = \"mailto:a@b\"", "`acme`"),
        ("[admin]\nlisten = \"127.0.0.1:1\"", "`admin`"),
        ("[console]", "`console`"),
        ("[second_factor]\nrequired = true", "`second_factor`"),
        ("[two_factor]", "`two_factor`"),
        ("[limits]\naccount = \"600/min\"", "`limits.account`"),
        (
            "[[certificate]]\nacme = { contact = \"mailto:a@b\" }",
            "`certificate.acme`",
        ),
    ] {
        let found = errors(&format!("{SERVER}{CERTIFICATE}{text}")).join("\n");
        let expected = format!("{value} is not available in this version");
        assert!(found.contains(&expected), "{found}");
    }
}

#[test]
fn routes_that_contradict_each_other_are_named_with_both_places() {
    let one = "host = \"a.example.com\"\nto = \"http://10.0.0.1\"\nallow = \"everyone\"\n";
    assert_eq!(
        route_errors(&format!("{one}path = \"/x\"\n[[route]]\n{one}path = \"/x/\"\n")),
        ["5:1: this route is for the same host, path and methods as an earlier one (see 11:1); make one route of the two, or give them different `methods`".replace("11:1", &format!("{}:1", SERVER.lines().count() + CERTIFICATE.lines().count() + 2))]
    );
    let found = route_errors(&format!(
        "{one}name = \"app\"\n[[route]]\n{one}name = \"app\"\npath = \"/y\"\n"
    ));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].contains("two routes are called \"app\" (see "),
        "{found:#?}"
    );
}

#[test]
fn a_route_that_could_never_decide_is_refused() {
    let portal = route_error("host = \"login.example.com\"");
    assert!(
        portal.starts_with("1:8: `route.host` is the portal"),
        "{portal}"
    );
    let reserved = route_error("path = \"/.octroi/x\"");
    assert!(
        reserved.contains("which the gateway answers itself on every host"),
        "{reserved}"
    );
    for path in [
        "x",
        "/a//b",
        "/a/../b",
        "/a/%2e%2e",
        "/a%2fb",
        "/a;b",
        "/a?b",
        "/a#b",
        "/a\\\\b",
    ] {
        let error = route_error(&format!("path = \"{path}\""));
        assert!(error.contains("`route.path`"), "{path}: {error}");
    }
    for methods in [
        "[]",
        "[\"get\"]",
        "[\"TRACE\"]",
        "[\"GET\", \"GET\"]",
        "\"GET\"",
    ] {
        let error = route_error(&format!("methods = {methods}"));
        assert!(error.contains("`route.methods`"), "{methods}: {error}");
    }
}

#[test]
fn d7_an_empty_or_mistyped_list_of_roles_is_reported() {
    for allow in [
        "{ roles = [] }",
        "{ tenants = [] }",
        "{ roles = [\"RH\"] }",
        "{ roles = [\"\"] }",
        "{ roles = [\"rh,it\"] }",
        "{ roles = \"rh\" }",
        "{ roles = [1] }",
        "{ roles = [\"rh\", \"rh\"] }",
        "{}",
        "{ role = [\"rh\"] }",
        "\"everybody\"",
        "true",
        "[\"rh\"]",
    ] {
        let errors = route_errors(&format!(
            "host = \"a.example.com\"\nto = \"http://10.0.0.1\"\nallow = {allow}\n"
        ));
        assert!(!errors.is_empty(), "{allow}");
        assert!(
            errors.iter().all(|error| error.contains("`route.allow")),
            "{allow}: {errors:#?}"
        );
    }
}

#[test]
fn a_public_route_promises_nothing_about_people() {
    for line in [
        "allow = \"everyone\"",
        "background = true",
        "identity = { login = \"Remote-User\" }",
        "websocket_origins = [\"https://b.example\"]",
    ] {
        let errors = route_errors(&format!(
            "host = \"a.example.com\"\nto = \"http://10.0.0.1\"\nsign_in = \"public\"\n{line}\n"
        ));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].contains("on this route nobody is"), "{errors:#?}");
    }
}

#[test]
fn upstream_addresses_are_private_plain_and_not_our_own() {
    for (to, why) in [
        ("http://8.8.8.8", "can be reached from the Internet"),
        (
            "http://[2001:db8::1]:80",
            "can be reached from the Internet",
        ),
        (
            "http://[::ffff:8.8.8.8]",
            "can be reached from the Internet",
        ),
        ("http://169.254.169.254", "no service may stand at"),
        ("http://0.0.0.0", "no service may stand at"),
        ("http://[::]", "no service may stand at"),
        ("http://127.0.0.1:443", "is the gateway itself"),
        ("http://localhost:9443", "is the gateway itself"),
        (
            "unix:///var/lib/octroi/admin/admin.sock",
            "is the gateway itself",
        ),
        ("http://10.0.0.1/app", "`route.to` is"),
        ("http://me@10.0.0.1", "`route.to` is"),
        ("http://10.0.0.1:0", "`route.to` is"),
        ("http://10.0.0.1:65536", "`route.to` is"),
        ("http://127.1", "`route.to` is"),
        ("http://0x7f000001", "`route.to` is"),
        ("http://2130706433", "`route.to` is"),
        ("ftp://10.0.0.1", "`route.to` is"),
        ("10.0.0.1:80", "`route.to` is"),
        ("unix://run/app.sock", "`route.to` is"),
        ("", "`route.to` is"),
    ] {
        let error = route_error(&format!("to = \"{to}\""));
        assert!(error.contains(why), "{to}: {error}");
    }
    for to in [
        "http://10.0.0.1",
        "http://192.168.0.1:8080",
        "http://172.16.0.1",
        "http://100.64.0.1",
        "http://127.0.0.1:81",
        "http://[::1]:81",
        "http://[fd00::1]",
        "http://app.internal",
        "unix:///run/app.sock",
    ] {
        let errors = route_errors(&format!(
            "host = \"a.example.com\"\nallow = \"everyone\"\nto = \"{to}\"\n"
        ));
        assert_eq!(errors, [""; 0], "{to}");
    }
}

#[test]
fn an_https_upstream_has_a_name_to_verify() {
    let error = route_error("to = \"https://10.0.0.1\"");
    assert!(
        error.contains("which name the service's certificate has to bear"),
        "{error}"
    );
    let error = route_error("to = [\"https://a.internal\", \"https://b.internal\"]");
    assert!(
        error.contains("which name the service's certificate has to bear"),
        "{error}"
    );
    let error = route_error("to = [\"https://a.internal\", \"http://a.internal\"]");
    assert!(
        error.contains("mixes addresses with and without TLS"),
        "{error}"
    );
    let error = route_error("upstream_tls = { name = \"a.internal\" }");
    assert!(error.contains("are without TLS"), "{error}");
    let sound = route_errors(
        "host = \"a.example.com\"\nallow = \"everyone\"\nto = \"https://10.0.0.1\"\nupstream_tls = { name = \"a.internal\" }\n",
    );
    assert_eq!(sound, [""; 0]);
}

#[test]
fn identity_goes_into_fields_that_are_free_for_it() {
    for field in [
        "Host",
        "Cookie",
        "X-Forwarded-For",
        "Remote-Groups",
        "X_User",
        "X-Real-Ip",
        "é",
    ] {
        let error = route_error(&format!("identity = {{ login = \"{field}\" }}"));
        assert!(error.contains("`route.identity.login`"), "{field}: {error}");
    }
    let error = route_error("identity = { login = \"X-User\", name = \"x-user\" }");
    assert!(error.contains("gives one field to two facts"), "{error}");
}

#[test]
fn a_host_of_a_tenant_is_one_that_is_served() {
    let route =
        "[[route]]\nhost = \"*.example.com\"\nto = \"http://10.0.0.1\"\nallow = \"everyone\"\n";
    let with = |host: &str| {
        errors(&format!(
            "{SERVER}{CERTIFICATE}{route}[tenants]\nby_host = {{ \"{host}\" = \"acme\" }}\n"
        ))
    };
    assert_eq!(with("a.example.com"), [""; 0]);
    assert_eq!(with("login.example.com"), [""; 0]);
    let found = with("a.exmaple.com");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].contains("names a.exmaple.com, which no route is for"),
        "{found:#?}"
    );
}

#[test]
fn two_listeners_do_not_stand_at_one_address() {
    let with = |lines: &str| errors(&format!("{SERVER}{lines}{CERTIFICATE}"));
    let found = with("http = \"0.0.0.0:443\"\n");
    assert_eq!(
        found,
        [
            "7:8: `server.http` and `server.https` are both 0.0.0.0:443 (see 3:9); give one of them another port"
        ]
    );
    assert_eq!(
        with("http = \"127.0.0.1:0\"\nmanagement = \"127.0.0.1:0\"\n"),
        [""; 0]
    );
}

#[test]
fn every_host_that_is_served_has_a_certificate() {
    let found = errors(&format!(
        "{SERVER}[[certificate]]\nnames = [\"a.example.com\", \"A.example.com\"]\nchain = \"c\"\nkey_file = \"k\"\n[[route]]\nhost = \"*.example.com\"\nto = \"http://10.0.0.1\"\nallow = \"everyone\"\n"
    ));
    assert_eq!(
        found,
        [
            "4:10: no certificate is for login.example.com; add \"login.example.com\" to the `names` of a `[[certificate]]` that is for it",
            "8:27: a.example.com has a certificate already (see 8:10); leave the name to one of them",
            "11:1: no certificate is for *.example.com; add \"*.example.com\" to the `names` of a `[[certificate]]` that is for it",
        ]
    );
}

/// Section, key, values at the ends of what it takes, values just beyond.
const BOUNDS: &[(&str, &str, &str, &str)] = &[
    ("sessions", "absolute", "'5m' '24h'", "'4m' '1441m' 24"),
    ("sessions", "idle_private", "'24h' '1m'", "'59s' '2d'"),
    ("sessions", "idle_public", "'1h' '1m'", "'59s' '61m'"),
    ("hashing", "memory_kib", "19456 1048576", "19455 1048577"),
    ("hashing", "passes", "2 16", "1 17"),
    ("hashing", "threads", "1 64", "0 65"),
    ("hashing", "queue", "1 10000", "0 10001"),
    ("journal", "keep_months", "1 12", "0 13"),
    ("limits", "unauthenticated_burst", "1 100000", "0 100001"),
    ("limits", "unauthenticated", "'1/h'", "'0/h' '1/day'"),
    ("limits", "public_burst", "1 100000", "0 100001"),
    ("limits", "public", "'1/h'", "'0/h' '1/day'"),
    (
        "connections",
        "handshake_deadline",
        "'1s' '60s'",
        "'999ms' '61s'",
    ),
    ("connections", "header_fields_max", "16 1000", "15 1001"),
    ("connections", "drain_deadline", "'0s' '1h'", "'61m'"),
    (
        "contact",
        "privacy",
        "'https://a/b' 'mailto:a@b' 'tel:+32'",
        "'http://a' 'javascript:alert(1)' 'https://a<b' 'https://'",
    ),
    ("brand", "name", "'A'", "'' '\\u0007'"),
    ("brand", "accent", "'#1f4fa3'", "'blue'"),
];

#[test]
fn bounds_hold_at_their_ends_and_not_beyond() {
    for (section, key, sound, refused) in BOUNDS {
        for (values, is_sound) in [(sound, true), (refused, false)] {
            for value in values.split(' ') {
                let value = value.replace('\'', "\"");
                let text = format!("{SERVER}{CERTIFICATE}[{section}]\n{key} = {value}\n");
                let found = errors(&text);
                assert_eq!(
                    found.is_empty(),
                    is_sound,
                    "{section}.{key} = {value}: {found:#?}"
                );
            }
        }
    }
}

#[test]
fn the_environment_takes_the_place_of_the_file_and_is_named_in_problems() {
    let directory = Sandbox::new();
    let file = directory.write("octroi.toml", SOUND_FILE, 0o644);
    let with = |variables: &[(&str, &str)]| {
        let environment = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        load(&file, &environment)
    };
    let settings = with(&[
        ("OCTROI__SERVER__HTTPS", "[::1]:8443"),
        ("OCTROI__SERVER__WORKERS", "3"),
        ("OCTROI__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
        ("OCTROI__SESSIONS__ABSOLUTE", "1h"),
        ("OCTROI_CONFIG", "elsewhere"),
        ("HOME", "/"),
    ])
    .unwrap()
    .settings;
    assert_eq!(settings.server.https, ["[::1]:8443".parse().unwrap()]);
    assert_eq!(
        settings.server.workers,
        Workers::Exactly(3.try_into().unwrap())
    );
    assert_eq!(settings.server.trusted_proxies.len(), 1);
    assert_eq!(settings.sessions.absolute, Duration::from_hours(1));
    assert_eq!(settings.sessions.idle_private, Duration::from_hours(1));

    let problems = with(&[
        ("OCTROI__SERVER__PORTLA", "x"),
        ("OCTROI__SERVER__WORKERS", "many"),
        ("OCTROI__ROUTE__HOST", "x"),
        ("OCTROI__SERVER", "x"),
    ])
    .unwrap_err();
    let errors: Vec<String> = problems
        .0
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        errors,
        [
            "environment variable OCTROI__ROUTE__HOST: error: `[[route]]` cannot be set by the environment: there may be several; write it in the file",
            "environment variable OCTROI__SERVER: error: the name of the variable does not tell section and key; write OCTROI__SECTION__KEY, as in OCTROI__SERVER__PORTAL",
            "environment variable OCTROI__SERVER__PORTLA: error: `server.portla` is not a key; did you mean `portal`?",
            "environment variable OCTROI__SERVER__WORKERS: error: `server.workers` cannot be text; write a number of threads such as 4",
        ]
    );
}

#[test]
fn secrets_that_others_can_use_are_refused() {
    let directory = Sandbox::new();
    let file = directory.write("octroi.toml", SOUND_FILE, 0o644);
    let set = |name: &str, mode: u32| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(directory.path(name), permissions).unwrap();
    };
    let count =
        || load(&file, &Vec::new()).map_or_else(|problems| errors_of(&problems), |_| Vec::new());
    assert_eq!(count(), [""; 0]);
    for (name, sound, refused) in [
        (
            "key.pem",
            vec![0o600, 0o640, 0o400],
            vec![0o604, 0o660, 0o644, 0o602],
        ),
        ("keyring", vec![0o600, 0o400], vec![0o640, 0o604, 0o620]),
    ] {
        for mode in sound {
            set(name, mode);
            assert_eq!(count(), [""; 0], "{name} {mode:o}");
        }
        for mode in refused {
            set(name, mode);
            let found = count();
            assert_eq!(found.len(), 1, "{name} {mode:o}: {found:#?}");
            assert!(
                found[0].contains("is a secret that others can use"),
                "{found:#?}"
            );
            assert!(found[0].contains("run chmod 600 "), "{found:#?}");
        }
        set(name, 0o600);
    }
    fs::remove_file(directory.path("key.pem")).unwrap();
    fs::remove_file(directory.path("chain.pem")).unwrap();
    let found = count();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found.iter().all(|error| error.contains("cannot be read")),
        "{found:#?}"
    );
}

#[test]
fn a_keyring_that_a_link_leads_into_the_data_directory_is_found() {
    let directory = Sandbox::new();
    fs::create_dir(directory.path("data")).unwrap();
    directory.write("data/real", "keys", 0o600);
    fs::remove_file(directory.path("keyring")).unwrap();
    std::os::unix::fs::symlink(directory.path("data/real"), directory.path("keyring")).unwrap();
    let file = directory.write("octroi.toml", SOUND_FILE, 0o644);
    let found = errors_of(&load(&file, &Vec::new()).unwrap_err());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("lies within `server.data`"), "{found:#?}");
    let demo = SOUND_FILE.replace("[server]", "[server]\ndemo = true");
    fs::write(&file, demo).unwrap();
    assert!(load(&file, &Vec::new()).is_ok());
}

#[test]
fn a_logo_is_a_small_harmless_drawing() {
    let directory = Sandbox::new();
    let text = format!("{SOUND_FILE}[brand]\nlogo = \"logo\"\n");
    let file = directory.write("octroi.toml", &text, 0o644);
    let with = |content: &[u8]| {
        fs::write(directory.path("logo"), content).unwrap();
        load(&file, &Vec::new()).map(|loaded| loaded.settings.brand.logo.unwrap())
    };
    let drawing = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><use href=\"#a\"/><path fill=\"url(#b)\"/></svg>";
    assert_eq!(&*with(drawing).unwrap().bytes, drawing);
    assert!(with(b"\x89PNG\r\n\x1a\nrest").is_ok());
    let mut largest = drawing.to_vec();
    largest.resize(12 * 1024, b' ');
    assert!(with(&largest).is_ok());
    largest.push(b' ');
    let inside: [&[u8]; 9] = [
        b"<script>alert(1)</script>",
        b"<STYLE>a{}</STYLE>",
        b"<foreignObject/>",
        b"<g onload=\"alert(1)\"/>",
        b"<a href=\"javascript:alert(1)\"/>",
        b"<use xlink:href='//evil.example/a#b'/>",
        b"<use href = \"https://evil.example\"/>",
        b"<path fill=\"url(http://evil.example)\"/>",
        b"<!DOCTYPE svg [<!ENTITY a \"b\">]>",
    ];
    for content in inside {
        let content = [b"<svg>", content, b"</svg>"].concat();
        assert!(
            with(&content).is_err(),
            "{:?}",
            String::from_utf8_lossy(&content)
        );
    }
    for content in [&largest[..], b"GIF89a", b"", b"\xff\xfe"] {
        assert!(with(content).is_err());
    }
}

#[test]
fn errors_stand_before_warnings() {
    let problems = read(&format!(
        "{SERVER}{CERTIFICATE}[[route]]\nhost = \"a.example.com\"\nto = \"http://10.0.0.1\"\nallow = \"everybody\"\n"
    ))
    .unwrap_err();
    let severities: Vec<Severity> = problems.0.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning]);
}

#[test]
fn what_is_quoted_of_a_host_stands_in_the_file() {
    let problems = read(&format!(
        "{SERVER}{CERTIFICATE}[[route]]\nhost = \"*.*.example.com\"\nto = \"http://10.0.0.1\"\nallow = \"everyone\"\n"
    ))
    .unwrap_err();
    let told = errors_of(&problems).join("\n");
    assert!(
        told.contains("`route.host` is \"*.*.example.com\": not a host name"),
        "{told}"
    );
}

#[test]
fn a_missing_file_is_one_problem_with_a_remedy() {
    let problems = load(Path::new("/nonexistent/octroi.toml"), &Vec::new()).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "/nonexistent/octroi.toml:1:1: error: /nonexistent/octroi.toml cannot be read: No such file or directory (os error 2); name the right file with -c, or write one with `octroi init`"
    );
}

#[test]
fn a_letter_of_another_encoding_is_told_by_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("octroi.toml");
    fs::write(&file, b"# r\xc3\xa9gion\n# soci\xe9t\xe9\n").unwrap();
    let problems = load(&file, &Vec::new()).unwrap_err().to_string();
    assert!(
        problems.ends_with(
            "octroi.toml:2:7: error: this letter is not written in UTF-8; save the file as UTF-8"
        ),
        "{problems}"
    );
}

#[test]
fn what_people_often_write_is_answered_with_what_is_wanted() {
    let told = |more: &str| {
        let route = "[[route]]\nhost = \"a.example.com\"\nallow = \"everyone\"\n";
        errors(&format!("{SERVER}{CERTIFICATE}{route}{more}\n")).join("\n")
    };
    for (more, wanted) in [
        (
            "to = “http://10.0.0.1”",
            "; write straight quotes: \"like these\"",
        ),
        (
            "to = \"http://10.0.0.1:80/\"",
            "`route.to` is \"http://10.0.0.1:80/\": scheme, host and port alone are told here, and the path is that of each request; write an address",
        ),
        (
            "to = \"http://10.0.0.1:70000\"",
            "`route.to` is \"http://10.0.0.1:70000\": a port is 1 to 65535; write an address",
        ),
        (
            "to = \"http://10.0.0.1\"\nmethods = [\"get\"]",
            "`route.methods` holds \"get\", and capitals are wanted; write a list of methods",
        ),
        (
            "to = \"http://10.0.0.1\"\npath = \"admin\"",
            "`route.path` is \"admin\", which does not begin with \"/\"; write a path",
        ),
    ] {
        let told = told(more);
        assert!(told.contains(wanted), "{more}: {told}");
    }
}

#[test]
fn links_that_pages_will_lack_are_warnings() {
    let loaded = read(&format!(
        "{SERVER}{CERTIFICATE}[contact]\nprivacy = \"https://a/b\"\n"
    ))
    .unwrap();
    let warnings: Vec<String> = loaded
        .warnings
        .iter()
        .map(|warning| warning.what.clone())
        .collect();
    assert_eq!(
        warnings,
        [
            "`[contact]` does not say support, dpo, accessibility, security, so pages show no such links"
        ]
    );
}

#[test]
fn the_reach_of_addresses_is_known() {
    for (address, reach) in [
        ("127.0.0.1", Reach::Private),
        ("10.1.2.3", Reach::Private),
        ("172.31.255.255", Reach::Private),
        ("172.32.0.0", Reach::Public),
        ("100.127.255.255", Reach::Private),
        ("100.128.0.0", Reach::Public),
        ("169.254.0.1", Reach::Private),
        ("169.254.169.254", Reach::Forbidden),
        ("::ffff:169.254.169.254", Reach::Forbidden),
        ("fd00:ec2::254", Reach::Forbidden),
        ("::ffff:10.0.0.1", Reach::Private),
        ("fe80::1", Reach::Private),
        ("2a00::1", Reach::Public),
        ("224.0.0.1", Reach::Forbidden),
        ("255.255.255.255", Reach::Forbidden),
        ("0.1.2.3", Reach::Forbidden),
        ("ff02::1", Reach::Forbidden),
    ] {
        assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
    }
}

fn errors_of(problems: &Problems) -> Vec<String> {
    problems
        .0
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .collect()
}

/// A directory with everything that a configuration names.
struct Sandbox(tempfile::TempDir);

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self(tempfile::tempdir().unwrap());
        sandbox.write("chain.pem", "chain", 0o644);
        sandbox.write("key.pem", "key", 0o600);
        sandbox.write("keyring", "keys", 0o600);
        sandbox
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

/// A sound file for a [`Sandbox`].
const SOUND_FILE: &str = r#"
[server]
https = "127.0.0.1:443"
portal = "login.example.com"
data = "data"
keyring = "keyring"
[[certificate]]
names = ["*.example.com"]
chain = "./chain.pem"
key_file = "tls/../key.pem"
"#;
