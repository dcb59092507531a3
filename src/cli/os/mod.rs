//! The operating system as the command line uses it: one interface, with an implementation for
//! each system. Only this module has code for a particular system.

#[cfg(any(windows, test))]
mod event_record;
mod server_signal;
mod service_notice;
#[cfg(any(windows, test))]
mod service_state;
#[cfg(any(windows, test))]
mod service_wait;
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub(super) use server_signal::ServerSignal;
pub(super) use service_notice::ServiceNotice;
#[cfg(windows)]
pub(super) use service_state::ServiceState;
#[cfg(windows)]
pub(super) use service_wait::ServiceWait;
pub(super) use system::{
    Attributes, Process, ServerSignals, ServiceFlag, Stdout, StopSignals, Target, Terminal,
    default_data_folder, die_with, endpoint_in, event_log_sink, find_target, has_descriptors,
    has_file_to_append, has_service_manager, host_name, in_own_group, is_at, is_in_use,
    is_stderr_journal, kill_group, make_private, make_private_folder, notify, on_own_stack,
    open_folder, open_to_append, passed_sockets, raise_descriptor_limit, read_hidden, run_server,
    user_name, watchdog_limit,
};
#[cfg(windows)]
pub(super) use system::{InstalledService, ServiceEnd, ServiceInstaller};
