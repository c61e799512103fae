//! Plain HTTP, for the listeners that speak it: redirects, health, metrics.

use std::net::{SocketAddr, TcpStream};

use crate::answer::Answer;
use crate::h1;
use crate::wire::PATIENCE;

/// Sends bytes as they are and reads the answer.
pub fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let Ok(stream) = TcpStream::connect(address) else {
        return Answer::Closed;
    };
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    h1::Client::over(stream).exchange(request)
}

/// The content of a page.
pub fn get(address: SocketAddr, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    send(address, request.as_bytes()).response().text()
}
