//! Every limit of the door and of the proxy that no setting changes stands in the manual with its figure, and the manual
//! names none that is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use octroi_integration_tests::binary;

/// Where limits are, below `gateway/src`.
const PLACES: [&str; 2] = ["listener", "proxy"];

/// Fields of the door's limits that a route's settings fill in: their figures there serve tests alone.
const FROM_THE_ROUTE: [&str; 3] = ["dial_timeout", "answer_timeout", "idle_timeout"];

/// What is called the most of something and bounds nobody: room that is made, and the size of a format's parts. How the
/// place and the name end.
const NO_LIMITS: [&str; 5] = [
    " GATHERED_BYTES_MAX",
    "server_frames.rs HEADER_BYTES_MAX",
    " DIGITS_MAX",
    " OWN_FIELDS_MAX",
    " HAND_OVER_KEEPALIVE_SECONDS",
];

/// Place and name of a limit, and its figure as the manual writes it.
type Limits = BTreeMap<String, String>;

#[test]
fn invariant_8_every_built_in_limit_is_in_the_manual_with_its_figure() {
    let root = binary::workspace();
    let source = root.join("gateway/src");
    let mut built_in = Limits::new();
    for place in PLACES {
        collect(&source, &source.join(place), &mut built_in);
    }
    let entrance = read(&source.join("app/entrance.rs"));
    add_fields(
        &read(&source.join("listener/limits.rs")),
        &entrance,
        &mut built_in,
    );
    assert!(
        built_in.len() > 40,
        "only {} limits were found",
        built_in.len()
    );
    for end in NO_LIMITS {
        let before = built_in.len();
        built_in.retain(|limit, _| !limit.ends_with(end));
        assert!(built_in.len() < before, "{end} is gone");
    }
    let manual = documented(&read(&root.join("docs/defaults.md")));
    for (limit, figure) in &built_in {
        let told = manual.get(limit).map(String::as_str);
        assert_eq!(
            told,
            Some(figure.as_str()),
            "docs/defaults.md, built-in limits: `{limit}` is {figure} in the source"
        );
    }
    for limit in manual.keys() {
        assert!(
            built_in.contains_key(limit),
            "docs/defaults.md names `{limit}`, which is no limit"
        );
    }
}

/// Constants that bound something: each duration, and each number that calls itself the most.
fn collect(source: &Path, folder: &Path, limits: &mut Limits) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.ends_with("tests") || path.ends_with("tests.rs") {
            continue;
        }
        if path.is_dir() {
            collect(source, &path, limits);
            continue;
        }
        let place = path
            .strip_prefix(source)
            .expect("a place")
            .display()
            .to_string();
        let text = read(&path);
        for line in text.lines() {
            let Some((_, rest)) = line.split_once("const ") else {
                continue;
            };
            let parts = rest.split_once(": ").and_then(|(name, rest)| {
                let (kind, value) = rest.split_once(" = ")?;
                Some((name, kind, value.trim_end_matches(';')))
            });
            let Some((name, kind, value)) = parts else {
                continue;
            };
            let bounds = name.ends_with("_MAX") || name.ends_with("_SECONDS");
            let is_number = matches!(kind, "usize" | "u16" | "u32" | "u64" | "i32");
            if kind == "Duration" || bounds && is_number {
                limits.insert(format!("{place} {name}"), figure(name, value));
            }
        }
    }
}

/// The figures that the door's limits have of themselves, but for those that the configuration gives.
fn add_fields(text: &str, entrance: &str, limits: &mut Limits) {
    let defaults = text.split("impl Default for ").skip(1);
    for block in defaults {
        let (owner, block) = block.split_once(" {").expect("a block");
        let block = block.split("\nimpl ").next().unwrap_or_default();
        let fields = block.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once(": ")?;
            Some((name, value.trim_end_matches(',')))
        });
        for (name, value) in fields {
            let is_set = entrance.lines().any(|line| {
                line.trim().starts_with(&format!("{name}: ")) && line.contains("connections.")
            });
            let is_part = value.ends_with("::default()");
            if !is_set && !is_part && !FROM_THE_ROUTE.contains(&name) {
                limits.insert(format!("{owner} {name}"), figure(name, value));
            }
        }
    }
}

/// A value of the source as the manual writes it.
fn figure(name: &str, value: &str) -> String {
    let inner = |start: &str| value.strip_prefix(start)?.strip_suffix(')');
    for (start, unit) in [
        ("Duration::from_millis(", "ms"),
        ("Duration::from_secs(", "s"),
        ("Duration::from_mins(", "min"),
        ("Duration::from_hours(", "h"),
    ] {
        if let Some(number) = inner(start) {
            return format!("{} {unit}", grouped(number_of(number)));
        }
    }
    let number = number_of(value);
    let name = name.to_ascii_lowercase();
    if name.ends_with("_seconds") {
        return format!("{number} s");
    }
    let is_bytes = name.contains("bytes") && !name.contains("per_second");
    match number {
        _ if !is_bytes => grouped(number),
        _ if number.is_multiple_of(1 << 20) => format!("{} MiB", number >> 20),
        _ if number.is_multiple_of(1 << 10) => format!("{} KiB", number >> 10),
        _ => format!("{number} bytes"),
    }
}

/// `4096`, `32 * 1024`, `1 << 20`.
fn number_of(text: &str) -> u64 {
    let number = |text: &str| {
        let digits = text.trim().replace('_', "");
        digits
            .parse::<u64>()
            .unwrap_or_else(|_| panic!("no number: {text}"))
    };
    if let Some((left, right)) = text.split_once("<<") {
        return number(left) << number(right);
    }
    text.split('*').map(number).product()
}

fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}

/// The rows of the manual's table: `| `place name` | figure | …`.
fn documented(text: &str) -> Limits {
    let (_, table) = text.split_once("## Built-in limits").expect("the table");
    table
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`');
            Some((name.to_owned(), cells.next()?.to_owned()))
        })
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
