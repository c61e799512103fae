//! What is said of a password: each rule, whether it is met, and the figures that a page shows.

/// One rule with its figures, as a page lists it before anything is typed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// At least this many code points.
    LengthMin(u32),
    /// At most this many code points.
    LengthMax(u32),
    /// No control character, no unassigned code point.
    Readable,
    /// Not one of the passwords that everybody tries first.
    NotCommon,
    /// Without the person's own login, name, address, organisation or the product's name.
    NotOwnData,
    /// Enough different characters: formal entropy of at least this many bits.
    EntropyBitsMin(u32),
    /// Another one than the password that it replaces.
    NotCurrent,
}

impl Rule {
    /// The stable id used by pages, the API and the journal.
    pub const fn id(self) -> &'static str {
        match self {
            Self::LengthMin(_) => "length_min",
            Self::LengthMax(_) => "length_max",
            Self::Readable => "readable",
            Self::NotCommon => "not_common",
            Self::NotOwnData => "not_own_data",
            Self::EntropyBitsMin(_) => "entropy_min",
            Self::NotCurrent => "not_current",
        }
    }
}

/// Why a rule is not met, with the figures for the sentence that says so.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing was typed.
    Empty,
    /// Characters are missing.
    TooShort {
        /// How many are missing.
        missing: u32,
        /// How many are needed.
        minimum: u32,
    },
    /// There are more characters than are taken.
    TooLong {
        /// How many are taken.
        maximum: u32,
    },
    /// It holds a control character or an unassigned code point.
    Unreadable,
    /// It is one of the passwords that everybody tries first.
    Common,
    /// It holds something that is known of the person.
    OwnData(OwnDatum),
    /// Too few different kinds of characters for its length.
    TooUniform {
        /// Its formal entropy, rounded down.
        bits: u32,
        /// How much is needed.
        minimum_bits: u32,
    },
    /// It is the password that is to be replaced.
    Current,
}

/// Which of the person's own data a password holds; never the part itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OwnDatum {
    /// What stands before the `@` of the e-mail address.
    Email,
    /// A host of this installation.
    Host,
    /// The login.
    Login,
    /// A part of the person's name.
    Name,
    /// The name of the product.
    Product,
    /// The organisation.
    Tenant,
}

/// One rule and what was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Why it is not met; `None` where it is.
    pub failed: Option<Reason>,
}

/// All rules in rule order, each with what was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    findings: Box<[Finding]>,
}

impl Verdict {
    /// The verdict that these findings make.
    pub fn new(findings: impl Into<Box<[Finding]>>) -> Self {
        Self {
            findings: findings.into(),
        }
    }

    /// Whether every rule is met.
    pub fn is_acceptable(&self) -> bool {
        self.reasons().next().is_none()
    }

    /// Every rule, in rule order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Why it is not acceptable: all reasons, in rule order.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> {
        self.findings.iter().filter_map(|finding| finding.failed)
    }
}
