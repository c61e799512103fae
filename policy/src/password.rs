//! Whether a password may be used: rules in, verdict with every reason out.
