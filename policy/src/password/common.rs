//! Passwords that everybody tries first: made of a few much-used words, keyboard runs, repetitions
//! and dates, however long they are.
//!
//! The words below were chosen by hand for this product: those that turn up at the head of every
//! published ranking of French and English passwords, and first names, months, seasons, clubs and
//! keyboard rows. Instead of listing their combinations, a password is taken apart: one that
//! consists wholly of such pieces, with at most two different words among them, is common.

use super::{runs, shipped};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Whether the password is one of those that everybody tries first.
pub(super) fn is_common(password: &str) -> bool {
    let folded = fold(password);
    shipped::holds(&folded) || is_repetition(&folded) || consists_of_common_pieces(&folded)
}

/// Lower case without accents, as guessing programs try it.
pub(super) fn fold(text: &str) -> Vec<char> {
    text.nfd()
        .filter(|&character| !is_combining_mark(character))
        .flat_map(char::to_lowercase)
        .collect()
}

/// A word in the form in which lists of words hold it: small letters, no accents.
pub fn fold_word(word: &str) -> String {
    fold(word).into_iter().collect()
}

/// The letter that a digit or sign is written for.
pub(super) const fn unleet(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// A short piece again and again: `abcabcabcabcabc`, `aaaaaaaaaaaaaaa`.
fn is_repetition(text: &[char]) -> bool {
    (1..=PERIOD_MAX.min(text.len() / 2)).any(|period| {
        text.iter()
            .zip(text.iter().skip(period))
            .all(|(one, next)| one == next)
    })
}

/// Whether the text can be cut into common pieces with at most [`WORDS_MAX`] different words.
/// Longest pieces first; among words of one start the longest match is enough in practice, and a
/// miss only lets a password pass that the later rules still judge.
fn consists_of_common_pieces(text: &[char]) -> bool {
    let mut words: Vec<&str> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = longest_word(rest);
        let run = runs::length_at_start(rest);
        let length = match word {
            Some((word, length)) if length >= run => {
                if !words.contains(&word) {
                    words.push(word);
                }
                length
            }
            _ if run >= RUN_MIN => run,
            _ if rest
                .first()
                .is_some_and(|character| !character.is_alphabetic()) =>
            {
                1
            }
            _ => return false,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    words.len() <= WORDS_MAX && !is_digits_only_with_entropy(text, &words)
}

/// Digits and signs alone are not "common" unless they run or repeat: whether they are enough is
/// for the rule of entropy.
fn is_digits_only_with_entropy(text: &[char], words: &[&str]) -> bool {
    let mut rest = text;
    let mut loose = 0_usize;
    while !rest.is_empty() {
        let run = runs::length_at_start(rest);
        let step = if run >= RUN_MIN { run } else { 1 };
        loose += usize::from(run < RUN_MIN);
        rest = rest.get(step..).unwrap_or_default();
    }
    words.is_empty() && loose > LOOSE_MAX
}

/// The longest common word at the start, with its length in characters; signs and digits count as
/// the letters that they are written for, where there is a true letter besides.
fn longest_word(text: &[char]) -> Option<(&'static str, usize)> {
    let reads_as = |word: &str| {
        let mut rest = text.iter().copied();
        let mut letters = 0_usize;
        let fits = word.chars().all(|wanted| {
            rest.next().is_some_and(|written| {
                letters += usize::from(written.is_alphabetic());
                written == wanted || unleet(written) == wanted
            })
        });
        fits && letters > 0
    };
    WORDS
        .iter()
        .flat_map(|line| line.split(' '))
        .filter(|word| reads_as(word))
        .map(|word| (word, word.chars().count()))
        .max_by_key(|&(_, length)| length)
}

/// The longest piece whose repetition is no more than the piece: `MotDePasse` is ten.
const PERIOD_MAX: usize = 10;
/// Different common words that do not yet make a phrase.
const WORDS_MAX: usize = 2;
/// From this length on a run is a piece of its own.
const RUN_MIN: usize = 3;
/// Digits and signs that may stand outside of runs in a password without words.
const LOOSE_MAX: usize = 6;

/// Much-used words, without accents, in lower case.
const WORDS: &[&str] = &[
    "password passwd pass passe passcode motdepasse mot de secret secrete login admin administrator administrateur",
    "root user utilisateur guest invite test tests tester demo changeme changezmoi change letmein welcome bienvenue",
    "bonjour bonsoir salut hello coucou azerty azertyuiop qwerty qwertz qwertyuiop abc abcd iloveyou jetaime love",
    "amour monamour mon ma mes toi moi je te ti amo aime iloveu forever toujours family famille maison home house",
    "soleil sunshine lune moon star etoile stars chocolat chocolate doudou loulou chouchou cherie cheri bebe baby",
    "princess princesse prince angel ange dragon monkey master maitre shadow superman batman spiderman pokemon naruto",
    "starwars football foot soccer baseball basket tennis rugby marseille paris psg om lyon lille nantes bordeaux",
    "france french belgique belgium bruxelles europe london england america usa computer ordinateur internet google",
    "facebook instagram samsung apple iphone android windows microsoft linux server serveur network reseau system",
    "systeme default defaut temp temporary temporaire provisoire private prive public access acces account compte",
    "company entreprise societe bureau office work travail job money argent freedom liberte whatever nothing rien",
    "trustno one two three four five six seven eight nine ten un deux trois quatre cinq sept huit neuf dix zero",
    "summer spring autumn winter ete printemps automne hiver january february march april may june july august",
    "september october november december janvier fevrier mars avril mai juin juillet aout septembre octobre novembre",
    "decembre monday tuesday wednesday thursday friday saturday sunday lundi mardi mercredi jeudi vendredi samedi",
    "dimanche michael jordan michelle jennifer jessica ashley daniel thomas nicolas julien pierre marie jean paul",
    "michel philippe alain patrick nathalie isabelle sylvie catherine martine christine francoise camille chloe lea",
    "manon emma lucas hugo louis leo jules arthur gabriel alexandre antoine maxime kevin anthony sebastien stephane",
    "laurent david olivier eric vincent caroline sophie julie marine laura sarah celine virginie charlotte alice",
    "charlie george harry robert william matthew andrew joshua hunter killer ginger pepper cookie cheese banana",
    "orange lemon cherry flower fleur rose violette lapin chat chien cat dog tiger tigre lion horse cheval papillon",
    "butterfly rainbow purple yellow silver golden diamond crystal ferrari porsche mercedes peugeot renault citroen",
    "harley yamaha mustang corvette liverpool arsenal chelsea manchester united barcelona real madrid juventus",
    "jesus christ god dieu blessed heaven ciel merci thanks please svp lol mdr fuck fuckyou merde putain cool super",
    "happy new year joyeux noel christmas halloween birthday anniversaire vacances holiday my the your this is a la le",
    "les des et and i you it me no not yes oui non",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_common_at_any_length() {
        for password in [
            "passwordpassword",
            "Password1234567",
            "P@ssw0rd12345678",
            "motdepasse123456",
            "MotDePasse2026!",
            "MotDePasseMotDePasse",
            "123456789012345",
            "1234567890123456",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "azertyuiopqsdfghjklm",
            "qwertyuiopasdfghjkl",
            "abcdefghijklmnop",
            "ponmlkjihgfedcba",
            "iloveyouiloveyou",
            "jetaimejetaime12",
            "1q2w3e4r5t6y7u8i",
            "1qaz2wsx3edc4rfv",
            "Soleil-Soleil-2026",
            "marseille13marseille",
            "Été-2026-Été-2026",
            "administrateur2026",
            "00000000000000000",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn phrases_and_chance_are_not_common() {
        for password in [
            "agrafe bougie lavoir tunnel",
            "soleil chocolat doudou princesse",
            "correct horse battery staple",
            "xK9#mQ2$vL7pRt4w",
            "8305176294613852",
            "Les sanglots longs",
            "vélo-citron-vert",
            "tumbler plover quince",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }
}
