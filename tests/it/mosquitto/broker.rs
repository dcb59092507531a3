//! A mosquitto process that only the test uses.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::wait_until;

/// The path of mosquitto on Debian. The folder is not in every user's PATH.
const DEBIAN: &str = "/usr/sbin/mosquitto";

/// A running broker. Dropping the value ends the process.
pub struct Broker {
    process: Child,
    socket: PathBuf,
    _folder: TempDir,
}

impl Broker {
    /// Starts a broker. Returns `None` if mosquitto is neither installed nor required.
    pub fn start() -> Option<Broker> {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let socket = folder.path().join("s.sock");
        let settings = folder.path().join("mosquitto.conf");
        // mosquitto that root starts would change to a user that may not write into the folder.
        let lines = format!(
            "listener 0 {}\nallow_anonymous true\nmax_queued_messages 0\nuser root\nlog_type error\n",
            socket.display()
        );
        std::fs::write(&settings, lines).expect("the temporary folder is writable");
        let start = |program: &str| {
            let mut command = Command::new(program);
            command.arg("-c").arg(&settings).stdin(Stdio::null());
            command.stderr(Stdio::null()).spawn()
        };
        let Ok(process) = start("mosquitto").or_else(|_| start(DEBIAN)) else {
            let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
            assert!(!required, "mosquitto must be installed");
            eprintln!("SKIPPED: comparison of patterns with mosquitto, which is not installed");
            return None;
        };
        let broker = Broker {
            process,
            socket,
            _folder: folder,
        };
        wait_until("mosquitto listens", || {
            UnixStream::connect(&broker.socket).is_ok()
        });
        Some(broker)
    }

    pub fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).expect("mosquitto listens")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill(); // the process may have ended
        let _ = self.process.wait();
    }
}
