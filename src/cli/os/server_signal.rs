//! The meaning of a signal, the same on each system.

/// The meaning of a signal to a server.
pub(in crate::cli) enum ServerSignal {
    /// Stop.
    Stop,
    /// Reload the settings.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no SIGHUP"))]
    Reload,
}
