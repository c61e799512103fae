//! What a password must be: its one form before hashing, and the rules it is judged by.

pub mod estimate;
pub mod filter;
pub mod flaws;
pub mod guesses;
pub mod opaque;
pub mod policies;
pub mod policy;
pub mod presets;
pub mod rules;
pub mod standards;
pub mod times;
pub mod verdict;

mod common;
mod entropy;
mod own_data;
mod runs;
mod shipped;
mod similarity;

pub use self::{common::fold_word, shipped::list_key};
