//! TLS 1.3 and 1.2 over TCP, by rustls with ring.
//!
//! - [`server`]: what a server shows and asks, loaded from files and reloaded while it runs;
//! - [`trust`]: whom a client takes for its server;
//! - [`stream`]: a connection, its handshake included, which whoever reads or writes drives.
//!
//! Nothing here knows accounts: a client certificate's common name is handed up as text.

mod client;
mod describe;
mod error;
mod fingerprint;
mod handshake;
mod identity;
mod pem;
mod pinned;
mod server;
mod stream;
#[cfg(all(test, target_os = "linux"))] // where the kernel tells what was acknowledged
mod tests;
mod trust;

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};

pub(super) use client::connect;
pub use error::TlsError;
pub(super) use error::failure_of;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use server::{ClientCert, Credentials, TlsConfig, TlsDoor};
pub use stream::{DetachedTls, Tls};
pub(super) use trust::TlsTrust;

const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
