//! What bytes travel on: endpoints, listeners, connections.
//!
//! The only room that knows of sockets and of the operating system. It carries
//! bytes, or messages, and knows nothing of frames. A new kind of transport is a new variant of
//! [`Endpoint`], [`Listener`] and [`Connection`].

mod attempts;
mod connect_fault;
mod connection;
mod endpoint;
mod failure;
mod listener;
mod memory_file;
mod peer;
mod peer_timeouts;
mod peer_watch;
mod private_folder;
mod receive;
mod server_check;
mod tcp;
mod tls;
mod trust;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(any(windows, test))]
mod windows_codes;

/// The system's own part: each offers the same names.
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use connect_fault::ConnectFault;
pub use connection::{Connection, Purpose, connect};
pub use endpoint::{Endpoint, EndpointError};
pub use failure::failure_of;
pub use listener::{AcceptedConnection, Access, BindError, Listener, Opening, Remote};
pub use memory_file::memory_file;
pub use peer::{LocalUser, Peer};
pub use peer_timeouts::PeerTimeouts;
pub use private_folder::make_private_folder;
pub use server_check::{UnsafeFolder, UntrustedServer};
pub use tls::{
    ClientCert, Credentials, Fingerprint, FingerprintError, TlsConfig, TlsDoor, TlsError,
};
pub use trust::{Trust, UnknownServerUser};
