//! "Did you mean": the known word that a mistyped one is nearest to.

/// A remedy that names the nearest word, where one is near enough to be meant.
pub(crate) fn did_you_mean<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| {
            let longer = candidate.chars().count().max(word.chars().count());
            *distance <= MISTAKES_MAX && distance * 2 < longer
        })
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// So many letters may be wrong, missing, too many or swapped with their neighbour.
const MISTAKES_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named_and_a_far_one_is_not() {
        let known = ["portal", "https", "http", "data"];
        let meant = |word| did_you_mean(word, known.into_iter());
        assert_eq!(meant("portla").as_deref(), Some("did you mean `portal`?"));
        assert_eq!(meant("dta").as_deref(), Some("did you mean `data`?"));
        assert_eq!(meant("database"), None);
        assert_eq!(meant("x"), None);
    }
}
