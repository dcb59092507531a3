//! A server whose data is on a small disk of its own, which a test can fill.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Served, arauto, os, run_by};

/// A small file system at a folder. It exists as long as its server or this value.
pub struct SmallDisk {
    /// The root of the file system, which stays open after the server's mount namespace has ended.
    root: File,
}

/// Wraps a command so that it runs with a file system of `size` at `folder`, in a mount namespace
/// of its own.
fn on_small_disk(folder: &Path, size: &str, command: Command) -> Command {
    let mount = format!(
        "mount -t tmpfs -o size={size},mode=700 tmpfs {}; exec \"$0\" \"$@\"",
        folder.display()
    );
    run_by(&["unshare", "-rm", "sh", "-c", &mount], command)
}

impl SmallDisk {
    /// Starts `arauto serve` with a small file system at `disk`.
    pub fn serve(disk: &Path, size: &str, arguments: &[&str]) -> (Served, SmallDisk) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::create_dir_all(disk).expect("the folder is ours");
        let endpoint = os::endpoint(folder.path(), "s");
        let mut command = arauto(&["serve", "--no-console", "--listen"]);
        command.arg(endpoint.to_string()).args(arguments);
        let log = File::create(folder.path().join("log")).expect("the folder is ours");
        let child = on_small_disk(disk, size, command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("there is a shell");
        let served = Served::once_listening(child, folder, endpoint);
        let disk = SmallDisk::of(&served, disk);
        (served, disk)
    }

    fn of(served: &Served, folder: &Path) -> SmallDisk {
        let root = PathBuf::from(format!("/proc/{}/root", served.child.id()));
        let inside = root.join(folder.strip_prefix("/").expect("it is absolute"));
        SmallDisk {
            root: File::open(inside).expect("the server runs"),
        }
    }

    /// Returns the path of a file on the disk, for this process.
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.root.as_raw_fd()))
    }

    /// Fills the disk to the last byte.
    pub fn fill(&self) {
        let mut filler = File::create(self.path("filler")).expect("a file can be made");
        let mut piece = 1 << 16;
        while piece > 0 {
            if filler.write_all(&vec![0; piece]).is_err() {
                piece /= 2;
            }
        }
    }
}
