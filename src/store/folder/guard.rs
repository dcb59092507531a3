//! Checks the owner and the mode of the data folder and of the files in it.
//!
//! The data folder is private to its owner, so no other user can create a link or a file in it.
//! Therefore only the folder itself and the files that are opened by name need a check.

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

/// Creates the folder if it is missing, with mode 0700 under any umask, and checks that it
/// belongs to this user and is not a link. A folder that others can open becomes private, unless
/// it has files of other programs.
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
    // Other programs have files here and may rely on the mode.
    let path = path.display();
    tracing::warn!(%path, "data folder is accessible to other users; use one without other files");
    Ok(())
}

/// Checks the folder as [`open_folder`] does, and changes nothing. Returns whether it exists.
pub(super) fn inspect_folder(path: &Path) -> Result<bool, FolderError> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    match open(path, OpenOptions::new().read(true), flags) {
        Ok(folder) => check_owner(path, &folder).map(|_| true),
        Err(FolderError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Creates the folder, and its missing parents with the mode that the umask gives.
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

/// Sets the mode of a folder that was just created to 0700, because the umask may have taken
/// the owner's access away.
///
/// The name may have become a link meanwhile, which chmod(2) would follow. An owner without
/// access can open the folder only with O_PATH, and fchmod(2) refuses such a descriptor. So the
/// mode is set through /proc/self/fd, as open(2) describes for O_PATH.
fn open_to_owner(path: &Path) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    let found = fstat(&folder)?;
    if found.st_mode & 0o777 == 0o700 || found.st_uid != geteuid().as_raw() {
        return Ok(()); // the caller opens it and checks the owner
    }
    let name = format!("/proc/self/fd/{}", folder.as_raw_fd());
    std::fs::set_permissions(name, Permissions::from_mode(0o700))
}

/// Opens a file, and creates it if it is missing, with mode 0600 under any umask.
pub(super) fn open_file(path: &Path) -> Result<File, FolderError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = open(path, options.mode(0o600), OFlags::NOFOLLOW)?;
    make_private(path, &file)?;
    Ok(file)
}

/// Checks the owner of a file, and sets its mode to 0600. A missing file is not created.
pub(super) fn check_file(path: &Path) -> Result<(), FolderError> {
    let mut options = OpenOptions::new();
    match open(path, options.read(true).write(true), OFlags::NOFOLLOW) {
        Ok(file) => make_private(path, &file),
        Err(FolderError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn make_private(path: &Path, file: &File) -> Result<(), FolderError> {
    check_owner(path, file)?;
    set_mode(path, file, 0o600)
}

fn open(path: &Path, options: &mut OpenOptions, flags: OFlags) -> Result<File, FolderError> {
    let flags = i32::try_from(flags.bits()).expect("open(2) takes flags as an int");
    let opened = options.custom_flags(flags).open(path);
    opened.map_err(|error| {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        // With O_NOFOLLOW a link fails with ELOOP, with O_DIRECTORY too with ENOTDIR: open(2).
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
    use crate::store::{DataFolder, Db};

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
        let database = folder.database().expect("there is none yet");
        assert!(!database.exists());
        Db::open(&database).expect("a new one");
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
        let database = database.expect("there is none yet");
        write(&database, "").expect("the folder is ours");
        set(&path, 0o755);
        set(&database, 0o644);
        let folder = DataFolder::open(&path).expect("it is ours");
        folder.database().expect("it is ours");
        assert_eq!((mode(&path), mode(&database)), (0o700, 0o600));
    }

    #[test]
    fn folder_with_an_unfinished_database_is_made_private() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("data");
        let folder = DataFolder::open(&path).expect("writable");
        drop(folder.lock().expect("nobody else is there"));
        write(path.join("arauto.db-unfinished-a1b2c3"), "SQLite").expect("the folder is ours");
        set(&path, 0o755);
        assert!(DataFolder::may_be(&path));
        DataFolder::open(&path).expect("it is ours");
        assert_eq!(mode(&path), 0o700);
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
        let database = folder.database().expect("there is none yet");
        write(&database, "").expect("the folder is ours");
        // Only root may change a file's owner.
        if chown(&database, Some(4242), None).is_err() {
            return;
        }
        let refused = |error| matches!(error, FolderError::NotOurs { owner: 4242, .. });
        assert!(folder.database().is_err_and(refused));
        chown(&path, Some(4242), None).expect("it worked before");
        assert!(DataFolder::open(&path).is_err_and(refused));
    }
}
