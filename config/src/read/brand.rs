//! Reads `[brand]` and `[contact]`.

use super::file;
use crate::{
    reader::Reader,
    settings::{Accent, AccessibilityVerdict, Brand, Contact, Logo, LogoFormat},
};

pub(super) fn brand(reader: Reader<'_>) -> Option<Brand> {
    let name = words(reader, "name", NAME_CHARS_MAX);
    let logo = logo(reader, "logo");
    let logo_dark = self::logo(reader, "logo_dark");
    let accent = reader.parsed::<Accent>("accent");
    Some(Brand {
        name: name?,
        logo,
        logo_dark,
        accent: accent.map(|accent| accent.value),
    })
}

pub(super) fn contact(reader: Reader<'_>) -> Contact {
    let contact = Contact {
        support: link(reader, "support"),
        privacy: link(reader, "privacy"),
        dpo: link(reader, "dpo"),
        accessibility: link(reader, "accessibility"),
        accessibility_verdict: verdict(reader),
        security: link(reader, "security"),
    };
    let links = ["support", "privacy", "dpo", "accessibility", "security"];
    let missing: Vec<&str> = links
        .into_iter()
        .filter(|name| reader.place_of(name).is_none())
        .collect();
    if !missing.is_empty() {
        reader.reading().warning(
            reader.at(),
            format!(
                "`[contact]` does not say {}, so pages show no such links",
                missing.join(", ")
            ),
            "add what there is: people who cannot sign in need somebody to turn to",
        );
    }
    contact
}

fn verdict(reader: Reader<'_>) -> Option<AccessibilityVerdict> {
    reader.told("accessibility_verdict")?;
    reader.choice(
        "accessibility_verdict",
        &[
            ("none", AccessibilityVerdict::NotConformant),
            ("partial", AccessibilityVerdict::PartlyConformant),
            ("full", AccessibilityVerdict::Conformant),
        ],
    )
}

/// A few words on one line.
fn words(reader: Reader<'_>, name: &str, chars_max: usize) -> Option<String> {
    let text = reader.text(name)?;
    let fits = (1..=chars_max).contains(&text.value.chars().count());
    if !fits || text.value.chars().any(char::is_control) || text.value.trim() != text.value {
        reader.refuse(text.at, name, format_args!("is {:?}", text.value));
        return None;
    }
    Some(text.value.to_owned())
}

/// An address that a page may link to. Only these schemes: `javascript:` is an address too.
fn link(reader: Reader<'_>, name: &str) -> Option<String> {
    let text = reader.text(name)?;
    let rest = ["https://", "mailto:", "tel:"]
        .iter()
        .find_map(|scheme| text.value.strip_prefix(scheme));
    let sound = |rest: &str| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte);
        !rest.is_empty() && rest.len() <= LINK_BYTES_MAX && rest.bytes().all(plain)
    };
    if !rest.is_some_and(sound) {
        reader.refuse(text.at, name, format_args!("is {:?}", text.value));
        return None;
    }
    Some(text.value.to_owned())
}

fn logo(reader: Reader<'_>, name: &str) -> Option<Logo> {
    let path = reader.path(name)?;
    let bytes = file::content(reader, &path, LOGO_BYTES_MAX)?;
    let refuse = |why: &str| {
        let shown = path.value.display();
        reader.refuse(path.at, name, format_args!("names {shown}, which {why}"));
        None
    };
    if bytes.starts_with(PNG_SIGNATURE) {
        return Some(Logo {
            format: LogoFormat::Png,
            bytes: bytes.into(),
        });
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return refuse("is neither SVG nor PNG");
    };
    let lower = text.to_ascii_lowercase();
    if !lower.contains("<svg") {
        return refuse("is neither SVG nor PNG");
    }
    let reaches_out = refers_elsewhere(&lower, "href") || refers_elsewhere(&lower, "url(");
    if SVG_FORBIDDEN.iter().any(|word| lower.contains(word)) || has_event(&lower) || reaches_out {
        return refuse("holds script, style or a reference to something outside it");
    }
    Some(Logo {
        format: LogoFormat::Svg,
        bytes: bytes.into(),
    })
}

/// Whether what follows `word` anywhere is something else than a part of the same drawing (`#id`).
fn refers_elsewhere(svg: &str, word: &str) -> bool {
    svg.split(word).skip(1).any(|rest| {
        let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "='\"".contains(c));
        !value.starts_with('#')
    })
}

/// Whether any attribute is an event's (`onload=`).
fn has_event(svg: &str) -> bool {
    svg.split(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '/'))
        .any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            name.len() > 2
                && name.starts_with("on")
                && word.contains('=')
                && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
}

/// In a header 40 px high; longer names wrap.
const NAME_CHARS_MAX: usize = 60;
const LINK_BYTES_MAX: usize = 500;
/// A fifth of the page's weight, see the budget of the pages.
const LOGO_BYTES_MAX: usize = 12 * 1024;
/// PNG specification, section 5.2.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What makes an SVG more than a drawing: programs, foreign content, entities, other files.
const SVG_FORBIDDEN: [&str; 8] = [
    "<script",
    "<style",
    "<foreignobject",
    "<!doctype",
    "<!entity",
    "<?xml-stylesheet",
    "<image",
    "javascript:",
];
