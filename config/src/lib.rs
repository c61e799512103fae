//! What the operator said, proved consistent before a port opens: one TOML file in, [`Settings`] or
//! every problem at once out.

pub mod settings;

mod load;
pub mod problem;

pub use load::{Environment, Loaded, load};
pub use problem::{Problem, Problems, Severity};
pub use settings::Settings;
