//! What the section says becomes rules; what contradicts itself is refused where it stands.

use std::path::Path;

use octroi_policy::{
    id::{Role, TenantName},
    password::{
        policy::Layer,
        presets::Preset,
        rules::{LengthMin, RuleKind},
    },
};

use super::*;
use crate::Problems;

const SOUND: &str = r#"
[server]
https = "0.0.0.0:443"
portal = "login.example.com"
data = "/var/lib/octroi"
keyring = "/etc/octroi/keyring"
[[certificate]]
names = ["*.example.com"]
chain = "/tls/chain.pem"
key_file = "/tls/key.pem"
"#;

fn policies_of(section: &str) -> Result<Policies, Problems> {
    let text = format!("{SOUND}\n{section}\n");
    let loaded = crate::parse(&text, Path::new("/etc/octroi/octroi.toml"))?;
    Ok(loaded.settings.password)
}

#[track_caller]
fn assert_refused(section: &str, figure: &str, why: &str) {
    let problems = policies_of(section).expect_err(section);
    let errors = problems
        .0
        .iter()
        .filter(|problem| problem.severity == crate::Severity::Error);
    let told: Vec<String> = errors.map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    let told = told.concat();
    assert!(told.contains(figure) && told.contains(why), "{told}");
}

#[test]
fn without_the_section_it_is_what_is_shipped() {
    assert_eq!(policies_of("").unwrap(), Policies::shipped());
    assert_eq!(policies_of("[password]").unwrap(), Policies::shipped());
}

#[test]
fn a_preset_is_begun_from_and_each_figure_takes_the_place_of_its_own() {
    let of = |section: &str| policies_of(section).unwrap().base;
    for preset in ["second-factor", "cnil-case-1", "cnil-case-2"] {
        let expected = Preset::named(preset).unwrap().policy();
        assert_eq!(of(&format!("[password]\npreset = \"{preset}\"")), expected);
    }
    let looser = of(
        "[password]\nlength_min = 9\nentropy_bits_min = 0\nown_data = false\nguesses_log10_min = 0",
    );
    assert_eq!(looser.get(), Some(LengthMin(9)));
    for kind in [
        RuleKind::EntropyMin,
        RuleKind::NotOwnData,
        RuleKind::GuessesMin,
    ] {
        assert_eq!(looser.rule(kind), None, "{kind:?}");
    }
    // The floors stay whatever is said.
    for kind in [
        RuleKind::NotCommon,
        RuleKind::NotCurrent,
        RuleKind::LengthMax,
    ] {
        assert!(looser.rule(kind).is_some(), "{kind:?}");
    }
}

#[test]
fn every_figure_becomes_its_rule() {
    let all = policies_of(
        "[password]
         length_min = 16\nlength_max = 128\nclasses_min = 3\nclasses_unless_length = 20
         lower_min = 1\nupper_min = 2\ndigits_min = 3\nsigns_min = 4\ncounts_unless_length = 24
         distinct_min = 6\nrepeat_max = 2\nsequence_max = 4\nentropy_bits_min = 60\nguesses_log10_min = 12
         years = true\nchanges_min = 5",
    );
    let base = all.unwrap().base;
    let expected: [Rule; 11] = [
        LengthMin(16).into(),
        LengthMax(128).into(),
        Classes {
            at_least: 3,
            unless_length: UnlessLength(Some(20)),
        }
        .into(),
        ClassCounts {
            at_least: Counts::new([1, 2, 3, 4]),
            unless_length: UnlessLength(Some(24)),
        }
        .into(),
        DistinctMin(6).into(),
        RepeatMax(2).into(),
        SequenceMax(4).into(),
        EntropyMin { bits: 60 }.into(),
        GuessesMin(Guesses::from_log10_millis(12_000)).into(),
        NotOwnData { years: true }.into(),
        NotSimilar { changes_min: 5 }.into(),
    ];
    for rule in expected {
        assert_eq!(base.rule(rule.kind()), Some(rule));
    }
}

#[test]
fn roles_and_tenants_tighten_the_base() {
    let policies = policies_of(
        "[password.role.it]\nlength_min = 20\n[password.tenant.acme]\nlength_min = 18\nyears = true",
    );
    let policies = policies.unwrap();
    let (it, acme): (Role, TenantName) = ("it".parse().unwrap(), "acme".parse().unwrap());
    let asked = policies.asked_of(std::slice::from_ref(&it), &acme);
    assert_eq!(asked.rules()[0], (LengthMin(20).into(), Layer::Role(it)));
    let years = (NotOwnData { years: true }.into(), Layer::Tenant(acme));
    assert!(asked.rules().contains(&years));
}

#[test]
fn what_contradicts_itself_is_refused_where_it_stands() {
    for (section, figure, why) in REFUSED {
        assert_refused(section, figure, why);
    }
}

/// A section, the figure that is refused, and what is said of it.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "[password]\nlength_min = 7",
        "password.length_min",
        "out of bounds",
    ),
    (
        "[password]\nlength_max = 63",
        "password.length_max",
        "out of bounds",
    ),
    (
        "[password]\nclasses_min = 5",
        "password.classes_min",
        "out of bounds",
    ),
    (
        "[password]\nclasses_unless_length = 20",
        "classes_unless_length",
        "without `classes_min`",
    ),
    (
        "[password]\ncounts_unless_length = 20",
        "counts_unless_length",
        "without `lower_min`",
    ),
    (
        "[password]\nown_data = false\nyears = true",
        "password.years",
        "takes away",
    ),
    (
        "[password]\npreset = \"cnil-admin\"",
        "password.preset",
        "write",
    ),
    (
        "[password]\nlenght_min = 20",
        "password.lenght_min",
        "length_min",
    ),
    (
        "[password]\nage_max = 90",
        "password.age_max",
        "not available in this version",
    ),
    (
        "[password.role.it]\npreset = \"shipped\"",
        "password.role.preset",
        "not a key",
    ),
    (
        "[password.role.\"a b\"]\nlength_min = 20",
        "password.role",
        "a b",
    ),
    (
        "[password]\nrole = 3",
        "password.role",
        "cannot be a number",
    ),
    (
        "[password.tenant]\nacme = 3",
        "password.tenant",
        "cannot be a number",
    ),
    (
        "[password.tenant.acme]\nlength_min = 100",
        "password.tenant.length_min",
        "out of bounds",
    ),
];
