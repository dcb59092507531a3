//! A TCP address that is listened on.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::system::tcp;
use super::{BindError, Endpoint};

/// Returns the addresses of a host's name.
pub(super) async fn addresses(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, BindError> {
    let found = tokio::net::lookup_host((host, port)).await;
    found
        .map(Iterator::collect)
        .map_err(|source| BindError::io(endpoint, source))
}

/// Checks that other hosts can reach none of the addresses.
pub(super) fn check_loopback(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
) -> Result<(), BindError> {
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(BindError::NotLoopback(endpoint.clone(), *address)),
        None => Ok(()),
    }
}

/// Listens on the first of the addresses that can be listened on; returns the port too.
pub(super) fn bind_tcp(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
) -> Result<(TcpListener, u16), BindError> {
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        outcome = tcp::listen(*address);
        if outcome.is_ok() {
            break;
        }
    }
    let bound = outcome.and_then(|listener| {
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    });
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(endpoint.clone()),
        _ => BindError::io(endpoint, error),
    })
}

/// Returns whether the system lets only one listener have these addresses. An unspecified
/// address stands for all of its family, and for none of the other ([`tcp::listen`]).
pub(super) fn do_overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same_family = one.is_ipv4() == other.is_ipv4();
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && is_same_family && (is_any || one.ip() == other.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_addresses_are_of_one_family() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let overlap = |one: &str, other: &str| do_overlap(address(one), address(other));
        assert!(overlap("127.0.0.1:7000", "127.0.0.1:7000"));
        assert!(overlap("0.0.0.0:7000", "127.0.0.1:7000"));
        assert!(overlap("[::1]:7000", "[::]:7000"));
        assert!(!overlap("0.0.0.0:7000", "[::]:7000"));
        assert!(!overlap("127.0.0.1:7000", "127.0.0.2:7000"));
        assert!(!overlap("127.0.0.1:7000", "127.0.0.1:7001"));
    }
}
