//! Start, reload, drain, stop: what runs, and how shutdown waits for it.
