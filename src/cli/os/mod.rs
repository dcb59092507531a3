//! What the command line needs of the operating system, the same for each.
//!
//! One file a system; the rest of the command line knows none of them.

#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub(super) use system::{
    Attributes, Process, ServerSignals, StopSignals, Target, Terminal, default_data_folder,
    die_with, endpoint_in, has_descriptors, host_name, is_in_use, look_at, make_private,
    make_private_folder, notify_ready, notify_stopping, on_own_stack, open_folder,
    raise_descriptor_limit, read_hidden, user_name,
};

/// The order that a signal gives a server.
pub(super) enum ServerSignal {
    /// To stop.
    Stop,
    /// To read its certificate again.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no SIGHUP"))]
    Reload,
}
