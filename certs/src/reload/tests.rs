//! Tests, to be read with the module above.
