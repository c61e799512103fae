//! A browser's name for people: enough to tell two sessions apart. What it says is not proved.

use super::texts::Texts;

/// "Firefox on Windows", from the field `User-Agent` as it was sent.
pub(super) fn name(user_agent: Option<&str>, texts: &Texts) -> String {
    let found = user_agent.and_then(|text| Some((first(text, &BROWSERS)?, first(text, &SYSTEMS)?)));
    match found {
        Some((browser, system)) => texts.fill(
            "session-browser",
            [("browser", browser.into()), ("system", system.into())],
        ),
        None => texts.get("session-browser-unknown"),
    }
}

fn first(text: &str, marks: &[(&str, &'static str)]) -> Option<&'static str> {
    marks
        .iter()
        .find(|(mark, _)| text.contains(mark))
        .map(|(_, name)| *name)
}

/// Browsers by the mark that others do not also carry: Edge calls itself Chrome too, Chrome Safari.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::language::Language;

    #[test]
    fn browsers_that_call_themselves_each_other_are_told_apart() {
        let texts = Texts::of(Language::English);
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        for (sent, wanted) in [
            (
                format!("Mozilla/5.0 (Windows NT 10.0) {webkit} Edg/142.0"),
                "Edge on Windows",
            ),
            (
                format!("Mozilla/5.0 (X11; Linux x86_64) {webkit}"),
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Macintosh) Version/26.0 Safari/605.1.15".into(),
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Firefox/145.0".into(),
                "Firefox on Windows",
            ),
            ("<script>alert(1)</script>".into(), "Unknown browser"),
            (String::new(), "Unknown browser"),
        ] {
            assert_eq!(name(Some(&sent), texts), wanted);
        }
        assert_eq!(name(None, texts), "Unknown browser");
    }
}
