//! The sign-in as a pure state machine: state, event and `now` in, state and effects out.
