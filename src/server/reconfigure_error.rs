//! Why a running server keeps its values.

use super::error::ConfigError;
use crate::transport::TlsError;

/// Why a running server keeps the values that it has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconfigureError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The values do not go together with those that change only at a restart.
    #[error("{0}, with the values that other settings keep until a restart; restart the server")]
    Kept(ConfigError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server is stopping, or has stopped.
    #[error("the server is stopping")]
    Stopping,
}
