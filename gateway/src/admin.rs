//! The admin API, on a Unix socket that only the owner and root may open.
