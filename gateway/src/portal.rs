//! What people see: sign-in, passwords, sessions, sign-out, errors; server-rendered, in French and English.
