//! C5: nothing tells whether an account exists: not a byte, not a field, not the time it took.

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::patience::Stopwatch;
use octroi_integration_tests::visitor::Visitor;
use serde_json::json;

use crate::stage::{ROLE, Stage};

/// Sign-ins timed for each kind of account. Each comes from an address of its own.
const TRIES: usize = 30;

#[test]
fn c5_unknown_locked_provisional_and_wrong_are_alike_in_every_byte() {
    let stage = Stage::set();
    let answers: Vec<(&str, Response)> = logins(&stage)
        .into_iter()
        .map(|(kind, login)| (kind, guess(&stage, &login).0))
        .collect();
    let shown = |response: &Response| {
        let fields: Vec<_> = response
            .fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date" | "set-cookie"))
            .cloned()
            .collect();
        let id = response.first("x-request-id").unwrap_or("no id").to_owned();
        (
            response.status,
            fields,
            response.text().replace(&id, "<id>"),
        )
    };
    let (_, reference) = &answers[0];
    assert_eq!(reference.status, 401, "{}", reference.everything());
    assert_eq!(
        reference.json()["error"],
        "invalid_credentials",
        "{}",
        reference.everything()
    );
    for (kind, answer) in &answers {
        assert_eq!(shown(answer), shown(reference), "{kind}");
    }
}

/// The distributions overlap: a Mann–Whitney test cannot tell them apart at p < 0.001 (a stricter level than one would
/// use to find a difference, so that chance alone fails one run in a thousand).
#[test]
fn c5_unknown_and_known_take_the_same_time() {
    let stage = Stage::set();
    let kinds = logins(&stage);
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
    for _ in 0..TRIES {
        for (place, (_, login)) in kinds.iter().enumerate() {
            times[place].push(guess(&stage, login).1);
        }
    }
    for (place, (kind, _)) in kinds.iter().enumerate().skip(1) {
        let z = mann_whitney_z(&times[0], &times[place]);
        assert!(
            z.abs() < 3.9,
            "{kind} differs from {}: z = {z:.2}",
            kinds[0].0
        );
    }
}

/// Kinds of account whose password nobody here knows.
fn logins(stage: &Stage) -> Vec<(&'static str, String)> {
    let known = stage.world.facts.with_role(ROLE).full_login();
    let locked = stage
        .world
        .facts
        .accounts
        .iter()
        .find(|account| !account.is_provisional && account.full_login() != known);
    let locked = locked.expect("a second account").full_login();
    let output = stage.world.run(&["user", "lock", &locked]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tenant = known.split('/').next().expect("a tenant").to_owned();
    vec![
        ("unknown", format!("{tenant}/nobody-of-this-name")),
        ("known", known),
        ("locked", locked),
        ("provisional", stage.world.facts.provisional().full_login()),
        ("of an unknown tenant", "no-such-tenant/marie".to_owned()),
    ]
}

/// One guess from a new address; the answer, and milliseconds.
fn guess(stage: &Stage, login: &str) -> (Response, f64) {
    let mut visitor = Visitor::at(&stage.door());
    let url = format!("https://{}/.octroi/api/v1/login", stage.world.portal());
    let body = json!({ "login": login, "password": "not the right password at all" });
    let watch = Stopwatch::start();
    let response = visitor.post_json(&url, &body);
    (response, watch.elapsed().as_secs_f64() * 1000.0)
}

/// The normal approximation of the Mann–Whitney U test (no ties to speak of in times).
fn mann_whitney_z(one: &[f64], two: &[f64]) -> f64 {
    let wins: f64 = one
        .iter()
        .map(|a| {
            two.iter()
                .map(|b| if a > b { 1.0 } else { 0.0 })
                .sum::<f64>()
        })
        .sum();
    let count = |times: &[f64]| f64::from(u32::try_from(times.len()).expect("few"));
    let (n, m) = (count(one), count(two));
    (wins - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}
