//! The file copy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::support::{built, complaint, example, interrupt, printed, run, within};

/// A folder with a file `from` of these bytes and this mode.
fn folder_with(bytes: &[u8], mode: u32) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::write(&from, bytes).expect("the folder is ours");
    fs::set_permissions(&from, fs::Permissions::from_mode(mode)).expect("the file is ours");
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

pub(crate) fn mode(file: &Path) -> u32 {
    fs::metadata(file)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[tokio::test]
async fn mycopy_copies_the_bytes_and_the_mode() {
    let test = async {
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| (n % 251) as u8).collect();
        for (source, copy) in [
            (0o640, 0o640),
            (0o755, 0o755),
            (0o4755, 0o755),
            (0o400, 0o400),
        ] {
            let (folder, from, to) = folder_with(&bytes, source);
            let output = printed(run(mycopy(&[&from, &to]).await, "").await);
            assert_eq!(output, "");
            assert!(fs::read(&to).expect("it is there") == bytes);
            assert_eq!(mode(&to), copy);
            assert_eq!(names(folder.path()), ["from", "to"]);
        }
        let (_folder, from, to) = folder_with(b"", 0o600);
        printed(run(mycopy(&[&from, &to]).await, "").await);
        assert_eq!(fs::read(&to).expect("it is there"), b"");
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_replaces_a_file_only_with_force() {
    let test = async {
        let (folder, from, to) = folder_with(b"new", 0o640);
        fs::write(&to, b"old").expect("the folder is ours");
        let complaint = complaint(run(mycopy(&[&from, &to]).await, "").await, 73);
        assert!(
            complaint.contains("exists") && complaint.contains("--force"),
            "{complaint}"
        );
        assert_eq!(fs::read(&to).expect("it is there"), b"old");
        printed(run(mycopy(&[Path::new("--force"), &from, &to]).await, "").await);
        assert_eq!(fs::read(&to).expect("it is there"), b"new");
        assert_eq!(mode(&to), 0o640);
        assert_eq!(names(folder.path()), ["from", "to"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_refuses_what_it_cannot_copy() {
    let test = async {
        let (folder, from, to) = folder_with(b"x", 0o600);
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
        assert!(complaint.contains("the very file"), "{complaint}");
        assert_eq!(names(path), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_leaves_no_half_file_when_it_is_interrupted() {
    let test = async {
        let (folder, from, to) = folder_with(b"", 0o600);
        let sparse = fs::File::options()
            .write(true)
            .open(&from)
            .expect("it is ours");
        sparse.set_len(16 << 30).expect("holes take no room");
        let mut mycopy = mycopy(&[&from, &to]).await.spawn().expect("it starts");
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
async fn mycopy_leaves_no_half_file_when_the_disk_takes_no_more() {
    let test = async {
        let (folder, from, to) = folder_with(&vec![7; 3 << 20], 0o600);
        // A limit on the size of files stands for a full disk.
        let mut shell = Command::new("bash");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "bash"]);
        shell.arg(built("mycopy")).args([&from, &to]);
        shell
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let complaint = complaint(run(shell, "").await, 74);
        assert!(complaint.contains("was not copied"), "{complaint}");
        assert_eq!(names(folder.path()), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_shows_its_progress_on_a_terminal_and_nowhere_else() {
    let test = async {
        let (folder, from, to) = folder_with(&vec![7; 3 << 20], 0o600);
        let output = run(mycopy(&[&from, &to]).await, "").await;
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );

        let (terminal, its_end) = terminal();
        let other = folder.path().join("other");
        let mut mycopy = mycopy(&[&from, &other]).await;
        let status = mycopy.stderr(its_end).status().await.expect("it starts");
        drop(mycopy); // and with it the last copy of the terminal's other end
        assert!(status.success());
        let mut drawn = Vec::new();
        // The end of a terminal that nobody holds any more is an error, on Linux.
        let _ = tokio::fs::File::from_std(terminal)
            .read_to_end(&mut drawn)
            .await;
        let drawn = String::from_utf8_lossy(&drawn);
        assert!(drawn.contains("3.00 MiB"), "{drawn:?}");
    };
    within(test).await;
}

/// A terminal as a program that draws one holds it, and the end that another program
/// is run in.
fn terminal() -> (fs::File, fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&terminal).expect("it is ours");
    unlockpt(&terminal).expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let name = name.to_str().expect("the name is ascii");
    let its_end = fs::File::options().read(true).write(true).open(name);
    (terminal.into(), its_end.expect("it is unlocked"))
}
