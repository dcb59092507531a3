//! The server's files on disk are private to its owner, whatever the umask is.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use crate::support::{Served, arauto, by_shell, finish, watchdog};

fn mode(path: &Path) -> u32 {
    let found = std::fs::metadata(path);
    let found = found.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    found.permissions().mode() & 0o777
}

#[test]
fn data_folder_modes_ignore_the_umask() {
    let _watchdog = watchdog();
    for umask in ["000", "022", "777"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let preparation = format!("umask {umask}");
        let served = Served::with_command(folder, &["--journal", "--no-console"], |command| {
            by_shell(&preparation, command, "")
        });
        served.unauthenticated().log_in("ana");
        let data = served.folder.path().join("data");
        assert_eq!(mode(&data), 0o700, "umask {umask}");
        let names = ["arauto.db", "arauto.db-wal", "arauto.db-shm", "arauto.lock"];
        for name in names {
            assert_eq!(mode(&data.join(name)), 0o600, "{name} with umask {umask}");
        }
        let report = served.folder.path().join("report.json");
        let folder = {
            served.send_stop(crate::support::Stop::USUAL);
            served.into_folder()
        };
        assert_eq!(mode(&report), 0o600, "the report with umask {umask}");
        drop(folder);
    }
}

#[test]
fn link_as_the_data_folder_is_refused_and_named() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let (data, link) = (temp.path().join("data"), temp.path().join("link"));
    std::fs::create_dir(&data).expect("the folder is ours");
    symlink(&data, &link).expect("the folder is ours");
    let endpoint = format!("unix:{}", temp.path().join("s.sock").display());
    let serve = |data: &Path| {
        let mut command = arauto(&["serve", "--no-console", "--listen", &endpoint, "--data"]);
        finish(command.arg(data), "")
    };
    serve(&link).expect_failure(73, &["link", "symbolic link", "--data"]);
    symlink("/dev/null", data.join("arauto.db")).expect("the folder is ours");
    serve(&data).expect_failure(73, &["arauto.db", "symbolic link"]);
    let users = finish(arauto(&["users", "--data"]).arg(&link).arg("list"), "");
    users.expect_failure(73, &["link", "symbolic link"]);
}

#[test]
fn data_folder_of_another_user_is_refused_and_named() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let data = temp.path().join("data");
    std::fs::create_dir(&data).expect("the folder is ours");
    if chown(&data, Some(4242), None).is_err() {
        let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
        assert!(!required, "only root can give a folder away");
        eprintln!("SKIPPED: a folder of another user, as only root can give one away");
        return;
    }
    let endpoint = format!("unix:{}", temp.path().join("s.sock").display());
    let mut command = arauto(&["serve", "--no-console", "--listen", &endpoint, "--data"]);
    finish(command.arg(&data), "").expect_failure(73, &["4242", "--data"]);
}
