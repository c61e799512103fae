//! The rules: each a small type that knows its figures, what is stricter, and when a password fails it.

mod classes;
mod length;
mod lists;
mod person;
mod variety;

use std::{cell::OnceCell, fmt};

use zeroize::Zeroizing;

pub use self::{
    classes::{Class, ClassCounts, Classes, Counts, UnlessLength},
    length::{LengthMax, LengthMin},
    lists::{Breached, GuessesMin, NotBreached, NotCommon, NotListed, WhenUnknown},
    person::{NotCurrent, NotOwnData, NotReused, NotSimilar},
    variety::{DistinctMin, EntropyMin, RepeatMax, SequenceMax},
};
pub use super::own_data::OwnData;
use super::{
    common,
    guesses::Guesses,
    opaque::OpaquePassword,
    verdict::{OwnDatum, Reason},
};

/// What every rule can do.
pub trait PasswordRule: Copy {
    /// The stable id used by files, pages, the API and the journal.
    const ID: &'static str;

    /// The stricter of both: what it takes, both take.
    #[must_use]
    fn stricter(self, other: Self) -> Self;

    /// Judges a password.
    fn judge(self, candidate: &Candidate<'_>) -> Outcome;
}

/// The way from [`Rule`] back to one of the types.
pub trait OneRule: PasswordRule {
    /// Which rule it is.
    const KIND: RuleKind;

    /// The rule, if it is this one.
    fn of(rule: Rule) -> Option<Self>;
}

/// What one rule says of one password.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// It is met.
    Met,
    /// It is not, and why.
    Failed(Reason),
    /// It needs something that is not looked up while somebody types.
    Later,
}

impl Outcome {
    fn failed_if(fails: bool, reason: Reason) -> Self {
        if fails {
            Self::Failed(reason)
        } else {
            Self::Met
        }
    }
}

/// Makes [`Rule`] and [`RuleKind`] of the types above: adding a rule is a file and a line here.
macro_rules! rules {
    ($($name:ident),+ $(,)?) => {
        /// One rule with its figures. The kinds stand in the order in which people read them.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Rule {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )+
        }

        /// Which rule, whatever its figures.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum RuleKind {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name,
            )+
        }

        impl RuleKind {
            /// All of them, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable id used by files, pages, the API and the journal.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => <$name as PasswordRule>::ID,)+
                }
            }
        }

        impl Rule {
            /// Which rule it is.
            pub const fn kind(self) -> RuleKind {
                match self {
                    $(Self::$name(_) => RuleKind::$name,)+
                }
            }

            /// The stricter of both; this one where the other is another rule.
            #[must_use]
            pub fn stricter(self, other: Self) -> Self {
                match (self, other) {
                    $((Self::$name(one), Self::$name(other)) => Self::$name(one.stricter(other)),)+
                    _ => self,
                }
            }

            /// What it says of a password.
            pub fn judge(self, candidate: &Candidate<'_>) -> Outcome {
                match self {
                    $(Self::$name(rule) => rule.judge(candidate),)+
                }
            }
        }

        $(
            impl From<$name> for Rule {
                fn from(rule: $name) -> Self {
                    Self::$name(rule)
                }
            }

            impl OneRule for $name {
                const KIND: RuleKind = RuleKind::$name;

                fn of(rule: Rule) -> Option<Self> {
                    if let Rule::$name(rule) = rule { Some(rule) } else { None }
                }
            }
        )+
    };
}

rules! {
    LengthMin,
    LengthMax,
    Classes,
    ClassCounts,
    DistinctMin,
    RepeatMax,
    SequenceMax,
    EntropyMin,
    GuessesMin,
    NotCommon,
    NotListed,
    NotBreached,
    NotOwnData,
    NotCurrent,
    NotSimilar,
    NotReused,
}

impl Rule {
    /// The stable id used by files, pages, the API and the journal.
    pub const fn id(self) -> &'static str {
        self.kind().id()
    }
}

/// A fact that may not have been looked up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Known<T> {
    /// It was.
    Now(T),
    /// It is when the password is sent.
    Later,
}

/// The password that is replaced.
#[derive(Clone, Copy)]
pub enum Replaced<'a> {
    /// There is none, or it was somebody else's choice.
    Nothing,
    /// It has not been verified yet.
    Later,
    /// This one, verified in the same request.
    Password(&'a OpaquePassword),
}

impl fmt::Debug for Replaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Later => "Later",
            Self::Password(_) => "Password",
        })
    }
}

/// What the rules cannot find out by themselves: it takes a store, a file, a clock or a network.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What is known of the person and the place.
    pub own: OwnData<'a>,
    /// How many guesses the password takes.
    pub guesses: Known<Guesses>,
    /// Whether it stands on the organisation's own list.
    pub listed: Known<bool>,
    /// Whether it was breached.
    pub breached: Known<Breached>,
    /// Whether it is the account's password of now.
    pub is_current: Known<bool>,
    /// The password that it replaces.
    pub replaced: Replaced<'a>,
    /// Whether it is one of the last passwords of the account.
    pub is_reused: Known<bool>,
}

impl<'a> Facts<'a> {
    /// While somebody types: of the person nothing is looked up but their own data.
    pub const fn while_typing(own: OwnData<'a>) -> Self {
        Self {
            own,
            guesses: Known::Later,
            listed: Known::Later,
            breached: Known::Later,
            is_current: Known::Later,
            replaced: Replaced::Later,
            is_reused: Known::Later,
        }
    }
}

/// A password that is judged, with what is known of it.
pub struct Candidate<'a> {
    password: &'a OpaquePassword,
    facts: Facts<'a>,
    folded: Zeroizing<Vec<char>>,
    is_common: OnceCell<bool>,
    own_datum: OnceCell<Option<OwnDatum>>,
}

impl<'a> Candidate<'a> {
    /// A password with these facts.
    pub fn new(password: &'a OpaquePassword, facts: Facts<'a>) -> Self {
        Self {
            password,
            facts,
            folded: Zeroizing::new(common::fold(password.as_str())),
            is_common: OnceCell::new(),
            own_datum: OnceCell::new(),
        }
    }

    fn text(&self) -> &str {
        self.password.as_str()
    }

    fn len(&self) -> u32 {
        self.password.len()
    }

    /// In lower case and without accents.
    fn folded(&self) -> &[char] {
        &self.folded
    }

    const fn facts(&self) -> &Facts<'a> {
        &self.facts
    }

    fn class_counts(&self) -> Counts {
        Counts::in_text(self.text())
    }

    /// Judged once, however many policies ask.
    fn is_common(&self) -> bool {
        *self
            .is_common
            .get_or_init(|| common::is_common(self.text()))
    }

    fn holds_year(&self) -> bool {
        self.facts.own.holds_year(self.text())
    }

    /// The same.
    fn own_datum(&self) -> Option<OwnDatum> {
        *self
            .own_datum
            .get_or_init(|| self.facts.own.held_by(self.text()))
    }
}

#[cfg(test)]
mod tests;
