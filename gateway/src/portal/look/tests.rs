//! The sheet's colours have the contrast that they promise, and a first load stays light.

use std::collections::HashMap;

use super::*;

/// Each scheme's custom properties that are colours.
fn colours() -> [HashMap<String, Colour>; 2] {
    let (light, rest) = STYLESHEET
        .split_once("@media (prefers-color-scheme: dark)")
        .unwrap();
    let (dark, _) = rest.split_once("@media").unwrap();
    [light, dark].map(|part| {
        part.lines()
            .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"))
            .map(|(name, digits)| {
                let digits = digits.trim_end_matches(';');
                let channel = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
                (
                    name.to_owned(),
                    Colour::new(channel(0), channel(2), channel(4)),
                )
            })
            .collect()
    })
}

#[test]
fn text_and_controls_have_their_contrast_in_both_schemes() {
    for (scheme, colours) in ["light", "dark"].into_iter().zip(colours()) {
        assert_eq!(colours.len(), 16, "{scheme}: {colours:?}");
        let of = |name: &str| colours[name];
        let mut pairs = vec![
            ("on-accent", "accent", 4.5),
            ("danger", "danger-ground", 4.5),
            ("ok", "ok-ground", 4.5),
            ("warn", "warn-ground", 4.5),
            ("ink", "info-ground", 7.0),
        ];
        for ground in ["card", "ground"] {
            pairs.extend([
                ("ink", ground, 7.0),
                ("ink-2", ground, 4.5),
                ("accent", ground, 4.5),
                ("danger", ground, 4.5),
                ("focus", ground, 3.0),
                ("control", ground, 3.0),
            ]);
        }
        for (front, back, wanted) in pairs {
            let ratio = of(front).contrast(of(back));
            assert!(ratio >= wanted, "{scheme}: {front} on {back} is {ratio:.2}");
        }
    }
}

#[test]
fn the_grounds_that_accents_are_derived_for_are_those_of_the_sheet() {
    let [light, dark] = colours();
    let accents = Accents::derive(Colour::new(0x1f, 0x4f, 0xa3));
    assert_eq!(accents.light, light["accent"]);
    assert_eq!(light["card"], Colour::new(0xff, 0xff, 0xff));
    assert_eq!(light["ground"], Colour::new(0xf4, 0xf6, 0xf8));
    assert_eq!(dark["card"], Colour::new(0x1b, 0x22, 0x2b));
    assert_eq!(dark["ground"], Colour::new(0x12, 0x17, 0x1d));
}

#[test]
fn files_stay_within_their_share_of_a_first_load() {
    assert!(
        STYLESHEET.len() <= 14 * 1024,
        "{} bytes of style",
        STYLESHEET.len()
    );
    assert!(
        SCRIPT.len() <= 12 * 1024,
        "{} bytes of script",
        SCRIPT.len()
    );
    assert!(ICON.len() <= 12 * 1024, "{} bytes of logo", ICON.len());
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    for text in [STYLESHEET, std::str::from_utf8(SCRIPT).unwrap()] {
        for trace in [
            "http:",
            "https:",
            "url(",
            "@import",
            "//cdn",
            "eval(",
            "innerHTML",
        ] {
            assert!(!text.contains(trace), "{trace}");
        }
    }
}
