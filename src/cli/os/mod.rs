//! The operating system as the command line uses it: one interface, with an implementation for
//! each system. Only this module has code for a particular system.

#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub(super) use system::{
    Attributes, Process, ServerSignals, StopSignals, Target, Terminal, default_data_folder,
    die_with, endpoint_in, find_target, has_descriptors, host_name, is_in_use, make_private,
    make_private_folder, notify_ready, notify_stopping, on_own_stack, open_folder,
    raise_descriptor_limit, read_hidden, user_name,
};

/// The meaning of a signal to a server.
pub(super) enum ServerSignal {
    /// Stop.
    Stop,
    /// Reload the certificate.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no SIGHUP"))]
    Reload,
}
