//! A login in its one canonical form.
