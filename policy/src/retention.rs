//! How long each kind of data is kept.
