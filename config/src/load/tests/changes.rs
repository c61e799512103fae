//! What a reload changes is told in words.

use super::{CERTIFICATE, SERVER, read};

#[test]
fn a_reload_tells_what_differs_and_what_waits_for_a_start() {
    let route = |name: &str, to: &str| {
        format!(
            "[[route]]\nname = \"{name}\"\nhost = \"{name}.example.com\"\nto = \"{to}\"\nallow = \"everyone\"\n"
        )
    };
    let old = format!(
        "{SERVER}{CERTIFICATE}{}{}",
        route("a", "http://10.0.0.1"),
        route("b", "http://10.0.0.2")
    );
    let new = format!(
        "{}workers = 2\n{CERTIFICATE}{}{}[sessions]\nabsolute = \"12h\"\nidle_public = \"15m\"\n",
        SERVER,
        route("c", "http://10.0.0.3"),
        route("b", "http://10.0.0.4"),
    );
    let old = read(&old).unwrap().settings;
    let new = read(&new).unwrap().settings;
    let changes: Vec<String> = old.diff(&new).iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "server.workers: (absent) -> 2 (counts at the next start)",
            "sessions.absolute: 24h -> 12h",
            "route a: a.example.com/, every method, for whoever is signed in, to 10.0.0.1:80 -> (absent)",
            "route b, to: 10.0.0.2:80 -> 10.0.0.4:80",
            "route c: (absent) -> c.example.com/, every method, for whoever is signed in, to 10.0.0.3:80",
        ]
    );
    assert_eq!(old.diff(&old), []);
}

#[test]
fn a_reload_tells_in_words_what_differs_of_a_route() {
    let route = |more: &str| {
        let text = format!(
            "{SERVER}{CERTIFICATE}[[route]]\nname = \"a\"\nhost = \"a.example.com\"\n{more}"
        );
        read(&text).unwrap().settings
    };
    let old = route("to = \"http://10.0.0.1\"\nallow = { roles = [\"rh\"] }\n");
    let new = route(
        "to = \"https://svc.internal\"\nprotocol = \"http2\"\nmethods = [\"GET\", \"POST\"]\nbackground = true\n\
         allow = { roles = [\"it\", \"rh\"] }\nidentity = { login = \"Remote-Login\" }\n",
    );
    let changes: Vec<String> = old.diff(&new).iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "route a, methods: every method -> GET POST",
            "route a, who passes: whoever is signed in with the role rh -> whoever is signed in with the role it or rh",
            "route a, to: 10.0.0.1:80 -> svc.internal:443",
            "route a, protocol: http1 -> http2",
            "route a, upstream_tls: none -> name svc.internal, by the system's authorities, client certificate none",
            "route a, background: false -> true",
            "route a, identity: none -> login in remote-login",
        ]
    );
}
