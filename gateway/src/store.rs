//! Where things are kept: traits, and the adapters behind them.
