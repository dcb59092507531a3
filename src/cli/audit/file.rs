//! The file of the audit log.
//!
//! Records are appended and synced a batch at a time. A batch that fails is taken back, so that it can
//! be written again. A line that was cut, by a full disk or a crash, is ended before the next record.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::cli::os;

/// A file that records are appended to.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    /// The last line has no end.
    is_torn: bool,
}

impl AuditFile {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// See [`os::open_to_append`].
    pub(super) fn open(path: &Path) -> io::Result<AuditFile> {
        let mut file = os::open_to_append(path)?;
        let is_torn = is_torn(&mut file)?;
        // A new file's name must be on the disk as its records are.
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = os::open_folder(folder.unwrap_or(Path::new(".")))? {
            folder.sync_all()?;
        }
        Ok(AuditFile {
            path: path.to_owned(),
            file,
            is_torn,
        })
    }

    /// Opens the path again if it leads to another file by now, or to none.
    ///
    /// # Errors
    /// See [`AuditFile::open`]. The file that was open stays so.
    pub(super) fn follow_path(&mut self) -> io::Result<()> {
        if !os::is_at(&self.file, &self.path)? {
            *self = AuditFile::open(&self.path)?;
        }
        Ok(())
    }

    /// Appends lines, and has the disk confirm them.
    ///
    /// # Errors
    /// They are not all on the disk. Those that were written are taken back where that is possible.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.follow_path()?;
        let before = self.file.metadata()?.len();
        let written = self.write(lines);
        match &written {
            Ok(()) => self.is_torn = false,
            Err(_) => self.is_torn |= self.file.set_len(before).is_err(),
        }
        written
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.write_all(b"\n")?;
        }
        self.file.write_all(lines)?;
        self.file.sync_data()
    }
}

/// Returns whether the last line of a file has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn torn_line_is_ended_before_the_next_record() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit");
        fs::write(&path, "a\n{\"ti").expect("the folder is ours");
        crate::cli::os::make_private(&File::open(&path).expect("it is there")).expect("it is ours");
        let mut file = AuditFile::open(&path).expect("it is ours");
        file.append(b"b\n").expect("there is room");
        file.append(b"c\n").expect("there is room");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "a\n{\"ti\nb\nc\n");
    }

    #[test]
    fn file_that_was_moved_away_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("audit"), folder.path().join("audit.1"));
        let mut file = AuditFile::open(&path).expect("it is new");
        file.append(b"a\n").expect("there is room");
        fs::rename(&path, &moved).expect("it is ours");
        file.append(b"b\n").expect("there is room");
        let read = |path| fs::read_to_string(path).expect("it is there");
        assert_eq!(
            (read(&moved), read(&path)),
            ("a\n".to_owned(), "b\n".to_owned())
        );
    }
}
