//! What a password must be: its one form before hashing, and the rules it is judged by.

pub mod opaque;
pub mod rules;
pub mod verdict;

mod common;
mod entropy;
mod own_data;
