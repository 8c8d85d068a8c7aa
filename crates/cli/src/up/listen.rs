//! The listener of `up`.

use std::io;
use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted, if the system allows as many.
const BACKLOG: u32 = 4096;

/// Listens on an address.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener> {
    bind(address).map_err(|problem| match problem.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is in use already; stop what listens there, or choose another with --listen")
        }
        _ => anyhow!("failed to listen on {address}: {problem}"),
    })
}

/// `TcpListener::bind` would let 128 connections wait, and a client beyond them retries after a second.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
