//! One certificate with its chain and key, read from files and proved usable before it is served.

use std::{
    fmt,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, time::ASN1Time,
};
use zeroize::Zeroizing;

/// Where a certificate is kept, and for which names the operator wants it.
#[derive(Clone, Debug)]
pub struct BundleSource {
    /// The names that it must be good for, each of which it is served for.
    pub names: Vec<NamePattern>,
    /// PEM: the certificate itself first, then the intermediates.
    pub chain: PathBuf,
    /// PEM: the private key, which only its owner and group may read.
    pub key: PathBuf,
    /// Whether clients that name no host are given this one.
    pub is_default: bool,
}

/// A name that a certificate is served for: `paie.example.com`, or `*.example.com` for any one
/// label in front of `example.com`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NamePattern {
    /// Lower case; without the `*.` of a wildcard.
    name: Box<str>,
    is_wildcard: bool,
}

/// A certificate that has been proved: its key fits, and it names what is wanted. Whether it is in
/// its time is a question of the moment: [`Bundle::out_of_time`].
#[derive(Clone)]
pub struct Bundle {
    pub(crate) names: Vec<NamePattern>,
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) is_default: bool,
    chain: PathBuf,
    life: Life,
}

/// From when to when a certificate is good, both included, in seconds of Unix time.
#[derive(Clone, Copy, Debug)]
struct Life {
    not_before: i64,
    not_after: i64,
}

/// Why a certificate cannot be served. Names the file and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleProblem {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read ({source}); check the path and that the gateway's user may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is far too long to be what it should be.
    #[error("{}: longer than {FILE_BYTES_MAX} bytes; a PEM file of one certificate chain or key is wanted", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// Everybody on the machine may read or replace the key.
    #[error("{}: a private key that every user of the machine may read or write (mode {mode:03o}); run: chmod o= {}", path.display(), path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no certificate, or something that is none.
    #[error("{}: no readable certificate ({reason}); PEM with the certificate first and its intermediates after it is wanted", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file holds no private key, or one of a kind that is not served.
    #[error("{}: no usable private key ({reason}); PEM with an ECDSA, Ed25519 or RSA key of at least 2048 bits, without a passphrase, is wanted", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Key and certificate belong to different pairs.
    #[error("{} is not the key of the first certificate in {}; give the key that was made with it, and put the certificate itself before its intermediates", key.display(), chain.display())]
    KeyMismatch {
        /// The chain.
        chain: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The certificate's time has not come or is over.
    #[error("{}: good from {not_before} to {not_after} and not now; renew it, or mend the machine's clock", path.display())]
    OutOfTime {
        /// The chain.
        path: PathBuf,
        /// When its time begins.
        not_before: String,
        /// When its time ends.
        not_after: String,
    },
    /// A name is wanted that the certificate does not bear.
    #[error("{}: does not name {name}, only {covered}; order a certificate that does, make one to try out with `octroi certificate`, or take the name out", path.display())]
    NameMissing {
        /// The chain.
        path: PathBuf,
        /// What is wanted.
        name: NamePattern,
        /// What it names.
        covered: String,
    },
}

impl Bundle {
    /// Reads and proves what `source` points to.
    ///
    /// # Errors
    ///
    /// The first problem found, with the file's name and the remedy.
    pub fn load(source: &BundleSource) -> Result<Self, BundleProblem> {
        let chain_pem = read(&source.chain)?;
        refuse_exposed(&source.key)?;
        let key_pem = read(&source.key)?;
        let chain = parse_chain(&source.chain, &chain_pem)?;
        let key = certified_key(source, chain, &key_pem)?;
        let life = prove(source, &key)?;
        Ok(Self {
            names: source.names.clone(),
            key: Arc::new(key),
            is_default: source.is_default,
            chain: source.chain.clone(),
            life,
        })
    }

    /// When the certificate's time is over.
    pub fn expires_at(&self) -> UnixTime {
        let seconds = u64::try_from(self.life.not_after).unwrap_or(0);
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    /// [`BundleProblem::OutOfTime`] when the certificate's time has not come or is over.
    pub fn out_of_time(&self, now: UnixTime) -> Option<BundleProblem> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let Life {
            not_before,
            not_after,
        } = self.life;
        let text = |seconds| {
            ASN1Time::from_timestamp(seconds)
                .map_or_else(|_| format!("{seconds} s"), |time| time.to_string())
        };
        (!(not_before..=not_after).contains(&now)).then(|| BundleProblem::OutOfTime {
            path: self.chain.clone(),
            not_before: text(not_before),
            not_after: text(not_after),
        })
    }

    /// Whether both show the same certificate.
    pub fn is_same_certificate(&self, other: &Self) -> bool {
        self.key.cert.first() == other.key.cert.first()
    }

    /// The names that it is served for.
    pub fn names(&self) -> &[NamePattern] {
        &self.names
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("names", &self.names)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl NamePattern {
    /// The name without the `*.` of a wildcard, in lower case.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether this stands for any one label in front of its name.
    pub const fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }

    /// Whether all hosts of `wanted` are hosts of this pattern.
    fn covers(&self, wanted: &Self) -> bool {
        match (self.is_wildcard, wanted.is_wildcard) {
            (false, true) => false,
            (true, false) => wanted
                .name
                .split_once('.')
                .is_some_and(|(_, parent)| *parent == *self.name),
            (false, false) | (true, true) => self.name == wanted.name,
        }
    }
}

impl FromStr for NamePattern {
    type Err = MalformedName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, is_wildcard) = match text.strip_prefix("*.") {
            Some(parent) => (parent, true),
            None => (text, false),
        };
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if name.len() <= 253 && name.split('.').all(fits) {
            Ok(Self {
                name: name.to_ascii_lowercase().into(),
                is_wildcard,
            })
        } else {
            Err(MalformedName)
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.is_wildcard { "*." } else { "" };
        write!(f, "{star}{}", self.name)
    }
}

/// The text is no name that a certificate could be served for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a certificate name: a host name like paie.example.com, or *.example.com, is wanted")]
pub struct MalformedName;

/// Reads a whole PEM file; the buffer is wiped when it is dropped, since it may hold a key.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, BundleProblem> {
    let unreadable = |source| BundleProblem::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= FILE_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(BundleProblem::TooLong {
            path: path.to_owned(),
        })
    }
}

/// Refuses a key that every user of the machine may read, write or run.
pub(crate) fn refuse_exposed(path: &Path) -> Result<(), BundleProblem> {
    let metadata = std::fs::metadata(path).map_err(|source| BundleProblem::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS == 0 {
        Ok(())
    } else {
        Err(BundleProblem::KeyExposed {
            path: path.to_owned(),
            mode,
        })
    }
}

/// The certificates of a PEM file, in its order.
pub(crate) fn parse_chain(
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, BundleProblem> {
    let none = |reason: String| BundleProblem::NoCertificate {
        path: path.to_owned(),
        reason,
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| none(error.to_string()))?;
    if chain.is_empty() {
        return Err(none("no CERTIFICATE section".to_owned()));
    }
    Ok(chain)
}

/// The first private key of a PEM file.
pub(crate) fn parse_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, BundleProblem> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| BundleProblem::NoKey {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn certified_key(
    source: &BundleSource,
    chain: Vec<CertificateDer<'static>>,
    key_pem: &[u8],
) -> Result<CertifiedKey, BundleProblem> {
    let key = parse_key(&source.key, key_pem)?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| BundleProblem::NoKey {
        path: source.key.clone(),
        reason: error.to_string(),
    })?;
    let certified = CertifiedKey::new(chain, key);
    certified
        .keys_match()
        .map_err(|_| BundleProblem::KeyMismatch {
            chain: source.chain.clone(),
            key: source.key.clone(),
        })?;
    Ok(certified)
}

/// Proves the names of the first certificate; gives its time.
fn prove(source: &BundleSource, key: &CertifiedKey) -> Result<Life, BundleProblem> {
    let malformed = |reason: &str| BundleProblem::NoCertificate {
        path: source.chain.clone(),
        reason: reason.to_owned(),
    };
    let leaf = key.cert.first().ok_or_else(|| malformed("empty chain"))?;
    let (_, leaf) =
        X509Certificate::from_der(leaf).map_err(|error| malformed(&error.to_string()))?;
    let covered = names_of(&leaf).map_err(|error| malformed(&error.to_string()))?;
    for wanted in &source.names {
        if !covered.iter().any(|name| name.covers(wanted)) {
            let covered: Vec<_> = covered.iter().map(ToString::to_string).collect();
            return Err(BundleProblem::NameMissing {
                path: source.chain.clone(),
                name: wanted.clone(),
                covered: covered.join(", "),
            });
        }
    }
    let validity = leaf.validity();
    Ok(Life {
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    })
}

/// The DNS names of a certificate. Its common name is not one (RFC 9110, section 4.3.4).
fn names_of(leaf: &X509Certificate<'_>) -> Result<Vec<NamePattern>, x509_parser::error::X509Error> {
    let names = leaf.subject_alternative_name()?;
    Ok(names
        .into_iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| {
            let GeneralName::DNSName(name) = name else {
                return None;
            };
            name.parse().ok()
        })
        .collect())
}

/// The permission bits of users that are neither owner nor in the group.
const OTHERS: u32 = 0o007;
/// Far above any chain; a guard against naming the wrong file.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[cfg(test)]
mod tests;
