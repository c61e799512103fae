//! `octroi user …`: accounts, as an operator works on them.

use clap::{Args, Subcommand};

use super::{ConfigFile, Failure, Outcome, Output};

/// What is to be done with an account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an account with a provisional password, which the person must change at first sign-in
    #[command(after_help = "\
Example: octroi user add acme/marie --name 'Marie Dupont' --role rh
The provisional password is printed once, or read from the first line of standard input.")]
    Add(AddArguments),
    /// Make a link by which the person chooses a first password; adds the account where it is new
    #[command(after_help = "\
Example: octroi user invite acme/marie --name 'Marie Dupont' --role rh --language fr
The link works once and for 72 hours; asking again makes a new one and ends the old.")]
    Invite(InviteArguments),
    /// List accounts
    List(ListArguments),
    /// Show one account
    Show(OneAccount),
    /// Lock an account and end its sessions
    Lock(OneAccount),
    /// Unlock an account
    Unlock(OneAccount),
    /// Give a new provisional password and end the account's sessions
    Reset(ResetArguments),
    /// Delete an account, its sessions and its key: personal data in the journal becomes unreadable
    Delete(OneAccount),
}

/// An account, as `TENANT/LOGIN`.
#[derive(Args, Debug)]
pub(crate) struct OneAccount {
    /// The account
    #[arg(value_name = "TENANT/LOGIN")]
    account: String,
    #[command(flatten)]
    config: ConfigFile,
}

/// What is known of a new account.
#[derive(Args, Debug)]
pub(crate) struct AccountFacts {
    /// The person's name, as pages and letters show it
    #[arg(long)]
    name: Option<String>,
    /// The person's address for mail
    #[arg(long)]
    email: Option<String>,
    /// A role that the account holds; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The language of pages and letters before the person has chosen one
    #[arg(long, value_name = "fr|en")]
    language: Option<String>,
    /// Create the tenant too, where there is none of this name
    #[arg(long)]
    new_tenant: bool,
}

/// What `user add` is told.
#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    one: OneAccount,
    #[command(flatten)]
    facts: AccountFacts,
    #[command(flatten)]
    password: PasswordSource,
}

/// What `user invite` is told.
#[derive(Args, Debug)]
pub(crate) struct InviteArguments {
    #[command(flatten)]
    one: OneAccount,
    #[command(flatten)]
    facts: AccountFacts,
    /// How long the link works, in hours, 1 to 168
    #[arg(long, value_name = "HOURS", default_value_t = 72, value_parser = clap::value_parser!(u16).range(1..=168))]
    hours: u16,
    /// Print the letter to hand to the person instead of the bare link
    #[arg(long)]
    letter: bool,
}

/// What `user list` is told.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Only this tenant's accounts
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
}

/// What `user reset` is told.
#[derive(Args, Debug)]
pub(crate) struct ResetArguments {
    #[command(flatten)]
    one: OneAccount,
    #[command(flatten)]
    password: PasswordSource,
}

/// Where a provisional password comes from.
#[derive(Args, Debug)]
pub(crate) struct PasswordSource {
    /// Read the password from the first line of standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
}

pub(crate) fn run(command: Command, _output: &Output) -> Outcome {
    Err(Failure::Unavailable(format!(
        "no gateway answers: {command:?}"
    )))
}
