//! Only our hosts are redirected, and only tokens are served.
