//! Logins in the one form in which store, throttle, journal and command line compare them.
//!
//! RFC 8265, section 3.3 (`UsernameCaseMapped`): width mapping, lower case, NFC, then the
//! `IdentifierClass` of RFC 8264, of which a subset is taken: no digits but ASCII's, and neither
//! `,` nor `/`, so that a login can stand in a header's list and after `tenant/`.

mod scripts;

use std::fmt;

use unicode_normalization::{
    UnicodeNormalization,
    char::{decompose_compatible, is_combining_mark, is_public_assigned},
};

use crate::id::TenantName;

/// A login in canonical form, unique within its tenant.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Login(Box<str>);

impl Login {
    /// The longest login, in characters of its canonical form.
    pub const LEN_MAX: usize = 128;

    /// The canonical form of what somebody typed. Surrounding white space is dropped: it comes
    /// from pasting, and must not make another counter of the same login (attack class C1).
    pub fn canonical(typed: &str) -> Result<Self, MalformedLogin> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(MalformedLogin::Empty);
        }
        // NFC never triples the number of characters; longer input is not worth normalising.
        if typed.len() > TYPED_BYTES_MAX {
            return Err(MalformedLogin::TooLong);
        }
        let mut widths = String::with_capacity(typed.len());
        for character in typed.chars() {
            map_width(character, &mut widths);
        }
        // Character by character: the context rule for a final sigma would give two forms of one login.
        let lowered = widths.chars().flat_map(char::to_lowercase);
        let canonical: String = lowered.nfc().collect();
        if canonical.chars().count() > Self::LEN_MAX {
            return Err(MalformedLogin::TooLong);
        }
        let starts_with_mark = canonical.chars().next().is_some_and(is_combining_mark);
        if starts_with_mark || !canonical.chars().all(is_allowed) {
            return Err(MalformedLogin::Character);
        }
        Ok(Self(canonical.into()))
    }

    /// The canonical form of a login for a new account: besides, it must not be mistaken for
    /// another one by the eye (Unicode TS 39, sections 4 and 5.2).
    pub fn for_new_account(typed: &str) -> Result<Self, MalformedLogin> {
        let login = Self::canonical(typed)?;
        if scripts::mixes_scripts(&login.0) {
            return Err(MalformedLogin::MixedScripts);
        }
        if scripts::looks_latin(&login.0) {
            return Err(MalformedLogin::LooksLatin);
        }
        Ok(login)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A login as people type it: `login`, or `tenant/login`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct QualifiedLogin {
    /// The tenant that was named; `None` where the host or the configuration decides.
    pub tenant: Option<TenantName>,
    /// The login.
    pub login: Login,
}

impl QualifiedLogin {
    /// Reads `login` or `tenant/login`. A tenant is named in any case and found in lower case.
    pub fn parse(typed: &str) -> Result<Self, MalformedLogin> {
        match typed.trim().split_once('/') {
            None => Login::canonical(typed).map(|login| Self {
                tenant: None,
                login,
            }),
            Some((tenant, login)) => Ok(Self {
                tenant: Some(parse_tenant(tenant)?),
                login: Login::canonical(login)?,
            }),
        }
    }
}

/// Reads the name of a tenant as people type it.
pub fn parse_tenant(typed: &str) -> Result<TenantName, MalformedLogin> {
    typed
        .trim()
        .to_ascii_lowercase()
        .parse()
        .map_err(|_| MalformedLogin::Tenant)
}

/// Why a text cannot be a login.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum MalformedLogin {
    /// A character that logins do not have.
    #[error(
        "a login has letters, ASCII digits and ASCII punctuation, but no space, ',' or '/', and no symbol"
    )]
    Character,
    /// Nothing was typed.
    #[error("a login has at least one character")]
    Empty,
    /// Every letter of it looks like a Latin one, and none is.
    #[error("the login looks like one in Latin letters and is none; type it in Latin letters")]
    LooksLatin,
    /// Letters of several scripts.
    #[error("the login mixes letters of several scripts, which can be mistaken for one another")]
    MixedScripts,
    /// What stands before the `/` is no tenant's name.
    #[error("what stands before the '/' is not the name of an organisation")]
    Tenant,
    /// More characters than [`Login::LEN_MAX`].
    #[error("a login has at most {} characters", Login::LEN_MAX)]
    TooLong,
}

/// Bytes that a login of [`Login::LEN_MAX`] characters can have before normalisation: 4 bytes a
/// character, and up to 3 characters that compose to one.
const TYPED_BYTES_MAX: usize = Login::LEN_MAX * 4 * 3;

/// Full-width and half-width forms become the characters they stand for (RFC 8265, section 3.3.1).
fn map_width(character: char, out: &mut String) {
    if character == '\u{3000}' || matches!(character, '\u{ff01}'..='\u{ffee}') {
        decompose_compatible(character, |plain| out.push(plain));
    } else {
        out.push(character);
    }
}

/// The part of RFC 8264's `IdentifierClass` that logins use: its `ASCII7` and `LetterDigits`
/// without `HasCompat` and `Unassigned`, less what the module's heading says.
fn is_allowed(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_graphic() && character != ',' && character != '/';
    }
    let mark = is_combining_mark(character) && !is_enclosing_mark(character);
    let letter = character.is_alphabetic() && !character.is_numeric();
    is_public_assigned(character)
        && (letter || mark)
        && !has_compatibility_form(character)
        && !is_invisible_letter(character)
}

/// RFC 8264, section 9.17: characters that only stand in for others (ligatures, circled letters).
fn has_compatibility_form(character: char) -> bool {
    !std::iter::once(character)
        .nfkc()
        .eq(std::iter::once(character).nfc())
}

/// General category `Me`, which is in none of the classes that `IdentifierClass` takes.
const fn is_enclosing_mark(character: char) -> bool {
    matches!(
        character,
        '\u{0488}'..='\u{0489}'
            | '\u{1abe}'
            | '\u{20dd}'..='\u{20e0}'
            | '\u{20e2}'..='\u{20e4}'
            | '\u{a670}'..='\u{a672}'
    )
}

/// Letters and marks that nobody sees: fillers, and conjoining jamo that did not compose
/// (RFC 8264, sections 9.9 and 9.13).
const fn is_invisible_letter(character: char) -> bool {
    matches!(
        character,
        '\u{034f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{a960}'..='\u{a97c}'
            | '\u{d7b0}'..='\u{d7fb}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests;
