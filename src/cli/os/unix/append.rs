//! Opens a file that only this program adds to, and finds out whether its path still leads to it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

/// The mode bits by which others than the owner may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Returns whether there is a file at the path that [`open_to_append`] would take.
///
/// # Errors
/// There is something else, or the system does not tell (stat(2)).
pub(in crate::cli) fn has_file_to_append(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) => check(&found).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a regular file of this process's user to read it and to add to it. Creates it with the mode
/// 0600 if there is none. No other process can open it in this way meanwhile.
///
/// # Errors
/// There is something else at the path: a link, a device, a file of another user or one that others
/// may write. Another process has the file, or it cannot be opened (open(2)).
pub(in crate::cli) fn open_to_append(path: &Path) -> io::Result<File> {
    // Looked at before it is opened: opening a device may have an effect, and an error of the kernel
    // would not say that a link is the problem.
    has_file_to_append(path)?;
    // NONBLOCK: a FIFO that was put there since then must not block.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let flags = i32::try_from(flags.bits()).expect("open(2) takes its flags as an int");
    let file = options.custom_flags(flags).open(path)?;
    check(&file.metadata()?)?;
    match file.try_lock() {
        // Some file systems of a network have no locks.
        Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        Err(TryLockError::WouldBlock) => {
            let problem = "another program writes to it; choose another file";
            Err(io::Error::new(io::ErrorKind::WouldBlock, problem))
        }
        Ok(()) | Err(_) => Ok(file),
    }
}

/// Returns whether the path, without following a link, leads to this file.
///
/// # Errors
/// The system does not tell (stat(2)).
pub(in crate::cli) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn check(found: &Metadata) -> io::Result<()> {
    let problem = if found.file_type().is_symlink() {
        "it is a link, which is not followed; name the file itself".to_owned()
    } else if !found.is_file() {
        "it is not a regular file; name a file or a new one".to_owned()
    } else if found.uid() != geteuid().as_raw() {
        format!(
            "it belongs to the user with the uid {}; remove it or choose another",
            found.uid()
        )
    } else if found.mode() & WRITABLE_BY_OTHERS != 0 {
        "users other than its owner may write it; take that away with chmod go-w".to_owned()
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn problem(path: &Path) -> String {
        open_to_append(path).expect_err("it is refused").to_string()
    }

    #[test]
    fn file_is_created_private_and_opened_by_one_process_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit");
        let file = open_to_append(&path).expect("it is new");
        assert_eq!(file.metadata().expect("it is open").mode() & 0o777, 0o600);
        assert!(problem(&path).contains("another program writes to it"));
        drop(file);
        open_to_append(&path).expect("the lock is free");
    }

    #[test]
    fn path_of_anything_but_an_own_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let [file, link, nowhere, fifo] =
            ["file", "link", "nowhere", "fifo"].map(|name| folder.path().join(name));
        fs::write(&file, "").expect("it is ours");
        symlink(&file, &link).expect("it is ours");
        symlink("missing", &nowhere).expect("it is ours");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("it is ours");
        for link in [&link, &nowhere] {
            assert!(problem(link).contains("is a link"), "{}", problem(link));
        }
        assert!(!folder.path().join("missing").exists());
        for other in [&fifo, folder.path(), Path::new("/dev/full")] {
            assert!(problem(other).contains("not a regular file"));
        }
        fs::set_permissions(&file, Permissions::from_mode(0o620)).expect("it is ours");
        assert!(problem(&file).contains("chmod go-w"));
        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("it is ours");
        open_to_append(&file).expect("others may read it");
    }

    #[test]
    fn file_that_was_moved_or_replaced_is_not_at_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("audit"), folder.path().join("audit.1"));
        let file = open_to_append(&path).expect("it is new");
        assert!(is_at(&file, &path).expect("the folder is ours"));
        fs::rename(&path, &moved).expect("it is ours");
        assert!(!is_at(&file, &path).expect("the folder is ours"));
        fs::write(&path, "").expect("the folder is ours");
        assert!(!is_at(&file, &path).expect("the folder is ours"));
        assert!(is_at(&file, &moved).expect("the folder is ours"));
    }
}
