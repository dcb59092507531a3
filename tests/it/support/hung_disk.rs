//! A server whose disk hangs, from a moment on.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::shim::shim;
use super::wait_until;

/// A disk on which fsync(2) and fdatasync(2) can be made to wait for ever.
/// `shim/hung_disk.c` says how it works.
pub struct HungDisk {
    library: PathBuf,
    orders: TempDir,
}

impl HungDisk {
    /// A disk that works.
    pub fn new() -> HungDisk {
        HungDisk {
            library: shim("hung_disk"),
            orders: tempfile::tempdir().expect("a folder can be made"),
        }
    }

    /// The same command, with this disk.
    pub fn under(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", &self.library);
        command.env("ARAUTO_SHIM_HANG", self.orders.path().join("hang"));
        command.env("ARAUTO_SHIM_HANGS", self.orders.path().join("hangs"));
        command
    }

    /// From now on it hangs.
    pub fn hang(&self) {
        std::fs::write(self.orders.path().join("hang"), "").expect("the folder is ours");
    }

    /// Waits until somebody waits for it.
    pub fn wait_until_hung(&self) {
        let hangs = self.orders.path().join("hangs");
        wait_until("the disk hangs", || hangs.exists());
    }
}
