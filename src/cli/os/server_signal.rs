//! The meaning of a signal, the same on each system.

/// The meaning of a signal to a server.
pub(in crate::cli) enum ServerSignal {
    /// Stop.
    Stop,
    /// Reload the settings.
    Reload,
}
