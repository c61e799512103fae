//! An authority for development and demonstration, which can vouch for this machine's own names only.

use std::{net::IpAddr, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls_pki_types::UnixTime;
use zeroize::Zeroizing;

/// A certificate authority that people may trust without danger: its name constraints (RFC 5280,
/// section 4.2.1.10) keep it to `localhost`, loopback addresses and the names given at its making.
pub struct DevelopmentAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A certificate that the authority made, with its key, both in PEM.
pub struct Issued {
    /// The certificate.
    pub chain_pem: String,
    /// Its private key, which belongs in a file of mode 0600.
    pub key_pem: Zeroizing<String>,
}

/// The authority could not be made, read, or used.
#[derive(Debug, thiserror::Error)]
#[error("the development authority failed: {0}")]
pub struct AuthorityFault(#[from] rcgen::Error);

impl DevelopmentAuthority {
    /// Makes an authority for `localhost`, everything below it, and `names`.
    ///
    /// # Errors
    ///
    /// When a name is malformed or no key can be made.
    pub fn create(names: &[&str], now: UnixTime) -> Result<Self, AuthorityFault> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = distinguished_name("octroi development authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted(names),
            excluded_subtrees: Vec::new(),
        });
        set_life(&mut params, now, AUTHORITY_LIFE);
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Reads an authority that was kept.
    ///
    /// # Errors
    ///
    /// When one of them is not PEM of what it should be.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, AuthorityFault> {
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, KeyPair::from_pem(key_pem)?)?;
        Ok(Self {
            issuer,
            certificate_pem: certificate_pem.to_owned(),
        })
    }

    /// The authority's certificate, for those who are to trust it.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's key, to be kept in a file of mode 0600.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// Makes a certificate for `localhost`, the loopback addresses and `names`, each host by its own
    /// name: OpenSSL, and so curl, takes no wildcard directly under a top-level name, and a client
    /// built on rustls refuses a certificate that has one besides.
    ///
    /// # Errors
    ///
    /// When a name is malformed or no key can be made.
    pub fn issue(&self, names: &[&str], now: UnixTime) -> Result<Issued, AuthorityFault> {
        let own = ["localhost", "127.0.0.1", "::1"];
        let named = names.iter().filter(|name| !own.contains(name));
        let names: Vec<_> = own
            .iter()
            .chain(named)
            .map(|&name| name.to_owned())
            .collect();
        self.issue_for(names, now, LEAF_LIFE)
    }

    /// Makes a certificate for `*.localhost` alone, which browsers take.
    ///
    /// # Errors
    ///
    /// When no key can be made.
    pub fn issue_wildcard(&self, now: UnixTime) -> Result<Issued, AuthorityFault> {
        self.issue_for(vec!["*.localhost".to_owned()], now, LEAF_LIFE)
    }

    /// Makes a certificate for exactly these names and this life: of use to tests that need a bad one.
    ///
    /// # Errors
    ///
    /// When a name is malformed or no key can be made.
    pub fn issue_for(
        &self,
        names: Vec<String>,
        from: UnixTime,
        life: Duration,
    ) -> Result<Issued, AuthorityFault> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = distinguished_name("octroi development");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        set_life(&mut params, from, life);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain_pem: certificate.pem(),
            key_pem: Zeroizing::new(key.serialize_pem()),
        })
    }
}

fn permitted(names: &[&str]) -> Vec<GeneralSubtree> {
    let addresses = [
        (IpAddr::from([127, 0, 0, 0]), 8),
        (IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128),
    ];
    let addresses = addresses.into_iter().map(|(address, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
    });
    ["localhost"]
        .iter()
        .chain(names)
        .map(|name| GeneralSubtree::DnsName(name.trim_start_matches("*.").to_owned()))
        .chain(addresses)
        .collect()
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn set_life(params: &mut CertificateParams, from: UnixTime, life: Duration) {
    let from = Duration::from_secs(from.as_secs());
    let epoch = date_time_ymd(1970, 1, 1);
    // An hour back, for clocks that are a little behind this one.
    params.not_before = epoch + from.saturating_sub(CLOCK_SKEW);
    params.not_after = epoch + from + life;
}

/// The longest life that ACME authorities commonly give; browsers take no more than 398 days.
const LEAF_LIFE: Duration = Duration::from_hours(89 * 24);
const AUTHORITY_LIFE: Duration = Duration::from_hours(2 * 365 * 24);
const CLOCK_SKEW: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests;
