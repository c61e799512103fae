//! A path that policy and upstream cannot read differently.
