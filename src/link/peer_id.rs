//! The identity by which limits count a peer, whatever name it claims.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr}; // addresses only: the sockets are in std
use std::fmt;
use std::sync::Arc;

/// The peer's identity, as far as the operating system vouches for it. Limits and back-offs
/// count by it, alone or together with the user name that the peer claims.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PeerId {
    /// A user of this machine, by the user id of a unix system.
    Uid(u32),
    /// A user of this machine, by a Windows security identifier.
    Sid(Arc<str>),
    /// A network address. Of an IPv6 address only the first 64 bits count, as a host has all
    /// of the rest. Every loopback address counts as 127.0.0.1, as each program of this machine
    /// may use any of them.
    Address(IpAddr),
    /// A process of this machine whose user the system does not tell.
    Local,
}

impl PeerId {
    /// Returns the identity of a peer that is known by its address only.
    pub fn at(address: IpAddr) -> PeerId {
        PeerId::Address(match address.to_canonical() {
            address if address.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(address) => {
                let network = u128::from(address) & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            address => address,
        })
    }

    /// Returns the network that the peer is in, for limits that a whole network shares: the
    /// first 48 bits of an IPv6 address, as one site is given up to a /48 (RFC 6177). Any other
    /// peer is a network of its own.
    pub fn network(&self) -> PeerId {
        match self {
            PeerId::Address(IpAddr::V6(address)) => {
                let network = u128::from(*address) & (u128::MAX << 80);
                PeerId::Address(IpAddr::V6(Ipv6Addr::from(network)))
            }
            other => other.clone(),
        }
    }

    /// Returns whether the peer is one known user of this machine.
    pub(crate) fn is_user(&self) -> bool {
        matches!(self, PeerId::Uid(_) | PeerId::Sid(_))
    }

    /// Returns whether the peer is on this machine.
    pub fn is_local(&self) -> bool {
        match self {
            PeerId::Uid(_) | PeerId::Sid(_) | PeerId::Local => true,
            PeerId::Address(address) => address.is_loopback(),
        }
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerId::Uid(uid) => write!(f, "uid {uid}"),
            PeerId::Sid(sid) => f.write_str(sid),
            PeerId::Address(address) => address.fmt(f),
            PeerId::Local => f.write_str("this machine"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_with_any_addresses_is_one_peer() {
        let at = |text: &str| PeerId::at(text.parse().expect("an address"));
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
        assert_eq!(at("::1"), at("127.0.0.1"));
        assert_eq!(at("127.9.9.9"), at("127.0.0.1"));
        assert_eq!(at("::ffff:127.0.0.3"), at("127.0.0.1"));
        let network = at("2001:db8:1:2::1").network();
        assert_eq!(network, at("2001:db8:1:3::1").network());
        assert_ne!(network, at("2001:db8:2:2::1").network());
        assert_eq!(at("192.0.2.1").network(), at("192.0.2.1"));
        assert!(at("::1").is_local());
        assert!(!at("192.0.2.1").is_local());
    }
}
