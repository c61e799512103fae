//! What pages look like, and where they send people who need somebody.

use std::sync::Arc;

/// `[brand]`: what pages look like.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Brand {
    /// The name in titles and headers.
    pub name: String,
    /// The picture beside it.
    pub logo: Option<Logo>,
    /// The same for dark pages; `None`: the other one.
    pub logo_dark: Option<Logo>,
    /// The colour of links and buttons, before contrast is seen to; `None`: the built-in one.
    pub accent: Option<Accent>,
}

/// A picture that was read and found harmless.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Logo {
    /// What it is.
    pub format: LogoFormat,
    /// The file's content.
    pub bytes: Arc<[u8]>,
}

/// What kind of picture a logo is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogoFormat {
    /// `image/png`.
    Png,
    /// `image/svg+xml`, without script, style, foreign or external content.
    Svg,
}

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accent {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

/// `[contact]`: where pages send people who need somebody. Each is an `https:`, `mailto:` or `tel:`
/// address; a page shows no link for one that is missing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Contact {
    /// Help with signing in.
    pub support: Option<String>,
    /// The privacy notice.
    pub privacy: Option<String>,
    /// The data protection officer.
    pub dpo: Option<String>,
    /// The accessibility statement.
    pub accessibility: Option<String>,
    /// What that statement says.
    pub accessibility_verdict: Option<AccessibilityVerdict>,
    /// Where to report a flaw; also in `security.txt` (RFC 9116).
    pub security: Option<String>,
}

/// The three verdicts of a French accessibility statement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessibilityVerdict {
    /// « non conforme »
    NotConformant,
    /// « partiellement conforme »
    PartlyConformant,
    /// « totalement conforme »
    Conformant,
}
