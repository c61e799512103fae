//! Which language a person reads: what they chose, else what their browser asks for.

/// A language in which every page exists.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Language {
    /// French, with the typography of France.
    French,
    /// English.
    English,
}

impl Language {
    /// Every language, in the order in which pages offer them.
    pub(crate) const ALL: [Self; 2] = [Self::French, Self::English];

    /// The tag for `lang`, cookies and locale files (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }

    /// The language with this tag, exactly as [`tag`](Self::tag) writes it.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The language to answer in: the remembered choice, else the best of `Accept-Language`
    /// (RFC 9110, section 12.5.4), else English.
    pub(crate) fn negotiate(remembered: Option<&str>, accept_language: Option<&str>) -> Self {
        remembered
            .and_then(Self::from_tag)
            .or_else(|| accept_language.and_then(Self::best_of))
            .unwrap_or(Self::English)
    }

    /// The listed language of the highest weight that we have; the first of equals.
    fn best_of(accept_language: &str) -> Option<Self> {
        let mut best = None;
        for range in accept_language.split(',').take(RANGES_MAX) {
            let Some((language, weight)) = read_range(range) else {
                continue;
            };
            if weight > 0 && best.is_none_or(|(_, highest)| weight > highest) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// `fr-BE;q=0.8` as a language of ours and a weight in thousandths.
fn read_range(range: &str) -> Option<(Language, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let primary = parts.next()?.split('-').next()?;
    let language = Language::ALL
        .into_iter()
        .find(|language| language.tag().eq_ignore_ascii_case(primary))?;
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        None => 1000,
        Some(text) => read_weight(text)?,
    };
    Some((language, weight))
}

/// `0.8` as 800. `None` for what is not a weight (RFC 9110, section 12.4.2).
fn read_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// Ranges of `Accept-Language` that are looked at; browsers send fewer than ten.
const RANGES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_choice_comes_before_what_the_browser_asks_for() {
        let chosen = Language::negotiate(Some("en"), Some("fr"));
        assert_eq!(chosen, Language::English);
        let not_a_choice = Language::negotiate(Some("xx"), Some("fr"));
        assert_eq!(not_a_choice, Language::French);
    }

    #[test]
    fn the_highest_weight_wins_and_the_first_of_equals() {
        for (header, wanted) in [
            ("fr", Language::French),
            ("FR-be", Language::French),
            ("de, fr;q=0.5, en;q=0.4", Language::French),
            ("en;q=0.4, fr;q=0.5", Language::French),
            ("en;q=0.5, fr;q=0.5", Language::English),
            ("fr;q=0, en;q=0.1", Language::English),
            ("fr;q=1.000", Language::French),
            ("fr;q=2, en;q=0.1", Language::English),
            ("fr;q=0.1234, en;q=0.1", Language::English),
            ("de", Language::English),
            ("", Language::English),
            ("*", Language::English),
            ("french", Language::English),
        ] {
            assert_eq!(
                Language::negotiate(None, Some(header)),
                wanted,
                "{header:?}"
            );
        }
    }
}
