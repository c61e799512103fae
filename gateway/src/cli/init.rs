//! `octroi init`: a directory with everything that a gateway needs before its first start.

use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use clap::Args;
use octroi_policy::host::Host;
use serde::Serialize;

use super::{Failure, Outcome, Output, certificate};
use crate::{entropy::SystemEntropy, keyring::Keyring};

/// What `init` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
Nothing that exists is overwritten. Keep a copy of the keyring in a safe place that is not the place
of the data's backups: without it the data cannot be read.

Example: octroi init /etc/octroi --data /var/lib/octroi --portal login.example.com
To try out: octroi init DIR --portal login.localhost --host paie.localhost --development-certificate")]
pub(crate) struct Arguments {
    /// The directory; made where it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The host where people sign in
    #[arg(long, value_name = "HOST", default_value = "login.example.com")]
    portal: Host,
    /// A host of a service, which the certificate is for as well; may be given several times
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<Host>,
    /// Where the gateway keeps its data; `data` within DIR by default
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Make an authority and a certificate for trying out, which no browser trusts by itself
    #[arg(long)]
    development_certificate: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Outcome {
    let made = make(arguments)?;
    output.fact(&made);
    Ok(())
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    configuration: PathBuf,
    keyring: PathBuf,
    data: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<PathBuf>,
}

fn make(arguments: &Arguments) -> Result<Made, Failure> {
    let directory = &arguments.directory;
    let configuration = directory.join("octroi.toml");
    let keyring = directory.join("keyring");
    for file in [&configuration, &keyring] {
        if file.symlink_metadata().is_ok() {
            return Err(Failure::Refused(format!(
                "{} exists already, and nothing is overwritten; name another directory",
                file.display()
            )));
        }
    }
    let data = arguments
        .data
        .clone()
        .unwrap_or_else(|| directory.join("data"));
    refuse_where_data_is(&data)?;
    make_directory(directory)?;
    make_directory(&data)?;
    let made = arguments
        .development_certificate
        .then(|| certificate::make(directory, &hosts_of(arguments)))
        .transpose()?;
    let authority = made.map(|made| made.authority);
    Keyring::create(&keyring, &SystemEntropy)
        .map_err(|error| Failure::Unavailable(error.to_string()))?;
    let text = configuration_of(arguments);
    // Last, so that a configuration is never there without what it names.
    write(&configuration, text.as_bytes(), 0o644)?;
    Ok(Made {
        configuration,
        keyring,
        data,
        authority,
    })
}

/// Data can be read with the keyring that it was made with alone, so a new one beside it is of no use;
/// whoever lost `/etc/octroi` has to learn that now, and not after the right copy is overwritten.
fn refuse_where_data_is(data: &Path) -> Result<(), Failure> {
    for file in ["octroi.db", "keys.db"] {
        if data.join(file).symlink_metadata().is_ok() {
            return Err(Failure::Refused(format!(
                "{} holds the data of an installation, which no new keyring can read; bring back its \
                 keyring and its configuration, or name another data directory",
                data.display()
            )));
        }
    }
    Ok(())
}

/// Every host that the certificate is for, each of them once.
fn hosts_of(arguments: &Arguments) -> Vec<Host> {
    let mut hosts = vec![arguments.portal.clone()];
    for host in &arguments.hosts {
        if !hosts.contains(host) {
            hosts.push(host.clone());
        }
    }
    hosts
}

/// Makes a directory that its owner alone may enter, unless it is there.
pub(super) fn make_directory(path: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| cannot_make(path, &error))
}

/// Writes a file that was not there before.
pub(super) fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|error| cannot_make(path, &error))
}

fn cannot_make(path: &Path, error: &io::Error) -> Failure {
    Failure::Refused(format!("{} cannot be made: {error}", path.display()))
}

/// The file to begin with: complete, and commented where a choice has to be made.
fn configuration_of(arguments: &Arguments) -> String {
    let portal = &arguments.portal;
    let data = arguments
        .data
        .as_deref()
        .and_then(|data| std::path::absolute(data).ok())
        .map_or_else(|| "data".to_owned(), |data| data.display().to_string());
    let names: Vec<String> = hosts_of(arguments)
        .iter()
        .map(|host| format!("\"{host}\""))
        .collect();
    let names = names.join(", ");
    // A TOML string takes the escapes that Rust's debug form writes for what paths can hold.
    format!(
        r#"# What octroi does. Every key: docs/reference/configuration.md. After a change: octroi check -c FILE

[server]
https   = "0.0.0.0:443"
http    = "0.0.0.0:80"
portal  = "{portal}"
data    = {data:?}
keyring = "keyring"

# A certificate for the portal and for the host of each route.
[[certificate]]
names    = [{names}]
chain    = "tls/chain.pem"
key_file = "tls/key.pem"

# A service: who may reach it, and where it is. Add its host to the names of a certificate.
# [[route]]
# host  = "intranet.example.com"
# to    = "http://127.0.0.1:8080"
# allow = {{ roles = ["staff"] }}

# The organisation of people who sign in without naming one.
[tenants]
default = "main"

# Shown at the foot of every page.
[contact]
# support       = "mailto:help@example.com"
# privacy       = "https://www.example.com/privacy"
# dpo           = "mailto:dpo@example.com"
# accessibility = "https://www.example.com/accessibility"
# security      = "mailto:security@example.com"
"#
    )
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let configuration = self.configuration.display();
        writeln!(f, "configuration  {configuration}")?;
        writeln!(f, "keyring        {}", self.keyring.display())?;
        writeln!(f, "data           {}", self.data.display())?;
        match &self.authority {
            Some(authority) => writeln!(f, "authority      {}", authority.display())?,
            None => writeln!(
                f,
                "\nPut the certificate where the configuration names it (tls/chain.pem, tls/key.pem)."
            )?,
        }
        write!(f, "\nNext: octroi check -c {configuration}")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn arguments(directory: &Path) -> Arguments {
        Arguments {
            directory: directory.to_owned(),
            portal: "login.example.com".parse().unwrap(),
            hosts: vec!["paie.example.com".parse().unwrap()],
            data: None,
            development_certificate: true,
        }
    }

    #[test]
    fn what_init_makes_can_be_used_and_is_kept_from_others() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("octroi \"é\"");
        let made = make(&arguments(&directory)).unwrap();
        let loaded = octroi_config::load(&made.configuration, &Vec::new()).unwrap();
        assert_eq!(loaded.settings.server.data, made.data);
        for secret in ["keyring", "authority.key", "tls/key.pem"] {
            let mode = fs::metadata(directory.join(secret))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{secret}");
        }
        let text = fs::read_to_string(&made.configuration).unwrap();
        let route = "[[route]]\nhost = \"paie.example.com\"\nto = \"http://127.0.0.1:8080\"\nallow = \"everyone\"\n";
        fs::write(&made.configuration, format!("{text}{route}")).unwrap();
        octroi_config::load(&made.configuration, &Vec::new()).unwrap();
        let elsewhere = Arguments {
            data: Some(parent.path().join("elsewhere \\ \"é\"")),
            ..arguments(&parent.path().join("second"))
        };
        let made = make(&elsewhere).unwrap();
        let loaded = octroi_config::load(&made.configuration, &Vec::new()).unwrap();
        assert_eq!(loaded.settings.server.data, made.data);
    }

    #[test]
    fn nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        make(&arguments(parent.path())).unwrap();
        let keyring = fs::read(parent.path().join("keyring")).unwrap();
        let again = make(&arguments(parent.path()));
        assert!(matches!(again, Err(Failure::Refused(why)) if why.contains("exists already")));
        assert_eq!(fs::read(parent.path().join("keyring")).unwrap(), keyring);
    }

    #[test]
    fn no_keyring_is_made_for_data_that_is_there() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        fs::create_dir(&data).unwrap();
        let directory = parent.path().join("etc");
        let asked = Arguments {
            data: Some(data.clone()),
            ..arguments(&directory)
        };
        for file in ["octroi.db", "keys.db"] {
            fs::write(data.join(file), "").unwrap();
            let refused = make(&asked);
            assert!(matches!(refused, Err(Failure::Refused(why)) if why.contains("bring back")));
            assert!(!directory.exists());
            fs::remove_file(data.join(file)).unwrap();
        }
        make(&asked).unwrap();
    }
}
