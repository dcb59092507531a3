//! Windows: the console's control events, services, and folders.
//!
//! Windows has no limit of handles to raise, and a console keeps its own settings.

mod append;
mod journal;
mod service;
mod stdout;
mod target;

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use arauto::{Endpoint, PassedSocket};
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

pub(in crate::cli) use self::append::{has_file_to_append, is_at, open_to_append};
pub(in crate::cli) use self::journal::is_stderr_journal;
use self::service::ServiceControls;
pub(in crate::cli) use self::service::{
    InstalledService, ServiceEnd, ServiceFlag, ServiceInstaller, event_log_sink,
    has_service_manager, notify, run_server,
};
pub(in crate::cli) use self::stdout::Stdout;
pub(in crate::cli) use self::target::{Attributes, Target, find_target, is_in_use, open_folder};
use crate::cli::exit::Failure;
use crate::cli::os::server_signal::ServerSignal;

/// Receives the console's control events (SetConsoleCtrlHandler): Ctrl-C, Ctrl-Break, the closed
/// console, logoff and shutdown. An event that comes while nothing waits is kept. Once this value
/// exists, the events have no other effect, except that after the last three Windows ends the
/// process within some seconds (5 for a closed console).
pub(in crate::cli) struct StopSignals {
    ctrl_c: CtrlC,
    ctrl_break: CtrlBreak,
    close: CtrlClose,
    logoff: CtrlLogoff,
    shutdown: CtrlShutdown,
}

impl StopSignals {
    pub(in crate::cli) fn new() -> Self {
        let why = "a console's events can be handled";
        StopSignals {
            ctrl_c: ctrl_c().expect(why),
            ctrl_break: ctrl_break().expect(why),
            close: ctrl_close().expect(why),
            logoff: ctrl_logoff().expect(why),
            shutdown: ctrl_shutdown().expect(why),
        }
    }

    /// Waits for the next event. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.ctrl_break.recv() => {}
            _ = self.close.recv() => {}
            _ = self.logoff.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}

/// Receives the events that stop a server, or, in a service, its controls. A service gets no
/// console events: Windows also sends it CTRL_LOGOFF_EVENT, whenever any user logs off.
pub(in crate::cli) enum ServerSignals {
    /// The console's events. None of them reloads the settings.
    Console(StopSignals),
    /// The controls of a service.
    Service(ServiceControls),
}

impl ServerSignals {
    /// Starts to receive the events.
    ///
    /// # Errors
    /// None; the return type is the same as on other systems.
    pub(in crate::cli) fn begin() -> io::Result<ServerSignals> {
        Ok(match ServiceControls::of_this_process() {
            Some(controls) => ServerSignals::Service(controls),
            None => ServerSignals::Console(StopSignals::new()),
        })
    }

    /// Waits for the next event. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) -> ServerSignal {
        match self {
            ServerSignals::Console(signals) => {
                signals.next().await;
                ServerSignal::Stop
            }
            ServerSignals::Service(controls) => controls.next().await,
        }
    }
}

/// Does nothing: a console keeps its own settings.
#[derive(Clone)]
pub(in crate::cli) struct Terminal;

impl Terminal {
    pub(in crate::cli) fn remember() -> Self {
        Terminal
    }

    pub(in crate::cli) fn restore(&self) {}
}

/// Returns `None`: Windows has no limit of handles to raise.
pub(in crate::cli) fn raise_descriptor_limit() -> Option<u64> {
    None
}

/// Does nothing: without a job object Windows cannot end a process when its parent ends.
pub(in crate::cli) fn die_with(_parent: u32) -> Result<(), Failure> {
    Ok(())
}

/// Puts a command into a process group of its own, so that Ctrl-C at the console does not reach it.
pub(in crate::cli) fn in_own_group(command: &mut tokio::process::Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// Does nothing: without a job object Windows cannot end the processes that a process has started.
pub(in crate::cli) fn kill_group(_id: u32) {}

/// Another process, watched until it has ended.
pub(in crate::cli) struct Process(OwnedHandle);

impl Process {
    /// Watches the process with this id. `None`: it cannot be watched.
    #[expect(unsafe_code, reason = "no crate opens another process to wait for it")]
    pub(in crate::cli) fn watch(pid: i32) -> Option<Process> {
        let pid = u32::try_from(pid).ok()?;
        // SAFETY: OpenProcess takes three numbers and returns a handle or null.
        let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, pid) };
        if handle.is_null() {
            return None;
        }
        // SAFETY: the handle was opened just above, and has no other owner.
        Some(Process(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Returns whether the process has ended.
    #[expect(unsafe_code, reason = "no crate waits for another process")]
    pub(in crate::cli) fn has_ended(&self) -> bool {
        // SAFETY: `self` keeps the handle open; a wait of 0 ms returns at once.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }
}

/// Returns `None`: `%USERNAME%`, which is always set, is checked before.
pub(in crate::cli) fn user_name() -> Option<String> {
    None
}

/// Returns the data folder of a server without --data: the user's folder for application data on
/// this machine.
pub(in crate::cli) fn default_data_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("LOCALAPPDATA")
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join("arauto")
}

/// Returns an endpoint for a temporary server: a pipe with the name of its temporary folder,
/// which is unique.
pub(in crate::cli) fn endpoint_in(folder: &Path) -> Endpoint {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Endpoint::Pipe(name.into_owned())
}

/// Returns none: the service manager of Windows has no watchdog.
pub(in crate::cli) fn watchdog_limit() -> Option<Duration> {
    None
}

/// Returns none: a service manager of Windows passes no sockets.
///
/// # Errors
/// None; the return type is the same as on other systems.
pub(in crate::cli) fn passed_sockets() -> Result<Vec<PassedSocket>, Failure> {
    Ok(Vec::new())
}

/// Returns the machine's name.
pub(in crate::cli) fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// Creates a folder and its missing parents. It inherits the permissions of its parent.
pub(in crate::cli) fn make_private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Does nothing: a file has the permissions of its folder.
pub(in crate::cli) fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Runs the command on this thread, whose stack size does not depend on the parent process.
pub(in crate::cli) fn on_own_stack(command: fn() -> ExitCode) -> ExitCode {
    command()
}

/// Does nothing: a process does not reach a limit of handles.
pub(in crate::cli) fn has_descriptors(_count: usize) -> io::Result<()> {
    Ok(())
}

/// Prompts at the console, even if stdin and stdout are redirected. `None`: end of file.
pub(in crate::cli) fn read_hidden(prompt: &str) -> io::Result<Option<String>> {
    rpassword::prompt_password(prompt).map(Some)
}
