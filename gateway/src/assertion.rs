//! The signed identity assertion that each forwarded request carries, and the keys that verify it.
