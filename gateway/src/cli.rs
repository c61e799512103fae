//! The command line: one file a command.

mod certificate;
mod check;
mod connection;
mod demo;
mod explain;
mod init;
mod journal;
#[cfg(feature = "load-test")]
mod load_test;
mod output;
mod policy;
mod reload;
mod serve;
mod session;
mod user;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use self::output::Format;
pub(crate) use self::output::Output;

/// Reads the command line and runs what it asks for.
pub(crate) fn run() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return answer_of_the_parser(&error),
    };
    let output = Output::new(if line.json {
        Format::Json
    } else {
        Format::Text
    });
    match line.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

/// An authentication gateway: people sign in here, and only then reach the services behind it.
#[derive(Debug, Parser)]
#[command(name = "octroi", version, propagate_version = true, after_help = EXIT_CODES)]
struct CommandLine {
    /// Print facts and failures as JSON, for scripts; the form of the log is `--log` of `serve`
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up and run a complete installation to try out, with three services and made-up people
    Demo(demo::Arguments),
    /// Make the directory, keyring and configuration of a new installation
    Init(init::Arguments),
    /// Make a certificate for some hosts to try out, and the authority that vouches for it
    Certificate(certificate::Arguments),
    /// Fill a store with sessions, for benchmarks
    #[cfg(feature = "load-test")]
    LoadTest(load_test::Arguments),
    /// Run the gateway
    Serve(serve::Arguments),
    /// Say everything that is wrong with a configuration file
    Check(check::Arguments),
    /// Say whether a request would pass, and by which rule
    Explain(explain::Arguments),
    /// Have the running gateway read its configuration again
    Reload(reload::Arguments),
    /// Password rules: show, try
    #[command(subcommand)]
    Policy(policy::Command),
    /// Accounts: add, invite, list, show, lock, unlock, roles, grant, reset, delete
    #[command(subcommand)]
    User(user::Command),
    /// Sessions: list, revoke
    #[command(subcommand)]
    Session(session::Command),
    /// The journal: search, verify, export
    #[command(subcommand)]
    Journal(journal::Command),
}

impl Command {
    fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Demo(arguments) => demo::run(arguments, output),
            #[cfg(feature = "load-test")]
            Self::LoadTest(arguments) => load_test::run(arguments, output),
            Self::Init(arguments) => init::run(&arguments, output),
            Self::Certificate(arguments) => certificate::run(&arguments, output),
            Self::Serve(arguments) => serve::run(&arguments),
            Self::Reload(arguments) => reload::run(&arguments, output),
            Self::Check(arguments) => check::run(&arguments, output),
            Self::Explain(arguments) => explain::run(&arguments, output),
            Self::Policy(command) => policy::run(command, output),
            Self::User(command) => user::run(command, output),
            Self::Session(command) => session::run(command, output),
            Self::Journal(command) => journal::run(command, output),
        }
    }
}

/// How a command ends.
pub(crate) type Outcome = Result<(), Failure>;

/// Why a command did not do what it was asked for; the variant decides the exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was refused, or problems were found (exit code 1). The text says what and how to mend it.
    #[error("{0}")]
    Refused(String),
    /// The problems were printed already (exit code 1).
    #[error("problems were found")]
    Shown,
    /// The command line asks for something that makes no sense (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// Store, gateway or network cannot be reached (exit code 3).
    #[error("{0}")]
    Unavailable(String),
}

impl Failure {
    /// The exit code that scripts rely on.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) | Self::Shown => 1,
            Self::Usage(_) => 2,
            Self::Unavailable(_) => 3,
        })
    }
}

/// Runs a gateway's own affairs (stores, reload, admin API) beside the workers that carry
/// connections.
fn on_background_runtime(affairs: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(BACKGROUND_THREADS)
        .thread_name("background")
        .enable_all()
        .build()
        .map_err(|error| Failure::Unavailable(format!("no runtime can be started: {error}")))?;
    let outcome = runtime.block_on(affairs);
    // Whatever has something to finish was waited for; a file on a mount that hangs is not.
    runtime.shutdown_timeout(LEFT_BEHIND);
    outcome
}

/// Which configuration file a command reads.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(
        short = 'c',
        long = "config",
        value_name = "FILE",
        env = "OCTROI_CONFIG",
        default_value = "/etc/octroi/octroi.toml"
    )]
    pub(crate) path: std::path::PathBuf,
}

/// Which gateway a command asks.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct GatewayAt {
    #[command(flatten)]
    pub(crate) file: ConfigFile,
    /// Where the gateway that runs takes commands; needed only if FILE is too broken to say it
    #[arg(long, value_name = "PATH", env = "OCTROI_ADMIN_SOCKET")]
    pub(crate) socket: Option<std::path::PathBuf>,
}

/// Help and version go to standard output with success, everything else is a usage error.
fn answer_of_the_parser(error: &clap::Error) -> ExitCode {
    // Nothing is left to be done where the terminal is gone.
    let _ = error.print();
    u8::try_from(error.exit_code()).map_or_else(|_| ExitCode::from(2), ExitCode::from)
}

/// Threads of the background runtime.
const BACKGROUND_THREADS: usize = 2;

/// How long threads that wait for files are given at the end.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 refused or problems found, 2 usage, 3 store or network unavailable.

Try it:  octroi demo
Learn:   octroi help COMMAND";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn no_command_takes_a_password_as_an_argument() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let takes_value = argument.get_action().takes_values();
                assert!(
                    !(name.contains("password") && takes_value),
                    "{} {name}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&CommandLine::command());
    }
}
