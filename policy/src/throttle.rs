//! How failures slow a sign-in down: arithmetic over counters, with `now` as an argument.
