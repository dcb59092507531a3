//! The file copy, with what only unix has: limits of a shell's, terminals.

use std::fs;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{folder_with, mycopy, names};
use crate::support::{built, complaint, run, within};

#[tokio::test]
async fn mycopy_leaves_no_half_file_on_a_full_disk() {
    let test = async {
        let (folder, from, to) = folder_with(&vec![7; 3 << 20]);
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
async fn mycopy_shows_its_progress_on_a_terminal() {
    let test = async {
        let (folder, from, _) = folder_with(&vec![7; 3 << 20]);
        let (terminal, its_end) = terminal();
        let other = folder.path().join("other");
        let mut mycopy = mycopy(&[&from, &other]).await;
        let status = mycopy.stderr(its_end).status().await.expect("it starts");
        drop(mycopy); // and with it the last copy of the terminal's other end
        assert!(status.success());
        let mut drawn = Vec::new();
        // On Linux reading a terminal whose other end is closed is an error.
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
