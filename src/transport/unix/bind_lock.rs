//! A lock by which one server at a time checks a socket's path and binds it.
//!
//! The problem: two servers that find the same stale socket must not both replace it. With a lock
//! on the folder, every user who may read the folder could hold it, and no server would start.
//! So the lock is on a file of its own beside the socket. Only its owner can open that file, and
//! it exists only while the lock is held.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::geteuid;

/// The attempts to take the lock, and the pause between two of them. Another server that starts
/// at the same path is done within that time.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Holds a socket's path against other servers; dropping it removes its file.
#[derive(Debug)]
pub(super) struct BindLock {
    path: PathBuf,
    _file: File,
}

impl BindLock {
    /// Takes the lock. Blocks while another server has it, for 2 s at most.
    ///
    /// # Errors
    /// Another server still has it after that time, the file belongs to another user, or it
    /// cannot be created.
    pub(super) fn take(socket: &Path) -> io::Result<BindLock> {
        for _ in 0..ATTEMPTS {
            if let Some(lock) = BindLock::try_take(socket)? {
                return Ok(lock);
            }
            std::thread::sleep(PAUSE);
        }
        let problem = format!(
            "{} is locked by another server that is starting",
            file_beside(socket).display()
        );
        Err(io::Error::new(io::ErrorKind::WouldBlock, problem))
    }

    /// Takes the lock; returns `None` if another server has it.
    ///
    /// # Errors
    /// See [`BindLock::take`].
    pub(super) fn try_take(socket: &Path) -> io::Result<Option<BindLock>> {
        let path = file_beside(socket);
        let flags = i32::try_from(OFlags::NOFOLLOW.bits()).expect("open(2) takes flags as an int");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = options.custom_flags(flags).open(&path).map_err(named)?;
        let found = file.metadata()?;
        if found.uid() != geteuid().as_raw() {
            let problem = format!("{} belongs to the user {}", path.display(), found.uid());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
        }
        if found.mode() & 0o077 != 0 {
            // Other users may have opened it and hold the lock. A new file is this user's alone.
            std::fs::remove_file(&path).map_err(named)?;
            return Ok(None);
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            locked => locked?,
        }
        // The server that held the lock before has removed the file, and another may have
        // created a new one since.
        let identity = |found: &std::fs::Metadata| (found.dev(), found.ino());
        let is_named = std::fs::symlink_metadata(&path)
            .is_ok_and(|named| identity(&named) == identity(&found));
        Ok(is_named.then_some(BindLock { path, _file: file }))
    }
}

impl Drop for BindLock {
    fn drop(&mut self) {
        // The lock is still held, so the file at the path is this one.
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "lock file was not removed");
        }
    }
}

fn file_beside(socket: &Path) -> PathBuf {
    let mut name = OsString::from(socket);
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn bind_lock_has_one_holder_and_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("a.sock");
        let lock = BindLock::take(&socket).expect("nobody has it");
        let mode = std::fs::metadata(file_beside(&socket))
            .expect("it is there")
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(BindLock::try_take(&socket).expect("it is ours").is_none());
        drop(lock);
        let left = std::fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(left, 0);
        BindLock::take(&socket).expect("nobody has it any more");
    }

    #[test]
    fn bind_lock_waits_for_its_holder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("a.sock");
        let lock = BindLock::take(&socket).expect("nobody has it");
        let waiting = std::thread::spawn({
            let socket = socket.clone();
            move || BindLock::take(&socket).map(drop)
        });
        drop(lock);
        waiting.join().expect("no panic").expect("it was let go");
    }

    #[test]
    fn bind_lock_ignores_a_file_that_others_may_open() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("a.sock");
        let path = file_beside(&socket);
        std::fs::write(&path, "").expect("the folder is ours");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("it is ours");
        let reader = File::open(&path).expect("anybody may");
        flock(&reader, FlockOperation::LockExclusive).expect("nobody has it");
        BindLock::take(&socket).expect("the reader's is another file");
    }
}
