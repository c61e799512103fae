//! When passwords change: how old they may grow, how soon they may change again, how long somebody else's choice lasts.

/// The rules about time. Each is off until a policy sets it, but for the provisional life, which has a default.
///
/// NIST SP 800-63B-4 (section 3.1.1.2) and ASVS 6.2.10 are against a maximum age.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Times {
    /// How old a password may grow.
    pub age_max: Option<AgeMax>,
    /// How old it has to be before its owner may change it again.
    pub age_min: Option<AgeMin>,
    /// How long a provisional password opens its one sign-in.
    pub provisional_life: Option<ProvisionalLife>,
    /// How often an account may change its password within a day.
    pub changes_per_day: Option<ChangesPerDay>,
}

impl Times {
    /// What both ask.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            age_max: both(self.age_max, other.age_max, AgeMax::stricter),
            age_min: both(self.age_min, other.age_min, Ord::max),
            provisional_life: both(self.provisional_life, other.provisional_life, Ord::min),
            changes_per_day: both(self.changes_per_day, other.changes_per_day, Ord::min),
        }
    }
}

/// What becomes of a password that is too old.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WhenOld {
    /// Its owner is reminded.
    Remind,
    /// Its owner must change it at the next sign-in; the stricter of both.
    Force,
}

/// How old a password may grow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AgeMax {
    /// Whole days.
    pub days: u32,
    /// What happens then.
    pub when_old: WhenOld,
    /// How many days before its owner is told.
    pub warning_days: u32,
}

impl AgeMax {
    fn stricter(self, other: Self) -> Self {
        Self {
            days: self.days.min(other.days),
            when_old: self.when_old.max(other.when_old),
            warning_days: self.warning_days.max(other.warning_days),
        }
    }
}

/// How old a password has to be before its owner may change it again, in hours: whoever has to change it does not run
/// through the history to come back to the old one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AgeMin {
    /// Whole hours.
    pub hours: u32,
}

/// How long a provisional password opens its one sign-in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProvisionalLife {
    /// Whole hours.
    pub hours: u32,
}

/// How often an account may change its password within 24 hours.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChangesPerDay(pub u32);

/// The stricter of both, or the only one.
fn both<T>(one: Option<T>, other: Option<T>, stricter: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(stricter(one, other)),
        (only, None) | (None, only) => only,
    }
}
