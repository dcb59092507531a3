//! Starts servers with sockets that the test passes, as systemd does (sd_listen_fds(3)).

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use arauto::Endpoint;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
};

use crate::support::{Served, run_by};

/// Passes the sockets as the descriptors from 3 on, with the shell's help: what a process inherits
/// beside its three streams cannot be chosen safely in a test. At most two.
const PASS: &str =
    "exec 3<&0 4<&1 0</dev/null 1>/dev/null; export LISTEN_PID=$$; exec \"$0\" \"$@\"";

/// Wraps the command of a server so that it gets these sockets, with their names.
pub fn passing(command: Command, sockets: &[(&str, OwnedFd)]) -> Command {
    let names: Vec<&str> = sockets.iter().map(|(name, _)| *name).collect();
    let mut streams = sockets.iter().map(|(_, socket)| {
        let socket = socket.try_clone().expect("a descriptor is free");
        Stdio::from(socket)
    });
    let mut command = run_by(&["sh", "-c", PASS], command);
    command.env("LISTEN_FDS", sockets.len().to_string());
    command.env("LISTEN_FDNAMES", names.join(":"));
    command.stdin(streams.next().unwrap_or_else(Stdio::null));
    command.stdout(streams.next().unwrap_or_else(Stdio::null));
    assert!(streams.next().is_none(), "at most two");
    command
}

/// Starts such a server, whose log is `log` in the folder. It may not listen yet: clients wait.
pub fn serve_passing(command: Command, folder: &Path, sockets: &[(&str, OwnedFd)]) -> Child {
    let log = std::fs::File::create(folder.join("log")).expect("the folder is ours");
    let mut command = passing(command, sockets);
    command.stderr(log).spawn().expect("there is a shell")
}

/// Makes a listening seqpacket socket.
pub fn seqpacket_listener(path: &Path) -> OwnedFd {
    let kind = SocketType::SEQPACKET;
    let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None);
    let socket = socket.expect("a descriptor is free");
    let address = SocketAddrUnix::new(path).expect("the path is short");
    bind(&socket, &address).expect("the folder is ours");
    listen(&socket, 16).expect("it is bound");
    socket
}

/// Wraps a server that may not listen yet.
pub fn served(child: Child, folder: tempfile::TempDir, socket: &Path) -> Served {
    let endpoint = Endpoint::Unix(socket.to_owned());
    Served::starting(child, folder, endpoint)
}
