//! Unix: sockets and signals.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use arauto::Endpoint;
use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything that a test waits for on a socket.
const PATIENCE: Duration = Duration::from_secs(50);

/// A blocking client's end of a connection.
pub type Stream = UnixStream;

/// A local endpoint that is this folder's own.
pub fn endpoint(folder: &Path, name: &str) -> Endpoint {
    Endpoint::Unix(folder.join(format!("{name}.sock")))
}

/// Whether nothing is left of a local endpoint.
pub fn is_gone(endpoint: &Endpoint) -> bool {
    !path(endpoint).exists()
}

pub fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
    let stream = UnixStream::connect(path(endpoint))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Ends a connection, whoever else holds it.
pub fn end(stream: &Stream) {
    let _ = stream.shutdown(Shutdown::Both); // or it is gone already
}

fn path(endpoint: &Endpoint) -> &Path {
    match endpoint {
        Endpoint::Unix(path) | Endpoint::SeqPacket(path) => path,
        other => panic!("{other} is no socket's file"),
    }
}

/// How a program is told to stop, in order.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// As Ctrl-C does: SIGINT.
    Interrupt,
    /// As service managers do: SIGTERM.
    Terminate,
}

impl Stop {
    pub const ALL: [Stop; 2] = [Stop::Terminate, Stop::Interrupt];

    /// What stops a server that runs on its own.
    pub const USUAL: Stop = Stop::Terminate;
}

/// Makes a command's process one that can be told to stop: here each can.
pub fn listens_to_stop(command: &mut Command) -> &mut Command {
    command
}

/// Tells a process to stop.
pub fn tell(pid: u32, stop: Stop) {
    let signal = match stop {
        Stop::Interrupt => Signal::INT,
        Stop::Terminate => Signal::TERM,
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process has an id"), signal).expect("it is still there");
}
