//! What operators rely on: start, stop, reload, real upstreams, broken input, and a machine that dies.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test says why and ends"
)]

mod allocations;
mod assertion;
mod broken_input;
mod built_in_limits;
mod commands;
mod deployment;
mod documentation;
mod entrances;
mod invariants;
mod kill;
mod large_bodies;
mod life;
mod limits;
mod manuals;
mod nginx_upstream;
mod password_rules;
mod plain_http;
mod programs;
mod quotations;
mod reload;
mod reload_opens;
mod scale;
mod services_over_tls;
mod sessions_in_use;
mod settings;
mod settings_of_doors;
mod store_faults;
mod subcommands;
mod timeouts;
mod tls;
mod upstreams;
