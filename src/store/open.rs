//! Opens databases for writing.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, MAIN_DB};

/// How often an open is repeated that has come to a connection that only reads.
const REPEATS: u32 = 20;

/// The pause before each of them.
const PAUSE: Duration = Duration::from_millis(50);

/// Opens the database at `path` for reading and writing. An empty one is created if there is none.
///
/// Where Windows refuses to open the file for writing, SQLite opens it for reading only and says
/// nothing. Windows does so while another process renames the file, and while a virus scanner reads
/// it. So such an open is repeated, for a second. After that the first write fails.
///
/// # Errors
/// The file cannot be opened.
pub(super) fn open_for_writing(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    for _ in 0..REPEATS {
        if !cfg!(windows) || !connection.is_readonly(MAIN_DB)? {
            break;
        }
        std::thread::sleep(PAUSE);
        connection = Connection::open(path)?;
    }
    Ok(connection)
}

#[cfg(all(test, windows))]
mod tests {
    use std::fs::OpenOptions;
    use std::os::windows::fs::OpenOptionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn database_that_is_in_use_for_a_moment_is_opened_for_writing() {
        const DELETE: u32 = 0x0001_0000;
        const SHARE_ALL: u32 = 1 | 2 | 4;
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("x.db");
        std::fs::write(&path, "").expect("the folder is ours");
        // As a process that renames the file has it open.
        let mut renaming = OpenOptions::new();
        renaming.access_mode(DELETE).share_mode(SHARE_ALL);
        let is_over = AtomicBool::new(false);
        let rename = || {
            let mut number = 0;
            while !is_over.load(Ordering::Acquire) {
                number += u32::from(renaming.open(&path).is_ok());
                std::thread::yield_now();
            }
            number
        };
        let (opened, number) = std::thread::scope(|scope| {
            let renamer = scope.spawn(rename);
            let is_readonly = || open_for_writing(&path)?.is_readonly(MAIN_DB);
            let opened: Vec<_> = (0..50).map(|_| is_readonly()).collect();
            is_over.store(true, Ordering::Release);
            (opened, renamer.join().expect("it does not panic"))
        });
        assert!(
            opened.iter().all(|opened| *opened == Ok(false)),
            "{opened:?}"
        );
        assert!(number > 0, "the file was never in use");
    }
}
