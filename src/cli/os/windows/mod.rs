//! Windows: the console's control events, and folders.
//!
//! There is no service manager to tell, no limit on handles to raise, and a console
//! keeps its own settings.

mod target;

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arauto::Endpoint;
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

pub(in crate::cli) use self::target::{Attributes, Target, is_in_use, look_at, open_folder};
use crate::cli::exit::Failure;
use crate::cli::os::ServerSignal;

/// Ctrl-C, Ctrl-Break, the closed console, the end of the user's session and of the
/// system (SetConsoleCtrlHandler), as a stream: one that comes while nobody waits is
/// kept. From its making on they have no other effect, but that after the last three
/// Windows ends the process in some seconds (5 for a closed console), done or not.
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

    /// The next one.
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

/// The events that stop a server. Nothing tells a process here to read its files again.
pub(in crate::cli) struct ServerSignals(StopSignals);

impl ServerSignals {
    /// Handles them from here on.
    ///
    /// # Errors
    /// None: the type is that of other systems.
    pub(in crate::cli) fn begin() -> io::Result<ServerSignals> {
        Ok(ServerSignals(StopSignals::new()))
    }

    /// The next one. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) -> ServerSignal {
        self.0.next().await;
        ServerSignal::Stop
    }
}

/// A console's settings are its own: nothing is to be put back.
#[derive(Clone)]
pub(in crate::cli) struct Terminal;

impl Terminal {
    pub(in crate::cli) fn remember() -> Self {
        Terminal
    }

    pub(in crate::cli) fn restore(&self) {}
}

/// Handles have no limit that a process could raise.
pub(in crate::cli) fn raise_descriptor_limit() -> Option<u64> {
    None
}

/// Windows makes no such promise to a process that did not set up a job.
pub(in crate::cli) fn die_with(_parent: u32) -> Result<(), Failure> {
    Ok(())
}

/// Another process, to see when it has ended.
pub(in crate::cli) struct Process(OwnedHandle);

impl Process {
    /// The process with this id. `None`: it cannot be watched.
    #[expect(unsafe_code, reason = "no crate opens another process to wait for it")]
    pub(in crate::cli) fn watch(pid: i32) -> Option<Process> {
        let pid = u32::try_from(pid).ok()?;
        // SAFETY: OpenProcess takes three numbers and returns a handle or null.
        let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, pid) };
        if handle.is_null() {
            return None;
        }
        // SAFETY: the handle was opened just now, and nobody else owns it.
        Some(Process(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Whether it has ended.
    #[expect(unsafe_code, reason = "no crate waits for another process")]
    pub(in crate::cli) fn has_ended(&self) -> bool {
        // SAFETY: the handle is open as long as `self` is; a wait of 0 ms only looks.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }
}

/// `%USERNAME%` is always set, and looked at first.
pub(in crate::cli) fn user_name() -> Option<String> {
    None
}

/// Where a server's accounts are when nobody says: the user's own folder for what a
/// program keeps on this machine.
pub(in crate::cli) fn default_data_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("LOCALAPPDATA")
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join("arauto")
}

/// An endpoint for a server that lives for a moment: a pipe with the folder's name,
/// which is nobody else's.
pub(in crate::cli) fn endpoint_in(folder: &Path) -> Endpoint {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Endpoint::Pipe(name.into_owned())
}

pub(in crate::cli) fn notify_ready() {}

pub(in crate::cli) fn notify_stopping() {}

/// The machine's own name.
pub(in crate::cli) fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// A folder has the permissions of the one above it here.
pub(in crate::cli) fn make_private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// A file has the permissions of its folder here.
pub(in crate::cli) fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Runs the command: the stack's size does not depend on the parent process.
pub(in crate::cli) fn on_own_stack(command: fn() -> ExitCode) -> ExitCode {
    command()
}

/// Handles have no limit that a process would meet.
pub(in crate::cli) fn has_descriptors(_count: usize) -> io::Result<()> {
    Ok(())
}

/// Asks at the console, wherever the streams lead. `None`: end of file.
pub(in crate::cli) fn read_hidden(prompt: &str) -> io::Result<Option<String>> {
    rpassword::prompt_password(prompt).map(Some)
}
