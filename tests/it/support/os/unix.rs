//! Unix: sockets and signals.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use arauto::Endpoint;
use rustix::process::{Pid, Signal, kill_process};

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
