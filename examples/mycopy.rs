//! `mycopy [--force] FROM TO` copies a file, whole or not at all.
//!
//! ```sh
//! cargo run --example mycopy -- FROM TO
//! ```
//!
//! The bytes go to a temporary file beside the target, which takes the target's name
//! only when it is complete and on disk. So nobody ever sees half a copy.

use std::ffi::OsString;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

// The exit codes of sysexits(3), and the one that shells use for Ctrl-C.
const USAGE: u8 = 64;
const NO_INPUT: u8 = 66;
const CANNOT_CREATE: u8 = 73;
const IO_ERROR: u8 = 74;
const INTERRUPTED: u8 = 130;

/// Each file operation is a trip to another thread, so small pieces would be slow.
const PIECE: usize = 1024 * 1024;

/// The exit code, for scripts, and what went wrong and what to do, for people.
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
        // In this order the signal is caught before there is a temporary file to remove.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => {
            // The other branch was dropped, and dropping a NamedTempFile removes it.
            return fail(INTERRUPTED, from, "was not copied: interrupted");
        }
        temp = fill(from, &source, folder(&target)) => temp?,
    };
    // From here on Ctrl-C comes too late, so that its message is always true.
    publish(temp, &source, &target, force)
}

/// Looks before opening, because to open a pipe would wait for whoever writes to it.
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

/// Refuses early what can be refused early: nobody likes to wait for an error.
fn check_target(from: &Path, to: &Path, force: bool) -> Result<PathBuf, Failure> {
    let fail = |problem| fail(CANNOT_CREATE, to, problem);
    let slash = to.to_string_lossy().ends_with(std::path::is_separator);
    if slash || to.is_dir() || to.file_name().is_none() {
        return fail("is a folder; name the file that the copy shall become");
    }
    if !folder(to).is_dir() {
        return fail("would be in a folder that is not there; check the name");
    }
    // Links are followed, for the rename would replace the link and not what it points to.
    let target = fs::canonicalize(to).unwrap_or_else(|_| to.to_path_buf());
    if fs::canonicalize(from).is_ok_and(|from| from == target) {
        return fail("is the very file to copy; choose another name");
    }
    match fs::symlink_metadata(&target) {
        Ok(_) if !force => fail("exists; choose another name, or replace it with --force"),
        Ok(old) if !old.is_file() => fail("is not a regular file; choose another name"),
        _ => Ok(target),
    }
}

/// A rename cannot cross file systems, hence a temporary file in the target's own folder.
async fn fill(from: &Path, source: &Metadata, folder: &Path) -> Result<NamedTempFile, Failure> {
    let input = File::open(from).await;
    let input = input.map_err(|e| because(NO_INPUT, from, "cannot be read", &e))?;
    // The name tells whose file it is, should a power cut leave it behind.
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
    // tokio writes behind our back; only flush tells how the last write went.
    output.flush().await?;
    if cfg!(unix) {
        output.set_permissions(permissions(source)).await?;
    }
    // Else a power cut could find the new name on disk, and not the bytes.
    output.sync_all().await
}

/// indicatif draws on stderr, and only if that is a terminal.
fn progress_bar(len: u64) -> ProgressBar {
    let style = "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(style).expect("the template is valid");
    // Cleared when dropped, so that an error message, too, gets a clean line.
    ProgressBar::new(len)
        .with_style(style)
        .with_finish(ProgressFinish::AndClear)
}

/// Without setuid: its owner did not offer to run whoever copies as himself.
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

/// Has no await, so nothing can interrupt it half way.
fn publish(temp: NamedTempFile, source: &Metadata, to: &Path, force: bool) -> Result<(), Failure> {
    // What check_target saw may have changed since; persist_noclobber cannot be deceived.
    let named = if force {
        temp.persist(to)
    } else {
        temp.persist_noclobber(to)
    };
    let file = named.map_err(|e| because(CANNOT_CREATE, to, "was not created", &e.error))?;
    let settled = if cfg!(unix) {
        // The name is kept in the folder, so the folder has to reach the disk as well.
        fs::File::open(folder(to)).and_then(|folder| folder.sync_all())
    } else {
        // Last, because Windows is loath to rename what is read-only.
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

/// A bare name has the empty path for a parent, which no system call understands.
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
