//! Unix: sockets and signals.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use arauto::Endpoint;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The time limit of a read: longer than anything that a test waits for.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// A blocking client's end of a connection.
pub type Stream = UnixStream;

/// Returns a local endpoint in this folder.
pub fn endpoint(folder: &Path, name: &str) -> Endpoint {
    Endpoint::Unix(folder.join(format!("{name}.sock")))
}

/// Returns whether a local endpoint is gone.
pub fn is_gone(endpoint: &Endpoint) -> bool {
    !path(endpoint).exists()
}

pub fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
    let stream = UnixStream::connect(path(endpoint))?;
    stream.set_read_timeout(Some(TIME_LIMIT))?;
    Ok(stream)
}

/// Shuts a connection down for all its handles.
pub fn end(stream: &Stream) {
    let _ = stream.shutdown(Shutdown::Both); // it may be closed already
}

fn path(endpoint: &Endpoint) -> &Path {
    match endpoint {
        Endpoint::Unix(path) | Endpoint::SeqPacket(path) => path,
        other => panic!("{other} is no socket's file"),
    }
}

/// Receives a server's notification that it is ready (sd_notify(3)).
pub struct Readiness {
    socket: UnixDatagram,
    _folder: TempDir,
}

impl Readiness {
    /// Has a command notify of its readiness.
    pub fn new(command: &mut Command) -> Readiness {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("notify.sock");
        let socket = UnixDatagram::bind(&path).expect("the folder is ours");
        socket.set_nonblocking(true).expect("it is a socket");
        command.env("NOTIFY_SOCKET", path);
        Readiness {
            socket,
            _folder: folder,
        }
    }

    /// Returns whether the server has told that it serves all its endpoints.
    pub fn is_told(&self, _log: &Path) -> bool {
        let mut notice = [0; 128];
        self.socket
            .recv(&mut notice)
            .is_ok_and(|length| notice[..length].starts_with(b"READY=1"))
    }
}

/// The signals that stop a program cleanly.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGTERM, as service managers send it.
    Terminate,
}

impl Stop {
    pub const ALL: [Stop; 2] = [Stop::Terminate, Stop::Interrupt];

    /// The usual signal for a server.
    pub const USUAL: Stop = Stop::Terminate;
}

/// Does nothing: on Unix every process can get the signals.
pub fn can_get_stop_signals(command: &mut Command) -> &mut Command {
    command
}

/// Sends a process a stop signal.
pub fn send_stop(pid: u32, stop: Stop) {
    let signal = match stop {
        Stop::Interrupt => Signal::INT,
        Stop::Terminate => Signal::TERM,
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process has an id"), signal).expect("the process is running");
}

/// Starts a process.
pub fn start_process<C>(spawn: impl FnOnce() -> io::Result<C>) -> io::Result<C> {
    spawn()
}
