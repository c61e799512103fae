//! `octroi certificate`: an authority and a certificate below it, for trying out.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use octroi_certs::dev_authority::DevelopmentAuthority;
use octroi_policy::host::Host;
use rustls_pki_types::UnixTime;
use serde::Serialize;

use super::{
    Failure, Outcome, Output,
    init::{make_directory, write},
};
use crate::clock::{Clock, SystemClock};

/// What `certificate` is told.
#[derive(Args, Debug)]
#[command(after_help = "\
For trying out: no browser trusts the certificate before it is told to trust the authority, which
can vouch for these hosts and for this machine alone. Nothing that exists is overwritten: for further
hosts name all of them, and another directory.

Example: octroi certificate /etc/octroi/trial login.example.com paie.example.com")]
pub(crate) struct Arguments {
    /// Where the files are put; made where it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The hosts that the certificate is for
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<Host>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Outcome {
    let directory = std::path::absolute(&arguments.directory)
        .map_err(|error| Failure::Refused(error.to_string()))?;
    output.fact(&make(&directory, &arguments.hosts)?);
    Ok(())
}

/// What was made.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    /// What browsers are to be told to trust.
    pub(super) authority: PathBuf,
    names: Vec<String>,
    chain: PathBuf,
    key_file: PathBuf,
}

/// Makes an authority for `hosts`, and a certificate below it.
pub(super) fn make(directory: &Path, hosts: &[Host]) -> Result<Made, Failure> {
    let authority_key = directory.join("authority.key");
    let tls = directory.join("tls");
    let made = Made {
        authority: directory.join("authority.pem"),
        names: hosts.iter().map(ToString::to_string).collect(),
        chain: tls.join("chain.pem"),
        key_file: tls.join("key.pem"),
    };
    // Before the first is written: half of one certificate beside half of another is of no use.
    for file in [&made.authority, &authority_key, &made.chain, &made.key_file] {
        if file.symlink_metadata().is_ok() {
            return Err(Failure::Refused(format!(
                "{} exists already, and nothing is overwritten; name another directory",
                file.display()
            )));
        }
    }
    let fault = |error: &dyn fmt::Display| Failure::Unavailable(error.to_string());
    let seconds = u64::try_from(SystemClock.now().as_unix_seconds()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let names: Vec<&str> = hosts.iter().map(Host::as_str).collect();
    let authority = DevelopmentAuthority::create(&names, now).map_err(|error| fault(&error))?;
    let issued = authority
        .issue(&names, now)
        .map_err(|error| fault(&error))?;
    make_directory(&tls)?;
    write(
        &made.authority,
        authority.certificate_pem().as_bytes(),
        0o644,
    )?;
    write(&authority_key, authority.key_pem().as_bytes(), 0o600)?;
    write(&made.chain, issued.chain_pem.as_bytes(), 0o644)?;
    write(&made.key_file, issued.key_pem.as_bytes(), 0o600)?;
    Ok(made)
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        write!(
            f,
            "Have browsers trust {}, and put into the configuration:\n\n\
             [[certificate]]\nnames    = [{}]\nchain    = {:?}\nkey_file = {:?}",
            self.authority.display(),
            names.join(", "),
            self.chain.display().to_string(),
            self.key_file.display().to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use octroi_certs::bundle::{Bundle, BundleSource};

    use super::*;

    #[test]
    fn a_certificate_is_for_each_host_and_fits_what_is_printed() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("trial");
        let hosts: Vec<Host> = ["login.example.com", "paie.example.com"]
            .map(|host| host.parse().unwrap())
            .to_vec();
        let made = make(&directory, &hosts).unwrap();
        let source = BundleSource {
            names: hosts
                .iter()
                .map(|host| host.as_str().parse().unwrap())
                .collect(),
            chain: made.chain.clone(),
            key: made.key_file.clone(),
            is_default: false,
        };
        Bundle::load(&source).unwrap();
        let text = made.to_string();
        let (_, block) = text.split_once("configuration:").unwrap();
        let server = "[server]\nhttps = \"0.0.0.0:443\"\nportal = \"login.example.com\"\ndata = \"/d\"\nkeyring = \"/k\"\n";
        let file = format!("{server}{block}");
        let loaded = octroi_config::parse(&file, &directory.join("octroi.toml")).unwrap();
        let [certificate] = loaded.settings.certificates.as_slice() else {
            panic!("one certificate");
        };
        assert_eq!(certificate.names, ["login.example.com", "paie.example.com"]);
        assert_eq!(certificate.chain, made.chain);
        assert_eq!(certificate.key_file, made.key_file);
        for secret in ["authority.key", "tls/key.pem"] {
            let metadata = fs::metadata(directory.join(secret)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{secret}");
        }
    }

    #[test]
    fn a_certificate_that_is_there_is_kept_whole() {
        let parent = tempfile::tempdir().unwrap();
        let hosts = ["paie.example.com".parse().unwrap()];
        fs::create_dir(parent.path().join("tls")).unwrap();
        let own = parent.path().join("tls/key.pem");
        fs::write(&own, "the company's own").unwrap();
        let refused = make(parent.path(), &hosts);
        assert!(
            matches!(refused, Err(Failure::Refused(why)) if why.contains("tls/key.pem exists"))
        );
        assert!(!parent.path().join("authority.pem").exists());
        assert_eq!(fs::read_to_string(own).unwrap(), "the company's own");
    }
}
