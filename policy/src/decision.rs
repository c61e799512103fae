//! May this request go to that upstream: permit, challenge or refusal, by compiled routes.
