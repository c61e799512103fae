//! How strongly somebody proved who they are.

/// The strength of a proof, weakest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Assurance {
    /// A password alone.
    Password,
    /// A password and a second factor.
    TwoFactor,
    /// A passkey with user verification, which is two factors and resists phishing.
    Passkey,
}

impl Assurance {
    /// The word for configuration, journal and `acr`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::TwoFactor => "two_factor",
            Self::Passkey => "passkey",
        }
    }

    /// Authentication methods for the claim `amr` (RFC 8176, section 2).
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::TwoFactor => &["pwd", "otp", "mfa"],
            Self::Passkey => &["hwk", "user", "mfa"],
        }
    }
}
