//! Logs: what is written, where, and never a secret.
//!
//! Never logged, at any level: passwords, tokens, cookies, tickets, invitation links, keys, the
//! query of a URL, bodies, and identifiers that people typed and that name no account. Types that
//! hold such things have no `Debug`, so that they cannot be logged by accident.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, layer::SubscriberExt};

/// How the log is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct LogOptions {
    /// How log lines are written, to standard error
    #[arg(long = "log", value_enum, env = "OCTROI_LOG", default_value_t = LogFormat::Text)]
    format: LogFormat,
    /// How much is logged: error, warn, info, debug, or one level a module
    #[arg(
        long = "log-level",
        value_name = "LEVEL",
        env = "OCTROI_LOG_LEVEL",
        default_value = "info"
    )]
    level: String,
}

/// For whom log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON document a line.
    Json,
}

/// Begins to log. Once a process.
///
/// # Errors
///
/// When the level is no level, or logging was begun already.
pub(crate) fn start(options: &LogOptions) -> Result<(), LogStartError> {
    let filter = EnvFilter::builder()
        .parse(&options.level)
        .map_err(|_| LogStartError::Level(options.level.clone()))?;
    // Pingora and its dependencies speak through `log`, at length below "warn", and of request
    // lines and headers, which are not for the log.
    tracing_log::LogTracer::init_with_filter(BRIDGED_LEVEL_MAX)
        .map_err(|_| LogStartError::Twice)?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let set = match options.format {
        LogFormat::Text => tracing::subscriber::set_global_default(
            registry.with(layer.with_target(false).with_writer(EscapedStderr)),
        ),
        LogFormat::Json => tracing::subscriber::set_global_default(
            registry.with(layer.json().flatten_event(true).with_writer(io::stderr)),
        ),
    };
    set.map_err(|_| LogStartError::Twice)
}

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogStartError {
    /// The level is no level.
    #[error("{0:?} is no log level: error, warn, info, debug or trace is wanted")]
    Level(String),
    /// Somebody logs already.
    #[error("the log was begun twice")]
    Twice,
}

/// Standard error, with control characters escaped: a line of the log is one line, and what a
/// stranger sent does not steer a terminal.
#[derive(Clone, Copy, Debug)]
struct EscapedStderr;

impl<'a> MakeWriter<'a> for EscapedStderr {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for EscapedStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&escaped(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// One line, its end kept, every other control character written as `\u{…}`.
fn escaped(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let (text, end) = match text.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (&*text, ""),
    };
    let mut safe = String::with_capacity(line.len());
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe.push_str(end);
    safe.into_bytes()
}

/// What is heard of crates that speak through `log`.
const BRIDGED_LEVEL_MAX: tracing_log::log::LevelFilter = tracing_log::log::LevelFilter::Warn;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_stays_one_line_whatever_it_quotes() {
        assert_eq!(
            escaped(b"refused path=/a\nINFO forged\x1b[2J\n"),
            b"refused path=/a\\u{a}INFO forged\\u{1b}[2J\n"
        );
    }
}
