//! The manual says what the loader does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{INNER, SECTIONS, markdown};
use crate::{
    parse, read,
    reader::{Files, Reading},
    source::Source,
};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(package().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_example_is_valid_and_lacks_nothing() {
    let examples = examples();
    assert!(examples.len() >= 3);
    for file in examples {
        let text = fs::read_to_string(&file).unwrap();
        let loaded = parse(&text, &file).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.warnings, [], "{}", file.display());
        let tables = |header| text.lines().filter(|line| *line == header).count();
        let settings = loaded.settings;
        assert_eq!(settings.routes.iter().count(), tables("[[route]]"));
        assert_eq!(settings.certificates.len(), tables("[[certificate]]"));
    }
}

#[test]
fn every_documented_key_is_read_and_every_key_that_is_read_is_documented() {
    let file = package().join("examples/everything.toml");
    let source = Source::new(&file, fs::read_to_string(&file).unwrap(), &[]);
    let (root, findings) = source.document().unwrap();
    assert!(findings.is_empty());
    let reading = Reading::new(PathBuf::from("/etc/octroi"), Files::Unseen);
    assert!(read::settings(&reading, &root).is_some());
    let asked = reading.asked.take();
    let documented: BTreeSet<(&str, String)> = SECTIONS
        .iter()
        .chain(INNER)
        .flat_map(|section| {
            section
                .keys
                .iter()
                .map(|key| (section.name, key.name.to_owned()))
        })
        .collect();
    assert_eq!(asked, documented);
}

#[test]
fn the_example_of_every_key_names_every_key() {
    let text = fs::read_to_string(package().join("examples/everything.toml")).unwrap();
    for section in SECTIONS.iter().chain(INNER) {
        for key in section.keys {
            let said = text.lines().any(|line| {
                let line = line.trim_start();
                line.split([' ', '=']).next() == Some(key.name)
                    || line.contains(&format!(" {} = ", key.name))
            });
            assert!(said, "{}", section.path_of(key.name));
        }
    }
}

#[test]
fn the_manual_lists_every_key() {
    let page = package().join("../docs/reference/configuration.md");
    let written = markdown();
    if fs::read_to_string(&page).is_ok_and(|page| page == written) {
        return;
    }
    let draft = std::env::temp_dir().join("configuration.md");
    fs::write(&draft, written).unwrap();
    panic!(
        "docs/reference/configuration.md is out of date: copy {} over it",
        draft.display()
    );
}

/// The TOML examples of a page.
fn toml_blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn every_route_of_the_manual_is_valid() {
    const AROUND: &str = "[server]\nhttps = \"0.0.0.0:443\"\nportal = \"login.example.com\"\ndata = \"/d\"\nkeyring = \"/k\"\n[[certificate]]\nnames = [\"*.example.com\"]\nchain = \"/c\"\nkey_file = \"/e\"\n";
    let root = package().join("..");
    let mut examples = 0;
    for page in ["README.md", "docs/ops/routes.md", "docs/ops/install.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for block in toml_blocks(&text) {
            let whole = if block.contains("[server]") {
                block.to_owned()
            } else {
                format!("{AROUND}{block}")
            };
            let loaded = parse(&whole, Path::new(page));
            assert!(loaded.is_ok(), "{page}: {}\n{block}", loaded.unwrap_err());
            examples += 1;
        }
    }
    assert!(examples >= 5, "{examples}");
}
