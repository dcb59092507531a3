//! Whose a folder or a file is, and who else gets in.
//!
//! The data folder is its owner's alone. Within it nobody else can plant a link or a file,
//! so that only the folder itself, and what is opened in it by name, has to be looked at.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions, create_dir_all};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::contents::is_for_arauto_only;
use super::error::FolderError;

/// Makes the folder (0700 whatever the umask) where there is none, and looks whether it is
/// this user's and no link.
pub(super) fn open_folder(path: &Path) -> Result<(), FolderError> {
    if std::fs::symlink_metadata(path).is_err() {
        make_folder(path).map_err(|error| FolderError::io(path, error))?;
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let folder = open(path, OpenOptions::new().read(true), flags)?;
    let found = check_owner(path, &folder)?;
    if found.mode() & 0o077 == 0 && found.mode() & 0o700 == 0o700 {
        return Ok(());
    }
    if is_for_arauto_only(path) {
        return set_mode(path, &folder, 0o700);
    }
    // It holds what is not ours: others may have their reasons to come in.
    let path = path.display();
    tracing::warn!(%path, "others can look into the data folder: better give it one of its own");
    Ok(())
}

/// Makes the folder, and those above it as the umask has it.
fn make_folder(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => open_to_owner(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a folder that was made just now to its owner, whom the umask may have kept out. Its
/// name may be a link by now, which chmod(2) would follow; and an owner without access can open
/// it with O_PATH only, which fchmod(2) does not take: but its name in /proc leads to it.
fn open_to_owner(path: &Path) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    let found = fstat(&folder)?;
    if found.st_mode & 0o777 == 0o700 || found.st_uid != geteuid().as_raw() {
        return Ok(()); // whose it is comes out when it is opened
    }
    let name = format!("/proc/self/fd/{}", folder.as_raw_fd());
    std::fs::set_permissions(name, Permissions::from_mode(0o700))
}

/// Opens a file, and makes it where there is none; 0600 whatever the umask.
pub(super) fn open_file(path: &Path) -> Result<File, FolderError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = open(path, options.mode(0o600), OFlags::NOFOLLOW)?;
    check_owner(path, &file)?;
    set_mode(path, &file, 0o600)?;
    Ok(file)
}

fn open(path: &Path, options: &mut OpenOptions, flags: OFlags) -> Result<File, FolderError> {
    let flags = i32::try_from(flags.bits()).expect("open(2) takes flags as an int");
    let opened = options.custom_flags(flags).open(path);
    opened.map_err(|error| {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        // ELOOP, and ENOTDIR where a folder was asked for: open(2).
        match Errno::from_io_error(&error) {
            Some(Errno::LOOP | Errno::NOTDIR) if is_link => FolderError::Link(path.to_owned()),
            _ => FolderError::io(path, error),
        }
    })
}

fn check_owner(path: &Path, file: &File) -> Result<Metadata, FolderError> {
    let found = file
        .metadata()
        .map_err(|error| FolderError::io(path, error))?;
    if found.uid() == geteuid().as_raw() {
        return Ok(found);
    }
    Err(FolderError::NotOurs {
        path: path.to_owned(),
        owner: found.uid(),
    })
}

fn set_mode(path: &Path, file: &File, mode: u32) -> Result<(), FolderError> {
    let set = file.set_permissions(Permissions::from_mode(mode));
    set.map_err(|error| FolderError::io(path, error))
}

#[cfg(test)]
mod tests {
    use std::fs::{metadata, write};
    use std::os::unix::fs::{chown, symlink};

    use super::*;
    use crate::store::DataFolder;

    fn mode(path: &Path) -> u32 {
        metadata(path).expect("it is there").mode() & 0o777
    }

    fn set(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn new_folder_is_private_to_its_owner() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("a/b/data");
        let folder = DataFolder::open(&path).expect("writable");
        let database = folder.database().expect("writable");
        let _lock = folder.lock().expect("nobody else is there");
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&database), 0o600);
        assert_eq!(mode(&path.join("arauto.lock")), 0o600);
    }

    #[test]
    fn folder_open_to_others_is_made_private() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("data");
        let database = DataFolder::open(&path).expect("writable").database();
        let database = database.expect("writable");
        set(&path, 0o755);
        set(&database, 0o644);
        let folder = DataFolder::open(&path).expect("it is ours");
        folder.database().expect("it is ours");
        assert_eq!((mode(&path), mode(&database)), (0o700, 0o600));
    }

    #[test]
    fn folder_with_other_files_keeps_its_mode() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("shared");
        std::fs::create_dir(&path).expect("the folder is ours");
        write(path.join("carta.txt"), "bom dia").expect("the folder is ours");
        set(&path, 0o755);
        DataFolder::open(&path).expect("it is ours");
        assert_eq!(mode(&path), 0o755);
    }

    #[test]
    fn link_as_a_data_folder_is_refused() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let (path, link) = (temp.path().join("data"), temp.path().join("link"));
        let folder = DataFolder::open(&path).expect("writable");
        symlink(&path, &link).expect("the folder is ours");
        assert!(matches!(DataFolder::open(&link), Err(FolderError::Link(_))));

        let other = temp.path().join("other");
        write(&other, "somebody else's").expect("the folder is ours");
        for name in ["arauto.db", "arauto.lock"] {
            symlink(&other, path.join(name)).expect("the folder is ours");
        }
        assert!(matches!(folder.database(), Err(FolderError::Link(_))));
        assert!(matches!(folder.lock(), Err(FolderError::Link(_))));
        assert_eq!(mode(&other) & 0o077, 0o044, "it was not touched");
    }

    #[test]
    fn folder_of_another_user_is_refused() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("data");
        let folder = DataFolder::open(&path).expect("writable");
        let database = folder.database().expect("writable");
        // Only root can give a file away.
        if chown(&database, Some(4242), None).is_err() {
            return;
        }
        let refused = |error| matches!(error, FolderError::NotOurs { owner: 4242, .. });
        assert!(folder.database().is_err_and(refused));
        chown(&path, Some(4242), None).expect("it worked before");
        assert!(DataFolder::open(&path).is_err_and(refused));
    }
}
