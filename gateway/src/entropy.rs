//! The only place that draws random bytes.

/// Fills buffers with bytes that nobody can predict.
pub(crate) trait Entropy: Send + Sync + 'static {
    /// Fills `buffer`.
    ///
    /// # Errors
    ///
    /// When the system has none to give; the caller refuses the request (a token made of weak
    /// bytes would be worse than no token).
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable>;
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the system gave no random bytes")]
pub(crate) struct EntropyUnavailable;

/// Draws `N` bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyUnavailable> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one source of chance"
        )]
        getrandom::fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let draw = || random::<32>(&SystemEntropy).unwrap();
        assert_ne!(draw(), draw());
    }
}
