//! A server whose disk a test can make hang.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::shim::shim;
use super::wait_until;

/// A disk on which fsync(2) and fdatasync(2) can be made to block. `shim/hung_disk.c` explains how.
pub struct HungDisk {
    library: PathBuf,
    orders: TempDir,
}

impl HungDisk {
    /// Makes a disk that works.
    pub fn new() -> HungDisk {
        HungDisk {
            library: shim("hung_disk"),
            orders: tempfile::tempdir().expect("a folder can be made"),
        }
    }

    /// Makes a command use this disk.
    pub fn under(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", &self.library);
        command.env("ARAUTO_SHIM_HANG", self.orders.path().join("hang"));
        command.env("ARAUTO_SHIM_HANGS", self.orders.path().join("hangs"));
        command
    }

    /// Makes the disk hang from now on.
    pub fn hang(&self) {
        std::fs::write(self.orders.path().join("hang"), "").expect("the folder is ours");
    }

    /// Makes the disk work again.
    pub fn release(&self) {
        std::fs::remove_file(self.orders.path().join("hang")).expect("it hangs");
    }

    /// Waits until a call blocks on the disk.
    pub fn wait_until_hung(&self) {
        let hangs = self.orders.path().join("hangs");
        wait_until("the disk hangs", || hangs.exists());
    }
}
