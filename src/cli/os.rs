//! What the command line needs of the operating system, the same for each.
//!
//! One file a system; the rest of the command line knows none of them.

#[cfg(unix)]
#[path = "os/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "os/windows.rs"]
mod system;

pub(super) use system::{
    Process, Reloads, StopSignals, Terminal, default_data_folder, die_with, endpoint_in, host_name,
    make_private, make_private_folder, notify_ready, notify_stopping, raise_descriptor_limit,
    user_name,
};
