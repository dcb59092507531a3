//! `mycopy [--force] FROM TO` copies a file completely or not at all.
//!
//! ```sh
//! cargo run --example mycopy -- FROM TO
//! ```
//!
//! The bytes are written to a temporary file beside the target. It gets the target's name only
//! when it is complete and on disk, so half a copy is never visible.

use std::ffi::OsString;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

// The exit codes of sysexits(3), and the exit code that shells use for Ctrl-C.
const USAGE: u8 = 64;
const NO_INPUT: u8 = 66;
const CANNOT_CREATE: u8 = 73;
const IO_ERROR: u8 = 74;
const INTERRUPTED: u8 = 130;

/// The size of a read, in bytes. tokio does each file operation on another thread, so small
/// pieces would be slow.
const PIECE: usize = 1024 * 1024;

/// An exit code for scripts, and a message for people that says what went wrong and what to do.
struct Failure(u8, String);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(code, text)) => {
            eprintln!("mycopy: {text}");
            ExitCode::from(code)
        }
    }
}

/// Arguments stay `OsString`s: a file name need not be valid UTF-8.
async fn run(args: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let (options, names): (Vec<_>, Vec<_>) =
        args.partition(|arg| arg.as_encoded_bytes().starts_with(b"-"));
    match &names[..] {
        [from, to]
            if !from.is_empty() && !to.is_empty() && options.iter().all(|o| o == "--force") =>
        {
            copy(Path::new(from), Path::new(to), !options.is_empty()).await
        }
        _ => {
            let usage =
                "usage: mycopy [--force] FROM TO; a name that begins with a dash is ./-name";
            Err(Failure(USAGE, usage.to_owned()))
        }
    }
}

async fn copy(from: &Path, to: &Path, force: bool) -> Result<(), Failure> {
    let source = check_source(from)?;
    let target = check_target(from, to, force)?;
    let temp = tokio::select! {
        // The first poll registers the signal handler, before the temporary file is made.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => {
            // The other branch is dropped, which removes the NamedTempFile.
            return fail(INTERRUPTED, from, "was not copied: interrupted");
        }
        temp = fill(from, &source, folder(&target)) => temp?,
    };
    // From here on Ctrl-C is ignored, so that "was not copied" is always true.
    publish(temp, &source, &target, force)
}

/// Checks the kind of file before opening it, because opening a pipe would wait for a writer.
fn check_source(from: &Path) -> Result<Metadata, Failure> {
    match fs::metadata(from) {
        Ok(meta) if meta.is_file() => Ok(meta),
        Ok(_) => fail(
            NO_INPUT,
            from,
            "is not a regular file; name one file to copy",
        ),
        Err(e) => Err(because(NO_INPUT, from, "cannot be read", &e)),
    }
}

/// Checks the target before the copy, so that errors come early. Returns the target with links
/// resolved.
fn check_target(from: &Path, to: &Path, force: bool) -> Result<PathBuf, Failure> {
    let fail = |problem| fail(CANNOT_CREATE, to, problem);
    let slash = to.to_string_lossy().ends_with(std::path::is_separator);
    if slash || to.is_dir() || to.file_name().is_none() {
        return fail("is a folder; give the name of the new file too");
    }
    if !folder(to).is_dir() {
        return fail("would be in a folder that does not exist; check the name");
    }
    // Links are followed, because a rename would replace the link instead of its target.
    let target = fs::canonicalize(to).unwrap_or_else(|_| to.to_path_buf());
    if fs::canonicalize(from).is_ok_and(|from| from == target) {
        return fail("is the same file as the source; choose another name");
    }
    match fs::symlink_metadata(&target) {
        Ok(_) if !force => fail("exists; choose another name, or replace it with --force"),
        Ok(old) if !old.is_file() => fail("is not a regular file; choose another name"),
        _ => Ok(target),
    }
}

/// Copies the file into a temporary file in the target's folder: a rename cannot cross file
/// systems.
async fn fill(from: &Path, source: &Metadata, folder: &Path) -> Result<NamedTempFile, Failure> {
    let input = File::open(from).await;
    let input = input.map_err(|e| because(NO_INPUT, from, "cannot be read", &e))?;
    // The prefix names the program, in case a power cut leaves the file behind.
    let temp = tempfile::Builder::new()
        .prefix(".mycopy-")
        .tempfile_in(folder);
    let temp = temp.map_err(|e| because(CANNOT_CREATE, folder, "takes no new file", &e))?;
    let done = transfer(input, temp.as_file(), source).await;
    done.map_err(|e| because(IO_ERROR, from, "was not copied", &e))?;
    Ok(temp)
}

async fn transfer(mut input: File, output: &fs::File, source: &Metadata) -> io::Result<()> {
    let mut output = File::from_std(output.try_clone()?);
    let bar = progress_bar(source.len());
    let mut piece = vec![0; PIECE];
    loop {
        let n = input.read(&mut piece).await?;
        if n == 0 {
            break;
        }
        output.write_all(&piece[..n]).await?;
        bar.inc(n as u64);
    }
    // tokio writes in the background: only flush returns the error of the last write.
    output.flush().await?;
    if cfg!(unix) {
        output.set_permissions(permissions(source)).await?;
    }
    // Otherwise after a power cut the new name could be on disk without the bytes.
    output.sync_all().await
}

/// Creates a progress bar. indicatif draws on stderr, and only if it is a terminal.
fn progress_bar(len: u64) -> ProgressBar {
    let style = "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(style).expect("the template is valid");
    // Cleared when it is dropped, so that an error message starts on a clean line.
    ProgressBar::new(len)
        .with_style(style)
        .with_finish(ProgressFinish::AndClear)
}

/// Returns the source's permissions without set-user-ID and set-group-ID: they would apply to the
/// owner of the copy.
fn permissions(source: &Metadata) -> Permissions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only unix has modes"))]
    let mut permissions = source.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        permissions.set_mode(permissions.mode() & 0o777);
    }
    permissions
}

/// Gives the temporary file the target's name. It has no await, so it cannot be cancelled midway.
fn publish(temp: NamedTempFile, source: &Metadata, to: &Path, force: bool) -> Result<(), Failure> {
    // The target may have appeared since check_target; persist_noclobber fails in that case.
    let named = if force {
        temp.persist(to)
    } else {
        temp.persist_noclobber(to)
    };
    let file = named.map_err(|e| because(CANNOT_CREATE, to, "was not created", &e.error))?;
    let settled = if cfg!(unix) {
        // The folder contains the name, so it must be synced too.
        fs::File::open(folder(to)).and_then(|folder| folder.sync_all())
    } else {
        // After the rename, because Windows does not rename a read-only file.
        file.set_permissions(permissions(source))
    };
    settled.map_err(|e| {
        because(
            IO_ERROR,
            to,
            "is complete, but may not survive a power cut",
            &e,
        )
    })
}

/// Returns a file's folder. The parent of a bare name is the empty path, which system calls do
/// not accept.
fn folder(file: &Path) -> &Path {
    let parent = file.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new("."))
}

fn fail<T>(code: u8, what: &Path, problem: &str) -> Result<T, Failure> {
    Err(Failure(code, format!("{} {problem}", what.display())))
}

fn because(code: u8, what: &Path, problem: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        ErrorKind::NotFound => "check the name",
        ErrorKind::PermissionDenied => "check the permissions",
        ErrorKind::AlreadyExists => "choose another name, or replace it with --force",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room and try again",
        _ => "check the disk and try again",
    };
    Failure(
        code,
        format!("{} {problem}: {error}; {advice}", what.display()),
    )
}
