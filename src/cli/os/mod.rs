//! The operating system as the command line uses it: one interface, with an implementation for
//! each system. Only this module has code for a particular system.

mod server_signal;
mod service_notice;
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub(super) use server_signal::ServerSignal;
pub(super) use service_notice::ServiceNotice;
pub(super) use system::{
    Attributes, Process, ServerSignals, Stdout, StopSignals, Target, Terminal, default_data_folder,
    die_with, endpoint_in, find_target, has_descriptors, has_file_to_append, has_service_manager,
    host_name, in_own_group, is_at, is_in_use, is_stderr_journal, kill_group, make_private,
    make_private_folder, notify, on_own_stack, open_folder, open_to_append, passed_sockets,
    raise_descriptor_limit, read_hidden, user_name, watchdog_limit,
};
