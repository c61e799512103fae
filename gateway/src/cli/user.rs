//! `octroi user …`: accounts, as an operator works on them.

use std::{
    fs::File,
    io::{self, BufRead, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::{Failure, GatewayAt, Outcome, Output, connection::Connection, output::warning};
use crate::admin::facts::{
    self, Account, Accounts, AddRequest, Done, GrantRequest, HandedPassword, Invitation,
    InviteRequest, ListAccountsRequest, NewAccountRequest, Provisional, ResetRequest, RolesRequest,
};

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
    /// Replace the account's roles and end its sessions
    #[command(after_help = "Example: octroi user roles acme/marie --role rh --role it")]
    Roles(RolesArguments),
    /// Lend rights on another tenant, or end them, and end the account's sessions
    #[command(after_help = "\
Example: octroi user grant acme/marie --tenant globex --role support --hours 8
Ended before its time: octroi user grant acme/marie --tenant globex --end")]
    Grant(GrantArguments),
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
    config: GatewayAt,
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
    /// Write the letter as a sheet to print, HTML, into a new file that you alone may read
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

/// What `user list` is told.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Only this tenant's accounts
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    config: GatewayAt,
}

/// What `user roles` is told.
#[derive(Args, Debug)]
pub(crate) struct RolesArguments {
    #[command(flatten)]
    one: OneAccount,
    /// A role that the account holds from now on; may be given several times
    #[arg(long = "role", value_name = "ROLE", required_unless_present = "none")]
    roles: Vec<String>,
    /// Take every role away
    #[arg(long, conflicts_with = "roles")]
    none: bool,
}

/// What `user grant` is told.
#[derive(Args, Debug)]
pub(crate) struct GrantArguments {
    #[command(flatten)]
    one: OneAccount,
    /// The other tenant
    #[arg(long, value_name = "TENANT")]
    tenant: String,
    /// A role that the account holds there; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// How long the rights last, in hours, 1 to 8760
    #[arg(long, value_name = "HOURS", required_unless_present = "end")]
    hours: Option<u16>,
    /// End the rights now
    #[arg(long, conflicts_with_all = ["hours", "roles"])]
    end: bool,
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

pub(crate) fn run(command: Command, output: &Output) -> Outcome {
    match command {
        Command::Add(arguments) => add(arguments, output),
        Command::Invite(arguments) => invite(arguments, output),
        Command::List(arguments) => list(arguments, output),
        Command::Show(one) => show(one, output),
        Command::Lock(one) => change(one, "lock", output),
        Command::Unlock(one) => change(one, "unlock", output),
        Command::Roles(arguments) => roles(arguments, output),
        Command::Grant(arguments) => grant(arguments, output),
        Command::Reset(arguments) => reset(arguments, output),
        Command::Delete(one) => change(one, "delete", output),
    }
}

fn add(arguments: AddArguments, output: &Output) -> Outcome {
    let password = arguments.password.read()?;
    let OneAccount { account, config } = arguments.one;
    let new = arguments.facts.of(account);
    let connection = Connection::open(&config)?;
    let added: Provisional = connection.ask("/v1/accounts/add", &AddRequest { new, password })?;
    output.fact(&added);
    Ok(())
}

fn invite(arguments: InviteArguments, output: &Output) -> Outcome {
    let OneAccount { account, config } = arguments.one;
    let request = InviteRequest {
        new: arguments.facts.of(account),
        hours: arguments.hours,
    };
    let connection = Connection::open(&config)?;
    let invitation: Invitation = connection.ask("/v1/accounts/invite", &request)?;
    if let Some(file) = &arguments.sheet {
        write_sheet(file, &invitation.sheet)?;
    }
    if arguments.letter {
        output.say(&invitation.letter);
    } else {
        output.fact(&invitation);
    }
    Ok(())
}

/// The sheet bears the link, so it is made for its reader alone.
fn write_sheet(file: &Path, sheet: &str) -> Outcome {
    let write = || {
        let mut options = File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)?;
        file.write_all(sheet.as_bytes())
    };
    write().map_err(|error: io::Error| {
        Failure::Refused(format!(
            "the invitation stands, but {} was not written ({error}); ask for another link",
            file.display()
        ))
    })
}

fn list(arguments: ListArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.config)?;
    let request = ListAccountsRequest {
        tenant: arguments.tenant,
    };
    let found: Accounts = connection.ask("/v1/accounts/list", &request)?;
    output.facts(&found.accounts, "no accounts");
    for id in &found.unreadable {
        warning(&format!(
            "the account {id} is damaged and cannot be read: put back the latest copies of keys.db and octroi.db; its sessions are in `octroi session list`"
        ));
    }
    Ok(())
}

fn show(one: OneAccount, output: &Output) -> Outcome {
    let connection = Connection::open(&one.config)?;
    let request = facts::OneAccount {
        account: one.account,
    };
    let account: Account = connection.ask("/v1/accounts/show", &request)?;
    output.fact(&account);
    Ok(())
}

fn change(one: OneAccount, operation: &str, output: &Output) -> Outcome {
    let connection = Connection::open(&one.config)?;
    let request = facts::OneAccount {
        account: one.account,
    };
    let done: Done = connection.ask(&format!("/v1/accounts/{operation}"), &request)?;
    output.fact(&done);
    Ok(())
}

fn roles(arguments: RolesArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.one.config)?;
    let request = RolesRequest {
        account: arguments.one.account,
        roles: arguments.roles,
    };
    let done: Done = connection.ask("/v1/accounts/roles", &request)?;
    output.fact(&done);
    Ok(())
}

fn grant(arguments: GrantArguments, output: &Output) -> Outcome {
    let connection = Connection::open(&arguments.one.config)?;
    let request = GrantRequest {
        account: arguments.one.account,
        tenant: arguments.tenant,
        roles: arguments.roles,
        hours: arguments.hours,
    };
    let done: Done = connection.ask("/v1/accounts/grant", &request)?;
    output.fact(&done);
    Ok(())
}

fn reset(arguments: ResetArguments, output: &Output) -> Outcome {
    let request = ResetRequest {
        account: arguments.one.account,
        password: arguments.password.read()?,
    };
    let connection = Connection::open(&arguments.one.config)?;
    let set: Provisional = connection.ask("/v1/accounts/reset", &request)?;
    output.fact(&set);
    Ok(())
}

impl AccountFacts {
    fn of(self, account: String) -> NewAccountRequest {
        NewAccountRequest {
            account,
            name: self.name,
            email: self.email,
            language: self.language,
            roles: self.roles,
            new_tenant: self.new_tenant,
        }
    }
}

impl PasswordSource {
    /// The first line of standard input, if that was asked for.
    fn read(&self) -> Result<Option<HandedPassword>, Failure> {
        self.password_stdin.then(password_of_stdin).transpose()
    }
}

/// The first line of standard input.
pub(super) fn password_of_stdin() -> Result<HandedPassword, Failure> {
    // With room for all of it: one that grows leaves copies behind.
    let mut line = Zeroizing::new(String::with_capacity(LINE_BYTES_MAX));
    let bytes = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let read = io::stdin().lock().take(bytes).read_line(&mut line);
    read.map_err(|error| Failure::Usage(format!("no password on standard input: {error}")))?;
    for end in ['\n', '\r'] {
        if line.ends_with(end) {
            line.pop();
        }
    }
    Ok(HandedPassword::new(line))
}

/// More than the longest password (256 characters of 4 bytes) and a line end.
const LINE_BYTES_MAX: usize = 2048;
