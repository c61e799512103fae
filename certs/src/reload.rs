//! Certificates are replaced all together or not at all.

use rustls_pki_types::UnixTime;

use crate::{
    bundle::{Bundle, BundleProblem, BundleSource},
    resolver::Resolver,
};

/// Reads and proves every certificate.
///
/// # Errors
///
/// All problems, one a certificate that has one.
pub fn load_all(
    sources: &[BundleSource],
    now: UnixTime,
) -> Result<Vec<Bundle>, Vec<BundleProblem>> {
    let mut bundles = Vec::with_capacity(sources.len());
    let mut problems = Vec::new();
    for source in sources {
        match Bundle::load(source, now) {
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

/// Reads every certificate again and serves them from the next handshake on. When one of them is
/// bad, the resolver goes on with what it has.
///
/// # Errors
///
/// All problems found; nothing has changed then.
pub fn reload(
    resolver: &Resolver,
    sources: &[BundleSource],
    now: UnixTime,
) -> Result<Vec<Bundle>, Vec<BundleProblem>> {
    let bundles = load_all(sources, now)?;
    resolver.replace(&bundles);
    Ok(bundles)
}

#[cfg(test)]
mod tests;
