//! What a password must be: its one form before hashing, and the rules it is judged by.

pub mod verdict;
