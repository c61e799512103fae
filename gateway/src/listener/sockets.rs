//! Listening sockets: one for each worker, all on one address.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

/// Binds `count` sockets to `address`, between which the kernel spreads connections. Port 0 is
/// settled by the first; ask it for its address.
///
/// # Errors
///
/// When the address cannot be bound.
pub(crate) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    let shares = count > 1;
    let first = bind_one(address, shares)?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..count {
        sockets.push(bind_one(address, shares)?);
    }
    Ok(sockets)
}

fn bind_one(address: SocketAddr, shares: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    // Only where it is needed: with it, another process of the same user could join unnoticed.
    if shares {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Connections that wait for a worker; the kernel lowers it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
