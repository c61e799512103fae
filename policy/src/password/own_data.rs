//! What is known of the person, and whether a password holds it.

use super::{common::fold, verdict::OwnDatum};

/// What is known of the person and of the place: none of it belongs into the password.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnData<'a> {
    /// The login.
    pub login: &'a str,
    /// The person's name.
    pub name: Option<&'a str>,
    /// The person's e-mail address.
    pub email: Option<&'a str>,
    /// The names of the organisation: short and long.
    pub tenant: &'a [&'a str],
    /// The names of the product.
    pub product: &'a [&'a str],
    /// The hosts of this installation that the person meets.
    pub hosts: &'a [&'a str],
    /// The year of now, for rules that refuse it.
    pub year: Option<u32>,
}

impl OwnData<'_> {
    /// Which of it `password` holds; the first in the order in which people would look for it.
    pub(super) fn held_by(&self, password: &str) -> Option<OwnDatum> {
        let password = fold(password);
        let holds = |text: &str| words(text).iter().any(|word| contains(&password, word));
        let any = |texts: &[&str]| texts.iter().copied().any(holds);
        if holds(self.login) {
            Some(OwnDatum::Login)
        } else if self.name.is_some_and(holds) {
            Some(OwnDatum::Name)
        } else if self.email.is_some_and(|email| holds(local_part(email))) {
            Some(OwnDatum::Email)
        } else if any(self.tenant) {
            Some(OwnDatum::Tenant)
        } else if any(self.product) {
            Some(OwnDatum::Product)
        } else if any(self.hosts) {
            Some(OwnDatum::Host)
        } else {
            None
        }
    }
}

impl OwnData<'_> {
    /// Whether `password` holds this year's number, the last one's or the next one's, as a number of its own.
    pub(super) fn holds_year(&self, password: &str) -> bool {
        let is_year = |digits: &str| {
            let near = |year: u32| {
                digits
                    .parse()
                    .is_ok_and(|found: u32| found.abs_diff(year) <= 1)
            };
            digits.len() == YEAR_DIGITS && self.year.is_some_and(near)
        };
        password
            .split(|character: char| !character.is_ascii_digit())
            .any(is_year)
    }
}

impl OwnData<'_> {
    /// Every word that is known of the person and the place, in small letters and without accents; no more than 64 of
    /// them, so that nobody's data make a judgement slow.
    pub fn words(&self) -> Vec<String> {
        let words = self.all_words().into_iter();
        words.map(|word| word.into_iter().collect()).collect()
    }

    /// The same as characters.
    pub(super) fn all_words(&self) -> Vec<Vec<char>> {
        let texts = [self.login]
            .into_iter()
            .chain(self.name)
            .chain(self.email.map(local_part))
            .chain(self.tenant.iter().copied())
            .chain(self.product.iter().copied())
            .chain(self.hosts.iter().copied());
        texts.flat_map(words).take(WORDS_MAX).collect()
    }
}

/// What stands before the `@`: the rest is everybody's at that provider, and the organisation's
/// name has a rule of its own.
fn local_part(email: &str) -> &str {
    email.split('@').next().unwrap_or(email)
}

/// The words of a text that are long enough to mean something.
fn words(text: &str) -> Vec<Vec<char>> {
    fold(text)
        .split(|character| !character.is_alphanumeric())
        .filter(|word| {
            word.len() >= WORD_LEN_MIN
                && !EVERYBODYS
                    .iter()
                    .any(|other| word.iter().copied().eq(other.chars()))
        })
        .map(<[char]>::to_vec)
        .collect()
}

/// Whether the password holds the word as a part of its own: a short one between two edges, a
/// longer one with an edge on one side at least. "panneau" does not hold "anne".
fn contains(password: &[char], word: &[char]) -> bool {
    let edges_needed = if word.len() <= WORD_LEN_MIN { 2 } else { 1 };
    password
        .windows(word.len())
        .enumerate()
        .any(|(start, window)| {
            let before = start.checked_sub(1).and_then(|index| password.get(index));
            let after = password.get(start + word.len());
            let edges = [before, after]
                .into_iter()
                .filter(|neighbour| !neighbour.is_some_and(|c| c.is_alphabetic()));
            window == word && edges.count() >= edges_needed
        })
}

/// More words than any person and company have together; whoever had more could make each judgement slow.
const WORDS_MAX: usize = 64;

/// Shorter words stand in half of all passwords by chance.
const WORD_LEN_MIN: usize = 3;

/// 2026, not 26, which stands in many numbers.
const YEAR_DIGITS: usize = 4;

/// Parts of hosts and addresses that say nothing of the person.
const EVERYBODYS: &[&str] = &["www", "com", "org", "net", "local", "mail", "intranet"];

#[cfg(test)]
mod tests {
    use super::*;

    const MARIE: OwnData<'static> = OwnData {
        login: "marie",
        name: Some("Marie-Hélène Dupont"),
        email: Some("mh.dupont@acme.example"),
        tenant: &["acme", "Acme Industrie SARL"],
        product: &["octroi"],
        hosts: &["connexion.exemple.fr"],
        year: Some(2026),
    };

    #[test]
    fn a_year_is_a_number_of_its_own_within_one_of_now() {
        for (password, holds) in [
            ("Tisane-Bleue-2026", true),
            ("2025 tisanes", true),
            ("tisane2027!", true),
            ("tisane 2024", false),
            ("tisane 12026", false),
            ("tisane 26", false),
        ] {
            assert_eq!(MARIE.holds_year(password), holds, "{password}");
        }
        assert!(!OwnData::default().holds_year("2026"));
    }

    #[test]
    fn the_person_s_own_data_is_found_in_any_case_and_without_accents() {
        for (password, found) in [
            ("MARIE et son vélo bleu", OwnDatum::Login),
            ("vive-marie-2026-vive", OwnDatum::Login),
            ("le grand dupont rit", OwnDatum::Name),
            ("HELENEboitdelatisane", OwnDatum::Name),
            ("tisane acme tisane", OwnDatum::Tenant),
            ("Industrie lourde 12", OwnDatum::Tenant),
            ("octroi octroi tisane", OwnDatum::Product),
            ("ma connexion lente", OwnDatum::Host),
        ] {
            assert_eq!(MARIE.held_by(password), Some(found), "{password}");
        }
    }

    #[test]
    fn words_inside_of_others_are_not_the_person_s() {
        let anne = OwnData {
            login: "bob",
            name: Some("Anne"),
            ..OwnData::default()
        };
        for password in ["panneau de bois clair", "la bobine de fil rouge"] {
            assert_eq!(anne.held_by(password), None, "{password}");
        }
        assert_eq!(anne.held_by("anneau de saturne"), Some(OwnDatum::Name));
        assert_eq!(anne.held_by("le bob de la plage"), Some(OwnDatum::Login));
    }
}
