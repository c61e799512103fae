//! Makes the shipped table of words: `cargo run -p octroi-policy --example word_list -- OUT [RANK:]LIST…`.
//!
//! Each list is a text file, one word a line, the most used first, so that a word's line is its rank; a list in any
//! other order has one rank for all, given before a colon. Kept are words of at least two letters, folded as
//! passwords are; of a word on several lists the lowest rank. `policy/data/README.md` says which lists.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, Write as _},
};

use fst::MapBuilder;
use octroi_policy::password::fold_word;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("name the file to write")?;
    let mut ranks: BTreeMap<String, u32> = BTreeMap::new();
    for argument in arguments {
        let (rank, list) = match argument.split_once(':') {
            Some((rank, list)) => (Some(rank.parse::<u32>()?), list),
            None => (None, argument.as_str()),
        };
        let text = fs::read_to_string(list)?;
        for (line, word) in (1..).zip(text.lines()) {
            let word = fold_word(word);
            if word.chars().count() < 2 || !word.chars().all(char::is_alphabetic) {
                continue;
            }
            let rank = rank.unwrap_or(line);
            ranks
                .entry(word)
                .and_modify(|known| *known = rank.min(*known))
                .or_insert(rank);
        }
    }
    let mut built = MapBuilder::memory();
    for (word, rank) in &ranks {
        built.insert(word, log10_millis(*rank))?;
    }
    let bytes = built.into_inner()?;
    fs::write(&out, &bytes)?;
    let told = format!("{} words, {} bytes\n", ranks.len(), bytes.len());
    io::stdout().write_all(told.as_bytes())?;
    Ok(())
}

/// The decimal logarithm in thousandths, rounded down.
fn log10_millis(rank: u32) -> u64 {
    let is_reached = |millis: &u32| 10_f64.powf(f64::from(*millis) / 1000.0) <= f64::from(rank);
    (0..10_000)
        .take_while(is_reached)
        .last()
        .unwrap_or(0)
        .into()
}
