//! References of requests: random, and cheap enough for each one.

use std::{cell::RefCell, sync::Arc};

use octroi_policy::id::RequestId;

use crate::entropy::{Entropy, EntropyUnavailable};

/// Draws references for requests.
#[derive(Clone)]
pub(crate) struct RequestIds(Arc<dyn Entropy>);

impl RequestIds {
    /// References made of `entropy`.
    pub(crate) fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self(entropy)
    }

    /// The next reference. The system is asked once for [`DRAWN_AT_ONCE`] of them, a thread at a time.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes to give.
    pub(crate) fn next(&self) -> Result<RequestId, EntropyUnavailable> {
        DRAWN.with_borrow_mut(|drawn| {
            if drawn.is_empty() {
                let mut bytes = [0; DRAWN_AT_ONCE * 16];
                self.0.fill(&mut bytes)?;
                let (ids, _) = bytes.as_chunks::<16>();
                drawn.extend(ids.iter().copied().map(RequestId::from_random));
            }
            drawn.pop().ok_or(EntropyUnavailable)
        })
    }
}

thread_local! {
    static DRAWN: RefCell<Vec<RequestId>> = const { RefCell::new(Vec::new()) };
}

/// One call to the system costs as much as a whole look-up of a session.
const DRAWN_AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn no_reference_is_given_twice() {
        let ids = RequestIds::new(Arc::new(SystemEntropy));
        let drawn: std::collections::HashSet<_> = (0..DRAWN_AT_ONCE * 3)
            .map(|_| ids.next().unwrap())
            .collect();
        assert_eq!(drawn.len(), DRAWN_AT_ONCE * 3);
    }

    #[test]
    fn without_random_bytes_there_is_no_reference() {
        struct Dry;
        impl Entropy for Dry {
            fn fill(&self, _: &mut [u8]) -> Result<(), EntropyUnavailable> {
                Err(EntropyUnavailable)
            }
        }
        let ids = RequestIds::new(Arc::new(Dry));
        std::thread::spawn(move || assert_eq!(ids.next(), Err(EntropyUnavailable)))
            .join()
            .unwrap();
    }
}
