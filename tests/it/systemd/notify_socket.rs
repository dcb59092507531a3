//! A socket that gets notices of a server, as a service manager has it (sd_notify(3)).

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Mutex;

use tempfile::TempDir;

use crate::support::wait_until;

/// The socket, and the notices that have come.
pub struct NotifySocket {
    socket: UnixDatagram,
    address: OsString,
    received: Mutex<Vec<String>>,
    _folder: TempDir,
}

impl NotifySocket {
    /// Makes a socket with a path.
    pub fn with_path() -> NotifySocket {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("notify.sock");
        let socket = UnixDatagram::bind(&path).expect("the folder is ours");
        NotifySocket::over(socket, path.into(), folder)
    }

    /// Makes a socket with an abstract name.
    pub fn with_abstract_name() -> NotifySocket {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let name = folder.path().join("notify").display().to_string(); // of this test alone
        let address = SocketAddr::from_abstract_name(&name).expect("it is short");
        let socket = UnixDatagram::bind_addr(&address).expect("the name is free");
        NotifySocket::over(socket, format!("@{name}").into(), folder)
    }

    fn over(socket: UnixDatagram, address: OsString, folder: TempDir) -> NotifySocket {
        socket.set_nonblocking(true).expect("it is a socket");
        NotifySocket {
            socket,
            address,
            received: Mutex::default(),
            _folder: folder,
        }
    }

    /// Returns the value of `NOTIFY_SOCKET`.
    pub fn address(&self) -> &OsString {
        &self.address
    }

    /// Returns all notices so far.
    pub fn received(&self) -> Vec<String> {
        let mut received = self.received.lock().expect("no test panics here");
        let mut notice = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut notice) {
            received.push(String::from_utf8_lossy(&notice[..length]).into_owned());
        }
        received.clone()
    }

    /// Waits for a notice behind the first `after` ones; returns it and the number of notices up
    /// to it.
    pub fn wait_for(
        &self,
        what: &str,
        after: usize,
        mut is_it: impl FnMut(&str) -> bool,
    ) -> (String, usize) {
        let mut found = None;
        wait_until(what, || {
            let received = self.received();
            let place = received.iter().skip(after).position(|notice| is_it(notice));
            found = place.map(|place| (received[after + place].clone(), after + place + 1));
            found.is_some()
        });
        found.expect("it was waited for")
    }
}

/// Returns the value of a name in a notice.
pub fn value<'a>(notice: &'a str, name: &str) -> Option<&'a str> {
    let pairs = notice.lines().filter_map(|line| line.split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .next()
}
