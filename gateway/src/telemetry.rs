//! Logs: what is written, where, and never a secret.
