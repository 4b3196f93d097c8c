//! The listening socket of the standalone form.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Type};

/// A listening socket as Node's `server.listen` makes one: where no host is said, all of IPv6 and IPv4.
pub(super) fn bind(host: Option<&str>, port: u16, backlog: i32) -> io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = match host {
        Some(host) => (host, port).to_socket_addrs()?.collect(),
        None => vec![([0u16; 8], port).into(), ([0u8; 4], port).into()],
    };
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match bind_one(address, host.is_none(), backlog) {
            Ok(listener) => return Ok(listener),
            // A taken port is the answer; a family that the machine lacks is a reason to try the next.
            Err(failure) if failure.kind() == io::ErrorKind::AddrInUse => return Err(failure),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

fn bind_one(address: SocketAddr, both_families: bool, backlog: i32) -> io::Result<TcpListener> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if both_families && address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // As libuv does: a port in TIME_WAIT is free. On Windows the option would share a port that is in use.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}
