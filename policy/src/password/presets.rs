//! Policies to begin from: the one that is shipped, and one for each text that somebody may have promised to meet.

use super::{
    guesses::Guesses,
    opaque::OpaquePassword,
    policy::Policy,
    rules::{
        Classes, EntropyMin, GuessesMin, LengthMax, LengthMin, NotCommon, NotCurrent, NotOwnData,
        Rule, UnlessLength,
    },
    times::{AgeMax, ProvisionalLife, Times, WhenOld},
};

/// A policy to begin from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Preset {
    /// What is shipped: meets CNIL case 2, ANSSI "strong", NIST and ASVS at once.
    Shipped,
    /// The same where a second factor is enforced: 12 characters.
    SecondFactor,
    /// CNIL 2022-100, case 1: 80 bits, whatever protects the sign-in besides.
    CnilCase1,
    /// CNIL 2022-100, case 2 by its own example: 8 characters of 3 kinds, where attempts are limited.
    CnilCase2,
    /// A layer for administrators: the CNIL asks that privileged accounts renew.
    CnilAdmin,
    /// A layer for contracts that ask for a change each six months.
    PmcSixMonths,
}

impl Preset {
    /// All of them, in the order in which a page offers them.
    pub const ALL: [Self; 6] = [
        Self::Shipped,
        Self::SecondFactor,
        Self::CnilCase1,
        Self::CnilCase2,
        Self::CnilAdmin,
        Self::PmcSixMonths,
    ];

    /// The name by which files, pages and commands call it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::SecondFactor => "second-factor",
            Self::CnilCase1 => "cnil-case-1",
            Self::CnilCase2 => "cnil-case-2",
            Self::CnilAdmin => "cnil-admin",
            Self::PmcSixMonths => "pmc-6-months",
        }
    }

    /// The preset of this name.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.id() == id)
    }

    /// Whether it stands on top of a base instead of being one.
    pub const fn is_layer(self) -> bool {
        matches!(self, Self::CnilAdmin | Self::PmcSixMonths)
    }

    /// The policy.
    pub fn policy(self) -> Policy {
        match self {
            Self::Shipped => base(15, []),
            Self::SecondFactor => base(12, []),
            Self::CnilCase1 => base(
                14,
                [
                    Classes {
                        at_least: 3,
                        unless_length: UnlessLength(Some(CASE_1_PHRASE)),
                    }
                    .into(),
                    EntropyMin { bits: 80 }.into(),
                ],
            ),
            Self::CnilCase2 => base(
                8,
                [Classes {
                    at_least: 3,
                    unless_length: UnlessLength(Some(CASE_2_PHRASE)),
                }
                .into()],
            ),
            Self::CnilAdmin => layer(365),
            Self::PmcSixMonths => layer(183),
        }
    }
}

/// The rules that every base of ours has: NIST SP 800-63B-4, section 3.1.1.2, and CNIL case 2's 50 bits, which above
/// the length only ever bite on digits.
fn base<const N: usize>(length_min: u32, more: [Rule; N]) -> Policy {
    let common: [Rule; 7] = [
        LengthMin(length_min).into(),
        LengthMax(OpaquePassword::LEN_MAX).into(),
        EntropyMin { bits: 50 }.into(),
        GuessesMin(GUESSES).into(),
        NotCommon.into(),
        NotOwnData::default().into(),
        NotCurrent.into(),
    ];
    let times = Times {
        provisional_life: Some(ProvisionalLife { hours: 24 }),
        ..Times::default()
    };
    // Where `more` asks for other bits, the stricter of both stands.
    Policy::new(common.into_iter().chain(more), times)
}

/// A change after so many days, with a fortnight's notice.
fn layer(days: u32) -> Policy {
    let times = Times {
        age_max: Some(AgeMax {
            days,
            when_old: WhenOld::Force,
            warning_days: 14,
        }),
        ..Times::default()
    };
    Policy::new([], times)
}

/// 10^10 guesses: what zxcvbn calls "very unguessable", safe even where hashes were stolen and are slow ones.
const GUESSES: Guesses = Guesses::from_log10_millis(10_000);
/// 18 small letters have 84 bits by the CNIL's count.
const CASE_1_PHRASE: u32 = 18;
/// 12 small letters have 56.
const CASE_2_PHRASE: u32 = 12;
