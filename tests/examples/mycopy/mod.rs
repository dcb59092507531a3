//! The file copy.

#[cfg(unix)]
mod unix;

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use super::support::{complaint, example, interrupt, printed, run, start, within};

/// A folder with a file `from` of these bytes.
fn folder_with(bytes: &[u8]) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::write(&from, bytes).expect("the folder is ours");
    (folder, from, to)
}

async fn mycopy(args: &[&Path]) -> Command {
    let mut command = example("mycopy.rs").await.expect("it needs no tools");
    command.args(args);
    command
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is a folder");
    let names = entries.map(|entry| entry.expect("it can be listed").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
pub(crate) fn mode(file: &Path) -> u32 {
    fs::metadata(file)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

/// Not so short that one piece would do.
fn some_bytes() -> Vec<u8> {
    (0..3_000_001_u32).map(|n| (n % 251) as u8).collect()
}

#[tokio::test]
async fn mycopy_copies_the_bytes() {
    let test = async {
        for bytes in [some_bytes(), Vec::new()] {
            let (folder, from, to) = folder_with(&bytes);
            let output = printed(run(mycopy(&[&from, &to]).await, "").await);
            assert_eq!(output, "");
            assert!(fs::read(&to).expect("it is there") == bytes);
            assert_eq!(names(folder.path()), ["from", "to"]);
        }
    };
    within(test).await;
}

#[tokio::test]
#[cfg(unix)]
async fn mycopy_copies_the_mode() {
    let test = async {
        for (source, copy) in [
            (0o640, 0o640),
            (0o755, 0o755),
            (0o4755, 0o755),
            (0o400, 0o400),
        ] {
            let (folder, from, to) = folder_with(&some_bytes());
            fs::set_permissions(&from, fs::Permissions::from_mode(source)).expect("it is ours");
            printed(run(mycopy(&[&from, &to]).await, "").await);
            assert_eq!(mode(&to), copy);
            assert_eq!(names(folder.path()), ["from", "to"]);
        }
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_copies_read_only_files_and_their_mode() {
    let test = async {
        let (folder, from, to) = folder_with(b"as it is");
        read_only(&from, true);
        printed(run(mycopy(&[&from, &to]).await, "").await);
        assert_eq!(fs::read(&to).expect("it is there"), b"as it is");
        let copied = fs::metadata(&to).expect("it is there").permissions();
        assert!(copied.readonly());
        assert_eq!(names(folder.path()), ["from", "to"]);
        // Windows removes no file that is read-only.
        read_only(&from, false);
        read_only(&to, false);
    };
    within(test).await;
}

#[allow(
    clippy::permissions_set_readonly_false,
    reason = "the file goes right after"
)]
fn read_only(file: &Path, is_read_only: bool) {
    let mut permissions = fs::metadata(file).expect("it is there").permissions();
    permissions.set_readonly(is_read_only);
    fs::set_permissions(file, permissions).expect("it is ours");
}

#[tokio::test]
async fn mycopy_replaces_a_file_only_with_force() {
    let test = async {
        let (folder, from, to) = folder_with(b"new");
        fs::write(&to, b"old").expect("the folder is ours");
        let complaint = complaint(run(mycopy(&[&from, &to]).await, "").await, 73);
        assert!(
            complaint.contains("exists") && complaint.contains("--force"),
            "{complaint}"
        );
        assert_eq!(fs::read(&to).expect("it is there"), b"old");
        printed(run(mycopy(&[Path::new("--force"), &from, &to]).await, "").await);
        assert_eq!(fs::read(&to).expect("it is there"), b"new");
        assert_eq!(names(folder.path()), ["from", "to"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_refuses_what_it_cannot_copy() {
    let test = async {
        let (folder, from, to) = folder_with(b"x");
        let (path, none) = (folder.path(), folder.path().join("none"));
        let beyond = none.join("to");
        let cases: [(&[&Path], i32); 8] = [
            (&[], 64),
            (&[&from], 64),
            (&[&from, &to, &to], 64),
            (&[Path::new("--what"), &from, &to], 64),
            (&[&none, &to], 66),
            (&[path, &to], 66),
            (&[&from, path], 73),
            (&[&from, &beyond], 73),
        ];
        for (args, code) in cases {
            let complaint = complaint(run(mycopy(args).await, "").await, code);
            assert!(complaint.starts_with("mycopy: "), "{complaint}");
        }
        let force = [Path::new("--force"), &from, &from];
        let complaint = complaint(run(mycopy(&force).await, "").await, 73);
        assert!(complaint.contains("the same file"), "{complaint}");
        assert_eq!(names(path), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_leaves_no_half_file_when_it_is_interrupted() {
    let test = async {
        let (folder, from, to) = folder_with(b"");
        let sparse = fs::File::options()
            .write(true)
            .open(&from)
            .expect("it is ours");
        // Elsewhere than on unix it may take the room all the same.
        let length = if cfg!(unix) { 16 << 30 } else { 2 << 30 };
        sparse.set_len(length).expect("holes take no room");
        let mut mycopy = start(&mut mycopy(&[&from, &to]).await);
        // Its temporary file shows that it is at work.
        while names(folder.path()).len() < 2 {
            let ended = mycopy.try_wait().expect("it can be waited for");
            assert_eq!(ended, None, "it did not wait for us");
            tokio::task::yield_now().await;
        }
        interrupt(&mycopy);
        let output = mycopy
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let complaint = complaint(output, 130);
        assert!(complaint.contains("interrupted"), "{complaint}");
        assert_eq!(names(folder.path()), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_success_without_a_terminal_prints_nothing() {
    let test = async {
        let (_folder, from, to) = folder_with(&vec![7; 3 << 20]);
        let output = run(mycopy(&[&from, &to]).await, "").await;
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
    };
    within(test).await;
}
