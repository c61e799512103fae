//! Who people are: accounts, tenants, passwords, sessions.
