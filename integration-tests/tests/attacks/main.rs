//! What broke gateways of this kind, tried on the running binary, over HTTP/1.1 and HTTP/2. Each test asserts what the
//! client got and what the upstream saw and did not see. Names begin with the class of attack.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test says why and ends"
)]

mod stage;

mod a10_no_header_opens_a_door;
mod a11_a12_credentials_stay_here;
mod a1_a3_target_is_read_in_one_way;
mod a2_host_is_read_in_one_way;
mod a4_malformed_is_never_allowed;
mod a5_a6_a7_forwarding_fields;
mod a8_smuggling;
mod a9_memory_and_streams;
mod b1_open_redirect;
mod b2_b11_sessions;
mod c3_c4_guesses;
mod c5_enumeration;
mod d2_d3_d11_bounds_and_leaks;
