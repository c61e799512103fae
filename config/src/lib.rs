//! What the operator said, proved consistent before a port opens: one TOML file in, [`Settings`] or
//! every problem at once out.

pub mod settings;

mod load;

pub mod problem;

pub mod reference;

mod diff;
mod read;
mod reader;
mod source;

pub use diff::{Change, Effect};
pub use load::{Environment, Loaded, admin_socket, load, parse};
pub use problem::{Place, Problem, Problems, Severity};
pub use settings::Settings;
