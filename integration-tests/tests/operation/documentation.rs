//! What the manuals tell people to type is understood by the binary and by `./dev`, option by option;
//! what they refer to exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::world::World;
use octroi_integration_tests::{binary, plain};

#[test]
fn every_command_of_the_manuals_is_understood() {
    let lines = documented_commands(&binary::workspace());
    let own: Vec<(&String, &String, Vec<String>)> = lines
        .iter()
        .filter_map(|(place, line)| Some((place, line, own_arguments(line)?)))
        .collect();
    assert!(
        own.len() >= 20,
        "the manuals show {} commands only",
        own.len()
    );
    for (place, line, arguments) in own {
        let output = binary::octroi()
            .args(arguments)
            .arg("--help")
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{place}: `{line}` is not understood: {text}"
        );
    }
}

#[test]
fn every_dev_command_of_the_manuals_exists() {
    let help = Command::new(binary::workspace().join("dev"))
        .arg("help")
        .output()
        .expect("./dev help");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let lines = documented_commands(&binary::workspace());
    let used: Vec<&(String, String)> = lines
        .iter()
        .filter(|(_, line)| line.starts_with("./dev "))
        .collect();
    assert!(!used.is_empty(), "the manuals show no ./dev command");
    for (place, line) in used {
        let command = words(line).get(1).cloned().unwrap_or_default();
        assert!(
            help.lines()
                .any(|known| known.trim_start().starts_with(&command)),
            "{place}: `./dev {command}` does not exist"
        );
    }
}

#[test]
fn every_relative_link_of_the_manuals_leads_somewhere() {
    let root = binary::workspace();
    let mut files = manuals(&root);
    files.extend(["ARCHITECTURE.md", "SECURITY.md"].map(|name| root.join(name)));
    let mut followed = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("a manual");
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or_default();
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains(':') {
                continue;
            }
            let folder = file.parent().expect("a folder");
            assert!(
                folder.join(target).exists(),
                "{}: {link} leads nowhere",
                file.display()
            );
            followed += 1;
        }
    }
    assert!(followed >= 20, "only {followed} links were followed");
}

/// Both ways: what the manuals name is measured, and what is measured is in the manual of operations.
#[test]
fn the_manuals_and_the_gateway_name_the_same_metrics() {
    let world = World::demo();
    let mut visitor = world.visitor();
    visitor.get(&world.url("echo.localhost", "/%2F"));
    // A refusal is counted once it is sent, and may be so after it is read.
    let metrics = wait_for(Duration::from_secs(5), || {
        let text = plain::get(world.management(), "/metrics");
        text.contains("octroi_refusals").then_some(text)
    });
    let (metrics, _) = metrics.expect("the refusal is counted");
    let measured: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let root = binary::workspace();
    let mut named = BTreeSet::new();
    for file in manuals(&root) {
        let text = fs::read_to_string(file).expect("a manual");
        for quoted in text
            .split('`')
            .filter(|quoted| quoted.starts_with("octroi_"))
        {
            named.insert(quoted.strip_suffix("_total").unwrap_or(quoted).to_owned());
        }
    }
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    assert_eq!(named, measured);
}

/// What a line gives to octroi, whoever runs it: `runuser -u octroi -- octroi …`, `docker compose … octroi …`.
fn own_arguments(line: &str) -> Option<Vec<String>> {
    let words = words(line);
    let named = |word: &String| word == "octroi";
    let commands = [
        "demo",
        "init",
        "certificate",
        "serve",
        "reload",
        "check",
        "explain",
        "user",
        "session",
        "journal",
    ];
    let place = words.windows(2).rposition(|pair| {
        pair.first().is_some_and(named)
            && pair
                .get(1)
                .is_some_and(|next| commands.contains(&next.as_str()))
    })?;
    Some(words.into_iter().skip(place + 1).collect())
}

/// Lines of all shell blocks of the manuals, without comments, with the place where they stand.
fn documented_commands(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in manuals(root) {
        let text = fs::read_to_string(&file).expect("a manual");
        let place = file.display().to_string();
        found.extend(shell_lines(&text).map(|line| (place.clone(), line)));
    }
    found
}

/// Lines of all shell blocks of one page, without comments.
pub(crate) fn shell_lines(page: &str) -> impl Iterator<Item = String> {
    let blocks = page.split("```sh\n").skip(1);
    blocks.flat_map(|block| {
        let block = block.split("```").next().unwrap_or_default();
        let block = block.replace("\\\n", " ");
        let lines: Vec<String> = block
            .lines()
            .map(|line| line.split(" #").next().unwrap_or_default().trim())
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        lines
    })
}

fn manuals(root: &Path) -> Vec<std::path::PathBuf> {
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)
            .expect("a folder of manuals")
            .filter_map(Result::ok)
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                files.push(path);
            }
        }
    }
    files
}

/// Words of a command line; quotes hold spaces together, a pipe or redirection ends it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            ('|' | '>' | '<' | ';' | '&', None) => break,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().expect("a word").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
