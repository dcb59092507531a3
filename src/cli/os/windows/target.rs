//! Finds the kind of file at a path that will be written: a file, or a device by its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The target of a write.
#[derive(Debug)]
pub(in crate::cli) enum Target {
    /// A regular file, or none yet.
    File {
        /// The path with all links resolved.
        path: PathBuf,
        /// The attributes of the file, if it exists.
        attributes: Option<Attributes>,
    },
    /// A stream, which is written to in place.
    Stream(Stream),
}

/// A device, or a pipe.
#[derive(Debug)]
pub(in crate::cli) struct Stream(PathBuf);

/// Empty: a new file has the permissions of its folder.
#[derive(Debug)]
pub(in crate::cli) struct Attributes;

/// Names that are devices in every folder (Win32, "Naming Files, Paths, and Namespaces").
const DEVICES: &[&str] = &["NUL", "CON", "CONOUT$", "CONIN$", "AUX", "PRN"];

/// Finds the target of a write to `path`.
///
/// # Errors
/// The path is a folder, or cannot be examined.
pub(in crate::cli) fn find_target(path: &Path) -> io::Result<Target> {
    if path.as_os_str().is_empty() {
        return Err(refused("the path is empty"));
    }
    if is_device(path) {
        return Ok(Target::Stream(Stream(path.to_owned())));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(refused("it is a folder: name a file in it")),
        Ok(_) => Ok(Target::File {
            path: fs::canonicalize(path)?,
            attributes: Some(Attributes),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Target::File {
            path: target_of(path)?,
            attributes: None,
        }),
        Err(error) => Err(error),
    }
}

/// Returns the path that a link to a missing file points to; other paths unchanged.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    match fs::read_link(path) {
        Ok(target) => Ok(path.parent().unwrap_or(Path::new("")).join(target)),
        Err(_) => Ok(path.to_owned()),
    }
}

fn is_device(path: &Path) -> bool {
    let text = path.to_string_lossy();
    if text.starts_with(r"\\.\") || text.starts_with(r"\\?\GLOBALROOT") || text.contains(r"\pipe\")
    {
        return true;
    }
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.to_string_lossy().to_ascii_uppercase();
    let stem = name.split(['.', ':']).next().unwrap_or_default().trim_end();
    let port = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    DEVICES.contains(&stem) || port.is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']))
}

impl Attributes {
    /// Does nothing.
    pub(in crate::cli) fn apply_to(&self, _file: &File) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    /// Checks that the stream can be written to, without writing.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(in crate::cli) fn check(&self) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.0).map(drop)
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// The bytes could not be written.
    pub(in crate::cli) fn write(&self, bytes: &[u8], _deadline: Option<Instant>) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(&self.0)?
            .write_all(bytes)
    }
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_owned())
}

/// Returns `None`: a folder cannot be synced on Windows, and NTFS journals renames.
pub(in crate::cli) fn open_folder(_path: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Returns whether replacing a file failed because another program has it open:
/// ERROR_ACCESS_DENIED, which MoveFileEx returns in this case, ERROR_SHARING_VIOLATION or
/// ERROR_LOCK_VIOLATION.
pub(in crate::cli) fn is_in_use(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(5 | 32 | 33))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_devices_are_recognized_by_name() {
        for device in [
            "NUL",
            "nul",
            "CON",
            r"C:\x\NUL",
            "nul.txt",
            "NUL:",
            "COM1",
            r"\\.\NUL",
        ] {
            assert!(is_device(Path::new(device)), "{device}");
        }
        for file in ["null", "report.json", "COM10", "COMA", r"C:\con\x"] {
            assert!(!is_device(Path::new(file)), "{file}");
        }
    }
}
