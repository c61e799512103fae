//! Everything that happened, append-only, chained, erasable by key.
