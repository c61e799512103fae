//! The door against real sockets: each test has a world of its own.

mod bodies;
mod caps;
mod dialing;
mod drain;
mod ends;
mod handshakes;
mod heads;
mod http2_abuse;
mod websockets;

mod upstream;
mod world;
