//! How many guesses a password takes: log10, in thousandths, so that it compares and adds exactly.

use std::fmt;

/// A number of guesses, as its decimal logarithm.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Guesses {
    log10_millis: u32,
}

impl Guesses {
    /// So many thousandths of a power of ten: 10,500 are 10^10.5 guesses.
    pub const fn from_log10_millis(log10_millis: u32) -> Self {
        Self { log10_millis }
    }

    /// The decimal logarithm in thousandths.
    pub const fn log10_millis(self) -> u32 {
        self.log10_millis
    }

    /// The decimal logarithm in tenths, rounded down: what pages and files show.
    pub const fn log10_tenths(self) -> u32 {
        self.log10_millis / 100
    }
}

/// As pages and commands write it: `10^10.5`.
impl fmt::Display for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.log10_tenths();
        write!(f, "10^{}.{}", tenths / 10, tenths % 10)
    }
}
