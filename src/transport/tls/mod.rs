//! TLS 1.3 and 1.2 over TCP, by rustls with ring.
//!
//! - [`server`]: a server's certificate and what it asks of clients, loaded from files and
//!   reloaded while the server runs;
//! - [`trust`]: the servers that a client trusts; [`client`]: connecting to one;
//! - [`stream`]: a connection; [`handshake`]: a server's handshake and its deadline;
//! - [`describe`], [`explain`] and [`pem`]: what is wrong, in words.
//!
//! Nothing here knows accounts: a client certificate's common name is handed up as text.

mod client;
mod describe;
mod error;
mod explain;
mod fingerprint;
mod handshake;
mod identity;
mod pem;
mod pem_file;
mod pinned;
mod provider;
mod server;
mod stream;
#[cfg(all(test, target_os = "linux"))] // where the kernel tells what was acknowledged
mod tests;
mod trust;

pub(super) use client::connect;
pub use error::TlsError;
pub(super) use error::failure_of;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use server::{
    CertificateInfo, ClientCert, Credentials, HandshakeConfig, NewCredentials, TlsConfig,
};
pub use stream::{DetachedTls, Tls};
pub(super) use trust::TlsTrust;
