//! Words and names of both languages, each with its rank: a transducer that is part of the program and is walked letter
//! by letter, without an allocation. `policy/data/README.md` says what it was made of.

use std::sync::OnceLock;

use fst::raw::{Fst, Output};

/// Tells each word that `text` begins with: its length and the decimal logarithm of its rank, in thousandths.
pub(super) fn words_at(text: &[char], found: &mut impl FnMut(usize, u32)) {
    let Some(words) = words() else {
        return;
    };
    let mut node = words.root();
    let mut rank = Output::zero();
    let mut buffer = [0; 4];
    for (length, character) in (1..).zip(text) {
        for byte in character.encode_utf8(&mut buffer).bytes() {
            let Some(at) = node.find_input(byte) else {
                return;
            };
            let transition = node.transition(at);
            rank = rank.cat(transition.out);
            node = words.node(transition.addr);
        }
        if node.is_final() {
            let rank = rank.cat(node.final_output()).value();
            found(length, u32::try_from(rank).unwrap_or(u32::MAX));
        }
    }
}

fn words() -> Option<&'static Fst<&'static [u8]>> {
    static WORDS: OnceLock<Option<Fst<&'static [u8]>>> = OnceLock::new();
    WORDS.get_or_init(|| Fst::new(BYTES).ok()).as_ref()
}

static BYTES: &[u8] = include_bytes!("../../../data/words.fst");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names_of_both_languages_are_found_with_their_ranks() {
        let words = words().unwrap();
        assert!(words.len() > 50_000, "{}", words.len());
        assert!(words.verify().is_ok());
        let found = |text: &str| {
            let text: Vec<char> = text.chars().collect();
            let mut all = Vec::new();
            words_at(&text, &mut |length, rank| all.push((length, rank)));
            all
        };
        let lengths = |text| {
            found(text)
                .into_iter()
                .map(|(length, _)| length)
                .collect::<Vec<_>>()
        };
        assert!(lengths("marie14").contains(&5));
        assert!(lengths("soleilrouge").contains(&6));
        assert!(lengths("smithson").contains(&5));
        assert!(lengths("gwenaelle").contains(&9));
        assert_eq!(lengths("xkqz"), [0_usize; 0]);
        let rank = |text: &str| found(text).last().unwrap().1;
        assert!(
            rank("bonjour") < rank("sanglots"),
            "the more used, the sooner tried"
        );
    }
}
