//! Endpoints, listeners and connections: how bytes travel.
//!
//! Only this module knows sockets and the operating system. It carries bytes or messages, and
//! knows nothing of frames. Each kind of connection implements [`Link`](crate::link::Link), and
//! a [`Listener`] implements [`Accept`](crate::link::Accept).
//!
//! A new kind of transport is a new variant of [`Endpoint`] and [`Connection`], and of the
//! sockets in `listener`.

mod access;
mod attempts;
mod bind_error;
mod connect;
mod connect_fault;
mod connect_mode;
mod connection;
mod connection_timeouts;
mod endpoint;
mod failure;
mod listen_options;
mod listener;
mod local_user;
mod memory_file;
mod passed_socket;
mod peer;
mod peer_timeouts;
mod peer_watch;
mod private_folder;
mod receive;
mod send_file;
mod server_check;
mod tcp;
mod tcp_listener;
mod tcp_state;
mod tls;
mod trust;
#[cfg(unix)]
mod unix;
mod unsafe_folder;
#[cfg(windows)]
mod windows;
#[cfg(any(windows, test))]
mod windows_codes;

/// The part of each operating system. All of them offer the same names.
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use access::{Access, Remote};
pub use bind_error::BindError;
pub use connect::connect;
pub use connect_fault::ConnectFault;
pub use connect_mode::ConnectMode;
pub use connection::{Connection, Detached};
pub use connection_timeouts::ConnectionTimeouts;
pub use endpoint::{Endpoint, EndpointError};
pub use failure::failure_of;
pub use listen_options::ListenOptions;
pub use listener::{AcceptedConnection, Listener};
pub use local_user::LocalUser;
pub use memory_file::memory_file;
pub use passed_socket::PassedSocket;
pub use peer::Peer;
pub use peer_timeouts::PeerTimeouts;
pub use private_folder::{make_private_folder, make_service_folder};
pub use server_check::UntrustedServer;
pub use tls::{
    CertificateInfo, ClientCert, Credentials, Fingerprint, FingerprintError, HandshakeConfig,
    NewCredentials, TlsConfig, TlsError,
};
pub use trust::{Trust, UnknownServerUser};
pub use unsafe_folder::UnsafeFolder;
