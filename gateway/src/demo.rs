//! A complete installation in one directory: authority, accounts, three internal services.
