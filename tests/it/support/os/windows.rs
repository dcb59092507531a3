//! Windows: named pipes and the console's control events.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::ptr;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use arauto::Endpoint;
use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_INTERNAL_ERROR, ERROR_IO_PENDING,
    ERROR_OPERATION_ABORTED, ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED, HANDLE,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, ReadFile, WriteFile};
use windows_sys::Win32::System::Console::{
    AttachConsole, CTRL_BREAK_EVENT, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent,
    SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::{CREATE_NO_WINDOW, CreateEventW};
use windows_sys::core::BOOL;

/// The time limit of a connect: longer than anything that a test waits for.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// Returns a local endpoint whose name contains the folder's name.
pub fn endpoint(folder: &Path, name: &str) -> Endpoint {
    let folder = folder.file_name().expect("it is no root").to_string_lossy();
    Endpoint::Pipe(format!("arauto-test{folder}-{name}"))
}

pub fn path(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Pipe(name) => format!(r"\\.\pipe\{name}"),
        other => panic!("{other} is no pipe"),
    }
}

/// Returns whether a local endpoint is gone.
pub fn is_gone(endpoint: &Endpoint) -> bool {
    open(endpoint).is_err_and(|error| code(&error) == Some(ERROR_FILE_NOT_FOUND))
}

/// Finds out whether a server is ready.
pub struct Readiness;

impl Readiness {
    pub fn new(_command: &mut Command) -> Readiness {
        Readiness
    }

    /// Returns whether the server's log says that it listens. Windows has no notification, and a
    /// connection would be a session that tests do not count with.
    pub fn is_told(&self, log: &Path) -> bool {
        std::fs::read_to_string(log).is_ok_and(|log| log.contains("listening"))
    }
}

/// Connects; waits while the pipe is busy.
pub fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
    let began = Instant::now();
    loop {
        match open(endpoint) {
            Err(error) if code(&error) == Some(ERROR_PIPE_BUSY) && began.elapsed() < TIME_LIMIT => {
                std::thread::park_timeout(Duration::from_millis(2));
            }
            opened => return opened.and_then(Stream::new),
        }
    }
}

/// Returns whether the pipe exists and all its instances are in use.
pub fn is_busy(endpoint: &Endpoint) -> bool {
    open(endpoint).is_err_and(|error| code(&error) == Some(ERROR_PIPE_BUSY))
}

/// Opens a pipe for reading and writing, without waiting.
pub fn open(endpoint: &Endpoint) -> io::Result<OwnedHandle> {
    let mut options = OpenOptions::new();
    // Overlapped, so that a read and a write can be pending at once: with a synchronous handle a
    // write would wait until a pending read ends.
    options.custom_flags(FILE_FLAG_OVERLAPPED);
    let file = options.read(true).write(true).open(path(endpoint))?;
    Ok(file.into())
}

fn code(error: &io::Error) -> Option<u32> {
    error.raw_os_error().map(i32::cast_unsigned)
}

/// A blocking client's end of a pipe.
#[derive(Debug)]
pub struct Stream {
    pipe: Arc<RwLock<Option<Arc<OwnedHandle>>>>,
    /// Signalled when this handle's operation has ended.
    event: OwnedHandle,
}

/// Closes a connection for all its handles.
pub fn end(stream: &Stream) {
    let mut pipe = stream.pipe.write().expect("nobody panics with it");
    if let Some(pipe) = pipe.take() {
        #[expect(unsafe_code, reason = "another thread may be reading")]
        // SAFETY: the handle is open; without an OVERLAPPED all operations are cancelled.
        unsafe {
            CancelIoEx(pipe.as_raw_handle(), ptr::null())
        };
    }
}

impl Stream {
    fn new(pipe: OwnedHandle) -> io::Result<Stream> {
        Ok(Stream {
            pipe: Arc::new(RwLock::new(Some(Arc::new(pipe)))),
            event: event()?,
        })
    }

    /// Returns a second handle on the connection, for another thread.
    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(Stream {
            pipe: Arc::clone(&self.pipe),
            event: event()?,
        })
    }

    /// Starts an operation, waits for its end and returns the number of bytes.
    #[expect(unsafe_code, reason = "std has no overlapped operations")]
    fn transfer(
        &mut self,
        begin: impl FnOnce(HANDLE, *mut OVERLAPPED) -> BOOL,
    ) -> io::Result<usize> {
        let mut overlapped = OVERLAPPED {
            hEvent: self.event.as_raw_handle(),
            ..OVERLAPPED::default()
        };
        // Started under the lock, so that `end` either comes first or finds it started.
        let guard = self.pipe.read().expect("nobody panics with it");
        let pipe = guard.clone().ok_or(io::ErrorKind::NotConnected)?;
        let begun = begin(pipe.as_raw_handle(), &mut overlapped);
        let error = io::Error::last_os_error();
        drop(guard);
        if begun == 0 && code(&error) != Some(ERROR_IO_PENDING) {
            return Err(error);
        }
        let mut length = 0;
        // SAFETY: the handle is open, and the OVERLAPPED belongs to an operation on it. The call
        // waits until the operation has ended, so nothing uses the OVERLAPPED or the caller's
        // buffer afterwards.
        let done =
            unsafe { GetOverlappedResult(pipe.as_raw_handle(), &overlapped, &mut length, 1) };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(length as usize)
    }
}

#[expect(unsafe_code, reason = "std has no events")]
fn event() -> io::Result<OwnedHandle> {
    // SAFETY: no address is passed. The event is manual-reset; each operation resets it.
    let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was created just above, and has no other owner.
    Ok(unsafe { OwnedHandle::from_raw_handle(event) })
}

impl Read for Stream {
    #[expect(unsafe_code, reason = "std has no overlapped operations")]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (place, length) = (buf.as_mut_ptr(), size(buf));
        let read = self.transfer(|pipe, overlapped| {
            // SAFETY: the buffer is borrowed until the operation has ended, which `transfer`
            // waits for.
            unsafe { ReadFile(pipe, place, length, ptr::null_mut(), overlapped) }
        });
        match read {
            // The server has closed its end, or has disconnected this one.
            Err(error)
                if matches!(
                    code(&error),
                    Some(ERROR_BROKEN_PIPE | ERROR_PIPE_NOT_CONNECTED)
                ) =>
            {
                Ok(0)
            }
            // `end` was called.
            Err(error) if code(&error) == Some(ERROR_OPERATION_ABORTED) => Ok(0),
            read => read,
        }
    }
}

impl Write for Stream {
    #[expect(unsafe_code, reason = "std has no overlapped operations")]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let (place, length) = (buf.as_ptr(), size(buf));
        self.transfer(|pipe, overlapped| {
            // SAFETY: as for reading.
            unsafe { WriteFile(pipe, place, length, ptr::null_mut(), overlapped) }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn size(buf: &[u8]) -> u32 {
    u32::try_from(buf.len()).unwrap_or(u32::MAX)
}

/// The events that stop a program cleanly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Break, which Wine does not send.
    Break,
}

impl Stop {
    /// The events that every system sends.
    pub const ALL: [Stop; 1] = [Stop::Interrupt];

    /// The usual event for a server.
    pub const USUAL: Stop = Stop::Interrupt;
}

/// Gives a command's process a console of its own, whose events no other process gets.
pub fn can_get_stop_signals(command: &mut Command) -> &mut Command {
    command.creation_flags(CREATE_NO_WINDOW)
}

/// Sends a process a stop event.
pub fn send_stop(pid: u32, stop: Stop) {
    try_send_stop(pid, stop).unwrap_or_else(|why| panic!("{pid} was not told {stop:?}: {why}"));
}

/// The variable that makes a process of these tests send an event.
const SEND: &str = "ARAUTO_TEST_SEND";

/// Sends a process a stop event, if the system can.
///
/// A process is attached to one console at a time, and an event goes to all processes of a console.
/// So a separate process sends it.
pub fn try_send_stop(pid: u32, stop: Stop) -> Result<(), String> {
    let event = match stop {
        Stop::Interrupt => CTRL_C_EVENT,
        Stop::Break => CTRL_BREAK_EVENT,
    };
    let (_, module) = module_path!().split_once("::").expect("it is in a crate");
    let sender = std::env::current_exe().expect("the system knows what it runs");
    let mut command = Command::new(sender);
    command
        .args(["--ignored", "--exact"])
        .arg(format!("{module}::child_sends_a_console_event"))
        .env(SEND, format!("{pid} {event}"))
        .stdin(Stdio::null());
    let sent = start_process(|| command.output()).expect("it has been run before");
    if sent.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&sent.stdout).into_owned();
    Err(format!("{}: {said}", sent.status))
}

#[test]
#[ignore = "tests run it to tell another process to stop"]
fn child_sends_a_console_event() {
    let Ok(told) = std::env::var(SEND) else {
        return;
    };
    let (pid, event) = told.split_once(' ').expect("a process and an event");
    let number = |text: &str| text.parse::<u32>().expect("it is a number");
    let sent = send(number(pid), number(event));
    sent.unwrap_or_else(|error| panic!("{event} to {pid}: {error}"));
}

#[expect(unsafe_code, reason = "std knows no consoles")]
fn send(pid: u32, event: u32) -> io::Result<()> {
    let checked = |done: BOOL| match done {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    // SAFETY: these functions take no addresses. With no handler and the flag set, this process
    // ignores the event.
    unsafe {
        FreeConsole(); // it fails without a console
        checked(AttachConsole(pid))?;
        checked(SetConsoleCtrlHandler(None, 1))?;
        checked(GenerateConsoleCtrlEvent(event, 0))
    }
}

/// Starts a process, again where Wine could not.
///
/// On a busy machine a process of Wine can end before its first instruction; `CreateProcess` then
/// fails with this error, which Windows does not give. Nothing of the program has run.
pub fn start_process<C>(mut spawn: impl FnMut() -> io::Result<C>) -> io::Result<C> {
    const ATTEMPTS: u32 = 5;
    let mut attempt = 1;
    loop {
        match spawn() {
            Err(error) if attempt < ATTEMPTS && is_of_wine(&error) => {
                println!("attempt {attempt} to start a process: {error}");
                // Nothing tells when the machine is less busy.
                std::thread::sleep(Duration::from_millis(200));
                attempt += 1;
            }
            result => return result,
        }
    }
}

fn is_of_wine(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_INTERNAL_ERROR.cast_signed())
}
