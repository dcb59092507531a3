//! Shared objects that a server is started with, to make its system fail (LD_PRELOAD, ld.so(8)).
//!
//! Their sources are in `shim/`, and `cc` builds them once a run.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::wait_until;

/// Builds `shim/NAME.c` for this run.
pub(super) fn shim(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/shim");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.so"));
    // Another test of this name may have it loaded: it is replaced, and never written to.
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

/// Sets the error with which a server's reads, writes and accepts fail from now on.
/// `shim/failing_sockets.c` says how it works.
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

    /// The same command, with sockets that can fail.
    pub fn under(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", &self.library);
        command.env("ARAUTO_SHIM", self.orders.path());
        command
    }

    /// From now on `calls` fail with this code: reads, writes or accepts.
    pub fn fail(&self, calls: &str, code: i32) {
        self.order(calls, &code.to_string());
    }

    /// The same for writes of this length and longer ones.
    pub fn fail_long_writes(&self, code: i32, length: usize) {
        self.order("writes", &format!("{code} {length}"));
    }

    /// Renamed into place: no call may see half an order.
    fn order(&self, calls: &str, text: &str) {
        let _ = std::fs::remove_file(self.failed()); // or none has failed
        let fresh = self.orders.path().join("fresh");
        std::fs::write(&fresh, text).expect("the folder is ours");
        std::fs::rename(fresh, self.orders.path().join(calls)).expect("the folder is ours");
    }

    /// From now on they work.
    pub fn mend(&self, calls: &str) {
        std::fs::remove_file(self.orders.path().join(calls)).expect("they were to fail");
    }

    /// Waits until so many calls have failed since the last order.
    pub fn wait_for_failures(&self, count: usize) {
        wait_until("calls fail", || self.failures().len() >= count);
    }

    /// A letter for each call that has failed since the last order.
    pub fn failures(&self) -> String {
        std::fs::read_to_string(self.failed()).unwrap_or_default()
    }

    fn failed(&self) -> PathBuf {
        self.orders.path().join("failed")
    }
}
