//! `octroi policy`: the password rules in force, the texts that they meet, and one password held against them.

mod words;

use std::fmt;

use clap::{Args, Subcommand};
use octroi_config::Settings;
use octroi_policy::{
    id::{Role, TenantName},
    password::{
        opaque::OpaquePassword,
        policy::{Effective, Layer, Policy},
        rules::{Outcome as RuleOutcome, OwnData, Rule},
        standards::{self, Circumstances, ThrottleFigures},
    },
    throttle,
};
use serde::Serialize;

use self::words::{clause_in_words, rule_in_words};
use super::{ConfigFile, Failure, Outcome, Output};
use crate::{
    admin,
    clock::{Clock as _, SystemClock},
    identity::passwords,
};

/// What is done with password rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the rules in force, whose each is, and which clauses of which texts they meet
    Show(ShowArguments),
    /// Hold one password against the rules; nothing is kept of it
    Try(TryArguments),
}

/// Who the rules are for.
#[derive(Args, Debug)]
pub(crate) struct Whose {
    /// A role of the account; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The tenant of the account; the default tenant without it
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
}

/// What `policy show` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
The file is read, not the running gateway. What the texts ask of administrators is judged with
--privileged. Exit code 0 whatever is met.

Example: octroi policy show --role it -c /etc/octroi/octroi.toml")]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    whose: Whose,
    /// Judge the texts for accounts that administer
    #[arg(long)]
    privileged: bool,
}

/// What `policy try` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
The password comes on standard input, never as an argument. Exit code 0: it would be taken; 1: it
would not.

Example: octroi policy try --password-stdin --login marie -c /etc/octroi/octroi.toml")]
pub(crate) struct TryArguments {
    #[command(flatten)]
    whose: Whose,
    /// Read the password from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    /// The login, which the password must not hold
    #[arg(long, value_name = "LOGIN", default_value = "")]
    login: String,
    /// The person's name, which the password must not hold
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(command: Command, output: &Output) -> Outcome {
    match command {
        Command::Show(arguments) => show(&arguments, output),
        Command::Try(arguments) => attempt(&arguments, output),
    }
}

fn show(arguments: &ShowArguments, output: &Output) -> Outcome {
    let settings = arguments.whose.settings()?;
    let asked = arguments.whose.asked(&settings)?;
    let policy = Policy::new(asked.rules().iter().map(|(rule, _)| *rule), *asked.times());
    let circumstances = Circumstances {
        second_factor: false,
        privileged: arguments.privileged,
        throttle: THROTTLE,
    };
    let clauses = standards::findings(&policy, &circumstances);
    output.fact(&Shown {
        rules: asked.rules().iter().map(ShownRule::of).collect(),
        clauses: clauses.iter().map(clause_in_words).collect(),
    });
    Ok(())
}

fn attempt(arguments: &TryArguments, output: &Output) -> Outcome {
    let settings = arguments.whose.settings()?;
    let asked = arguments.whose.asked(&settings)?;
    let typed = super::user::password_of_stdin()?.typed();
    let tenant = arguments.whose.tenant(&settings)?;
    let hosts = [settings.server.portal.as_str()];
    let own = OwnData {
        login: &arguments.login,
        name: arguments.name.as_deref(),
        email: None,
        tenant: &[tenant.as_str()],
        product: &["octroi"],
        hosts: &hosts,
        year: passwords::year_of(SystemClock.now()),
    };
    let opaque = OpaquePassword::from_typed(typed.expose()).ok();
    let facts = passwords::facts_of_a_new_one(opaque.as_ref(), own);
    let verdict = asked.judge(typed.expose(), facts).into_verdict();
    let unusable = verdict.unusable_for().map(admin::reason_in_words);
    let findings = verdict.findings().iter().map(|finding| Tried {
        rule: finding.rule.id(),
        text: rule_in_words(finding.rule),
        failed: match finding.outcome {
            RuleOutcome::Failed(reason) => Some(admin::reason_in_words(reason)),
            RuleOutcome::Met | RuleOutcome::Later => None,
        },
    });
    output.fact(&Verdict {
        acceptable: verdict.is_acceptable(),
        unusable,
        rules: findings.collect(),
    });
    if verdict.is_acceptable() {
        Ok(())
    } else {
        Err(Failure::Shown)
    }
}

impl Whose {
    fn settings(&self) -> Result<Settings, Failure> {
        let environment = std::env::vars_os().collect();
        let loaded = octroi_config::load(&self.config.path, &environment);
        let loaded = loaded.map_err(|problems| Failure::Refused(problems.to_string()))?;
        Ok(loaded.settings)
    }

    fn tenant(&self, settings: &Settings) -> Result<TenantName, Failure> {
        match &self.tenant {
            None => Ok(settings.tenants.default.clone()),
            Some(tenant) => tenant
                .parse()
                .map_err(|error| Failure::Usage(format!("--tenant {tenant}: {error}"))),
        }
    }

    fn asked(&self, settings: &Settings) -> Result<Effective, Failure> {
        let parsed = |role: &String| {
            let parsed = role.parse::<Role>();
            parsed.map_err(|error| Failure::Usage(format!("--role {role}: {error}")))
        };
        let roles: Vec<Role> = self.roles.iter().map(parsed).collect::<Result<_, _>>()?;
        Ok(settings.password.asked_of(&roles, &self.tenant(settings)?))
    }
}

/// How attempts are limited in this version: by account and source, and by no count of consecutive failures.
const THROTTLE: ThrottleFigures = ThrottleFigures {
    delay_after_5_seconds: 64,
    attempts_per_day: throttle::ATTEMPTS_MAX,
    consecutive_max: None,
};
const _: () = assert!(throttle::FIRST_WAIT.as_secs() == 64);

/// What `policy show` prints.
#[derive(Serialize)]
struct Shown {
    rules: Vec<ShownRule>,
    clauses: Vec<words::ShownClause>,
}

#[derive(Serialize)]
struct ShownRule {
    rule: &'static str,
    text: String,
    /// Whose it is: `base`, `role it`, `tenant acme`.
    of: String,
}

impl ShownRule {
    fn of((rule, layer): &(Rule, Layer)) -> Self {
        Self {
            rule: rule.id(),
            text: rule_in_words(*rule),
            of: match layer {
                Layer::Base => "base".to_owned(),
                Layer::Role(role) => format!("role {role}"),
                Layer::Tenant(tenant) => format!("tenant {tenant}"),
            },
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Rules, and whose each is:")?;
        for ShownRule { rule, text, of } in &self.rules {
            writeln!(f, "  {rule:<14} {of:<14} {text}")?;
        }
        write!(f, "\nTexts, and what of them is met:")?;
        for clause in &self.clauses {
            write!(f, "\n  {clause}")?;
        }
        Ok(())
    }
}

/// What `policy try` prints: never the password, nor a part of it.
#[derive(Serialize)]
struct Verdict {
    acceptable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable: Option<String>,
    rules: Vec<Tried>,
}

#[derive(Serialize)]
struct Tried {
    rule: &'static str,
    text: String,
    /// Why it is not met.
    failed: Option<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.acceptable {
            "it would be taken"
        } else {
            "it would not be taken"
        })?;
        if let Some(unusable) = &self.unusable {
            write!(f, ": {unusable}")?;
        }
        for Tried { rule, text, failed } in &self.rules {
            match failed {
                None => write!(f, "\n  met      {rule:<14} {text}")?,
                Some(failed) => write!(f, "\n  not met  {rule:<14} {failed}")?,
            }
        }
        Ok(())
    }
}
