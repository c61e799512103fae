//! What commands print: facts to standard output, failures to standard error.

use std::{
    fmt::{self, Display, Write as _},
    io::{self, Write},
};

use serde::Serialize;

use super::Failure;

/// Where a command's words go.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
}

/// For whom facts are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

impl Output {
    /// Prints facts in this format.
    pub(crate) const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Prints a fact: its fields for scripts, its sentence for people.
    pub(crate) fn fact<F: Serialize + Display>(&self, fact: &F) {
        match self.format {
            Format::Text => self.line(fact),
            Format::Json => self.json(fact),
        }
    }

    /// Prints several facts: a JSON array, or one after the other with `none` where there are none.
    pub(crate) fn facts<F: Serialize + Display>(&self, facts: &[F], none: &str) {
        match self.format {
            Format::Json => self.json(facts),
            Format::Text if facts.is_empty() => self.line(&none),
            Format::Text => facts.iter().for_each(|fact| self.line(fact)),
        }
    }

    /// Prints words for people; scripts do not see them.
    pub(crate) fn say<T: Display + ?Sized>(&self, text: &T) {
        if self.format == Format::Text {
            self.line(text);
        }
    }

    /// Prints a line whatever the format is.
    #[expect(clippy::unused_self, reason = "whoever prints holds the output")]
    pub(crate) fn line<T: Display + ?Sized>(&self, text: &T) {
        write_line(io::stdout().lock(), &Visible(text));
    }

    /// Prints why the command did not do what it was asked for.
    pub(crate) fn failure(&self, failure: &Failure) {
        if matches!(failure, Failure::Shown) {
            return;
        }
        match self.format {
            Format::Text => write_line(
                io::stderr().lock(),
                &format_args!("octroi: {}", Visible(failure)),
            ),
            Format::Json => {
                let document = serde_json::json!({ "error": failure.to_string() });
                write_line(io::stderr().lock(), &Escaped(&document.to_string()));
            }
        }
    }

    /// Prints a JSON document on a line of its own, whatever the format is.
    #[expect(clippy::unused_self, reason = "whoever prints holds the output")]
    pub(crate) fn json<F: Serialize + ?Sized>(&self, fact: &F) {
        match serde_json::to_string(fact) {
            Ok(document) => write_line(io::stdout().lock(), &Escaped(&document)),
            Err(error) => write_line(io::stderr().lock(), &error),
        }
    }
}

/// Prints what somebody should know of a command that does what it was asked for. Facts are on
/// standard output, so scripts are not disturbed.
pub(super) fn warning(text: &str) {
    write_line(
        io::stderr().lock(),
        &format_args!("octroi: {}", Visible(text)),
    );
}

/// Whether a character steers how a terminal shows others, and is not seen itself: controls, and
/// what Unicode calls format characters (general category Cf), those that turn the direction of
/// writing among them.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// A JSON document in which what steers a terminal is escaped. Such characters stand in strings
/// alone, where RFC 8259 (section 7) lets every character be escaped.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_steering(character) {
                let mut units = [0; 2];
                let mut units = character.encode_utf16(&mut units).iter();
                units.try_for_each(|unit| write!(f, "\\u{unit:04x}"))?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Text in which what steers a terminal is escaped, save line ends and tabs: what a stranger sent
/// as the name of a browser must not steer the operator's, nor make a line read otherwise.
pub(crate) struct Visible<T>(pub(crate) T);

impl<T: Display> Display for Visible<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write!(text, "{}", self.0)?;
        for character in text.chars() {
            if is_steering(character) && !matches!(character, '\n' | '\t') {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// A reader that went away (`octroi … | head`) is no failure of the command.
fn write_line(mut to: impl Write, text: &dyn Display) {
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let shown = Visible("Fire\u{1b}[2Jfox\r\u{9b}31m\nnext\tcell").to_string();
        assert_eq!(shown, "Fire\\u{1b}[2Jfox\\u{d}\\u{9b}31m\nnext\tcell");
    }

    #[test]
    fn what_turns_the_direction_of_a_line_is_escaped() {
        let shown = Visible("browser=\u{202e}toor\u{2066}x\u{feff}é").to_string();
        assert_eq!(shown, "browser=\\u{202e}toor\\u{2066}x\\u{feff}é");
    }

    #[test]
    fn json_stays_the_same_document_and_steers_no_terminal() {
        let said = "a\u{9b}31m\u{202e}\u{7f}\u{e0041}é\n";
        let document = serde_json::to_string(&[said]).unwrap();
        let shown = Escaped(&document).to_string();
        assert!(
            shown.chars().all(|character| !is_steering(character)),
            "{shown}"
        );
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [said]);
    }
}
