//! Certificates are replaced all together or not at all.

use rustls_pki_types::UnixTime;

use crate::bundle::{Bundle, BundleProblem, BundleSource};

/// Reads and proves every certificate.
///
/// # Errors
///
/// All problems, one a certificate that has one.
pub fn load_all(sources: &[BundleSource]) -> Result<Vec<Bundle>, Vec<BundleProblem>> {
    let mut bundles = Vec::with_capacity(sources.len());
    let mut problems = Vec::new();
    for source in sources {
        match Bundle::load(source) {
            Ok(bundle) => bundles.push(bundle),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(bundles)
    } else {
        Err(problems)
    }
}

/// Certificates that are out of their time at a moment.
#[derive(Debug, Default)]
pub struct OutOfTime {
    /// They have only now been put there: whoever did it meant another file.
    pub new: Vec<BundleProblem>,
    /// They are in force already. Taking them away would only make an outage of a warning, and
    /// keep whatever else changed from being put in force.
    pub in_force: Vec<BundleProblem>,
}

impl OutOfTime {
    /// Which of `bundles` are out of their time, held against those that are served.
    pub fn of(bundles: &[Bundle], served: &[Bundle], now: UnixTime) -> Self {
        let mut found = Self::default();
        for bundle in bundles {
            let Some(problem) = bundle.out_of_time(now) else {
                continue;
            };
            let is_served = served.iter().any(|one| one.is_same_certificate(bundle));
            if is_served {
                found.in_force.push(problem);
            } else {
                found.new.push(problem);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
