//! The formal entropy that a policy guarantees: that of the weakest password it takes, by the CNIL's count.

use crate::password::{
    entropy::log2_millis,
    policy::Policy,
    rules::{ClassCounts, Classes, Counts, EntropyMin, LengthMin, UnlessLength},
};

/// In thousandths of a bit: length × log2 of the smallest alphabet that the policy lets somebody use, or what the rule
/// of entropy asks, whichever is more.
pub fn guaranteed_millibits(policy: &Policy) -> u32 {
    let length_min = policy.get().map_or(0, |LengthMin(length)| length);
    let asked = policy
        .get()
        .map_or(0, |EntropyMin { bits }| bits.saturating_mul(1000));
    let demands = [demand_of_classes(policy), demand_of_counts(policy)];
    // Whoever types a phrase that is long enough is spared the kinds; the weakest way in counts.
    let lengths = demands.iter().filter_map(|demand| demand.unless_length.0);
    let ways = std::iter::once(length_min).chain(lengths.map(|length| length.max(length_min)));
    let weakest = ways.map(|length| {
        let is_spared = |demand: &&Demand| {
            let unless = demand.unless_length.0;
            unless.is_none_or(|enough| length < enough)
        };
        let alphabet = demands
            .iter()
            .filter(is_spared)
            .map(|demand| demand.alphabet)
            .max();
        length.saturating_mul(log2_millis(alphabet.unwrap_or(DIGITS).max(DIGITS)))
    });
    weakest.min().unwrap_or(0).max(asked)
}

/// The smallest alphabet that a rule about kinds leaves, and the length from which on it asks nothing.
struct Demand {
    alphabet: u32,
    unless_length: UnlessLength,
}

const NO_DEMAND: Demand = Demand {
    alphabet: DIGITS,
    unless_length: UnlessLength(None),
};

fn demand_of_classes(policy: &Policy) -> Demand {
    policy.get().map_or(NO_DEMAND, |classes: Classes| {
        let kinds = usize::try_from(classes.at_least).unwrap_or(usize::MAX);
        Demand {
            alphabet: SMALLEST_FIRST.iter().take(kinds).sum(),
            unless_length: classes.unless_length,
        }
    })
}

fn demand_of_counts(policy: &Policy) -> Demand {
    policy
        .get()
        .map_or(NO_DEMAND, |counts: ClassCounts| Demand {
            alphabet: alphabet_of(counts.at_least),
            unless_length: counts.unless_length,
        })
}

fn alphabet_of(counts: Counts) -> u32 {
    let sizes = counts
        .each()
        .map(|(class, count)| (class.alphabet(), count));
    let used = sizes.filter(|(_, count)| *count > 0);
    used.map(|(size, _)| size).sum()
}

/// Ten digits: the weakest that somebody can type.
const DIGITS: u32 = 10;
/// Digits, small letters, capitals, signs.
const SMALLEST_FIRST: [u32; 4] = [DIGITS, 26, 26, 33];
