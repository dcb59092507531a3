//! Shared objects for LD_PRELOAD (ld.so(8)), which make a server's system calls fail.
//!
//! Their sources are in `shim/`; `cc` builds them when a test needs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::wait_until;

/// Builds `shim/NAME.c`.
pub(super) fn shim(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/shim");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.so"));
    // Replaced by a rename and never overwritten: a server of another test may have it loaded.
    let fresh = built.with_extension(format!("{:?}", std::thread::current().id()));
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]);
    compiler.arg(&fresh).arg(folder.join(format!("{name}.c")));
    let done = compiler.output().expect("there is a C compiler");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    std::fs::rename(&fresh, &built).expect("the folder is cargo's");
    built
}

/// Makes a server's reads, writes and accepts fail. `shim/failing_sockets.c` explains how.
pub struct FailingSockets {
    library: PathBuf,
    orders: TempDir,
}

impl FailingSockets {
    pub fn new() -> FailingSockets {
        FailingSockets {
            library: shim("failing_sockets"),
            orders: tempfile::tempdir().expect("a folder can be made"),
        }
    }

    /// Makes the sockets of a command able to fail.
    pub fn under(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", &self.library);
        command.env("ARAUTO_SHIM", self.orders.path());
        command
    }

    /// Makes `calls` ("reads", "writes" or "accepts") fail with this errno from now on.
    pub fn fail(&self, calls: &str, code: i32) {
        self.order(calls, &code.to_string());
    }

    /// Makes writes of at least this length fail.
    pub fn fail_long_writes(&self, code: i32, length: usize) {
        self.order("writes", &format!("{code} {length}"));
    }

    /// Writes an order. It is renamed into place, so that no call reads half of it.
    fn order(&self, calls: &str, text: &str) {
        let _ = std::fs::remove_file(self.failed()); // it does not exist before a failure
        let fresh = self.orders.path().join("fresh");
        std::fs::write(&fresh, text).expect("the folder is ours");
        std::fs::rename(fresh, self.orders.path().join(calls)).expect("the folder is ours");
    }

    /// Makes `calls` work again.
    pub fn restore(&self, calls: &str) {
        std::fs::remove_file(self.orders.path().join(calls)).expect("they were to fail");
    }

    /// Waits until this many calls have failed since the last order.
    pub fn wait_for_failures(&self, count: usize) {
        wait_until("calls fail", || self.failures().len() >= count);
    }

    /// Returns a letter for each call that has failed since the last order.
    pub fn failures(&self) -> String {
        std::fs::read_to_string(self.failed()).unwrap_or_default()
    }

    fn failed(&self) -> PathBuf {
        self.orders.path().join("failed")
    }
}
