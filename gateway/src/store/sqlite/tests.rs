//! The embedded store: what it refuses to open, what survives, what is erased.
