//! The manual's page of all keys, written from their descriptions.

use std::fmt::Write as _;

use super::{Effect, INNER, Key, LATER_SECTIONS, SECTIONS, Section};

/// The page `docs/reference/configuration.md`.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for section in SECTIONS {
        describe(&mut page, section);
        for inner in INNER {
            if inner.within == Some(section.name) {
                describe(&mut page, inner);
            }
        }
    }
    page.push_str(LATER);
    for later in LATER_SECTIONS {
        let _ = writeln!(page, "- `[{}]`: {}.", later.name, later.remedy);
    }
    page
}

const LATER: &str = "
## What has no section yet

Refused as not available in this version, never ignored:

";

fn describe(page: &mut String, section: &Section) {
    let (level, title) = match section.within {
        Some(outer) => ("###", format!("`{outer}.{}`", section.name)),
        None => ("##", section.title()),
    };
    // Writing to a string cannot fail.
    let _ = write!(page, "\n{level} {title}\n\n{}\n", section.doc);
    if !section.keys.is_empty() {
        table(page, section);
    }
    for later in section.later {
        let _ = write!(
            page,
            "\n`{}` is not available in this version: {}.\n",
            later.name, later.remedy
        );
    }
    for key in section.keys.iter().filter(|key| !key.later.is_empty()) {
        let words: Vec<String> = key.later.iter().map(|word| format!("`{word}`")).collect();
        let _ = write!(
            page,
            "\n`{}` does not take {} in this version.\n",
            key.name,
            words.join(", ")
        );
    }
}

fn table(page: &mut String, section: &Section) {
    page.push_str("\n| Key | Takes | Default | What it does |\n|---|---|---|---|\n");
    for key in section.keys {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {}{} |",
            key.name,
            capitalised(key.takes),
            default_of(key),
            key.doc,
            match key.effect {
                Effect::Reload => "",
                Effect::Restart => " *Counts at the next start.*",
            }
        );
    }
}

fn default_of(key: &Key) -> String {
    key.default
        .map_or_else(String::new, |default| format!("`{default}`"))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by the test `the_manual_lists_every_key` from the descriptions that the loader itself reads. -->

One TOML file says everything. `octroi check -c FILE` lists whatever is wrong with it, each problem with
its place, what it is and how to mend it; `octroi init DIR` writes one to begin with.

- **Unknown keys are errors**, and so are keys that this version does not act on: nothing is ignored.
- **Relative paths** are taken from the directory of the file.
- **Durations** are a number and a unit: `500ms`, `10s`, `15m`, `8h`, `365d`. **Rates** are `10/s`, `600/min`, `1000/h`.
- **Secrets** stand in files of their own (`key_file`, `keyring`), never in this one.
- **Environment**: `OCTROI__SECTION__KEY` takes the place of that key, as in `OCTROI__SERVER__PORTAL=login.example.com`.
  Lists and numbers are written as in the file. `[[certificate]]` and `[[route]]` cannot be set that way.
- **Reload**: on SIGHUP, or when the file changes, the new file replaces the old, all of it if nothing is wrong with it and else nothing.
";
