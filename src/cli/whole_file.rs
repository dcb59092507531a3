//! Files that are replaced whole or not at all: a reader never sees half of one.

use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::os;

/// Replaces `path` by what `fill` writes: its owner's alone, as it may name users.
///
/// # Errors
/// It could not be written; then the file is as it was.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // A serializer writes each token by itself: a report of 10,000 sessions would be
    // a million system calls.
    let mut file = BufWriter::new(NamedTempFile::new_in(folder(path))?);
    fill(&mut file)?;
    let file = file.into_inner().map_err(IntoInnerError::into_error)?;
    os::make_private(file.as_file())?;
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
