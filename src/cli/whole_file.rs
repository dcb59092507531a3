//! Files that are replaced whole or not at all: a reader never sees half of one.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Replaces `path` by what `fill` writes.
///
/// # Errors
/// It could not be written; then the file is as it was.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(folder(path))?;
    fill(&mut file)?;
    file.persist(path)?;
    Ok(())
}

/// Whether [`replace`] can work there: better told before there is something to lose.
///
/// # Errors
/// It cannot.
pub(super) fn check(path: &Path) -> io::Result<()> {
    NamedTempFile::new_in(folder(path)).map(drop)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
