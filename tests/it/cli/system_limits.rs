//! Too few system resources give an error with an exit code, never a panic.

use std::process::Command;

use crate::support::{CommandResult, arauto, finish, run_by, watchdog, watchdog_for};

/// Limits the resources of the command by prlimit(1), so that no shell needs any.
fn limited(limit: &str, command: Command) -> CommandResult {
    finish(&mut run_by(&["prlimit", limit], command), "fim\n")
}

fn serve(folder: &std::path::Path, data: &str) -> Command {
    let endpoint = format!("unix:{}", folder.join("s.sock").display());
    let mut serve = arauto(&["serve", "--console", "--listen", &endpoint, "--data", data]);
    serve.current_dir(folder);
    serve
}

#[track_caller]
fn assert_typed(what: &str, done: &CommandResult) {
    assert!(!done.err.contains("panicked"), "{what}: {done:?}");
    // 127: the system could not even load the program.
    let known = [
        Some(0),
        Some(65),
        Some(69),
        Some(71),
        Some(73),
        Some(74),
        Some(127),
    ];
    assert!(known.contains(&done.code), "{what}: {done:?}");
    assert!(
        done.code == Some(0) || !done.err.is_empty(),
        "{what}: {done:?}"
    );
}

#[test]
fn server_at_any_descriptor_limit_does_not_panic() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(180));
    let temp = tempfile::tempdir().expect("a folder can be made");
    for limit in 3..=40 {
        let done = limited(&format!("--nofile={limit}"), serve(temp.path(), "data"));
        assert_typed(&format!("{limit} descriptors"), &done);
        if limit == 8 {
            done.expect_failure(71, &["descriptors", "ulimit -n"]);
        }
    }
}

#[test]
fn client_at_any_descriptor_limit_does_not_panic() {
    let _watchdog = watchdog();
    for limit in 3..=20 {
        let endpoint = "unix:/nowhere/s.sock";
        for arguments in [
            &["who"][..],
            &["escritor"],
            &["leitor"],
            &["pedir", "a"],
            &["fim"],
        ] {
            let mut command = arauto(arguments);
            command.args(["--user", "ana", "--connect", endpoint]);
            let done = limited(&format!("--nofile={limit}"), command);
            assert_typed(&format!("{arguments:?} with {limit} descriptors"), &done);
        }
    }
}

#[test]
fn command_with_a_small_stack_limit_succeeds() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    for kib in [64, 128, 256, 1024] {
        let limit = format!("--stack={}", kib * 1024);
        limited(&limit, arauto(&["--help"])).expect_success();
        limited(&limit, serve(temp.path(), "none")).expect_success();
    }
}

#[test]
fn file_size_limit_is_an_error_and_not_a_signal() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let done = limited("--fsize=0", serve(temp.path(), "data"));
    done.expect_failure(74, &["arauto.db"]);
    let mut reported = serve(temp.path(), "none");
    reported.args(["--report", "report.json"]);
    limited("--fsize=0", reported).expect_failure(73, &["report.json", "too large"]);
    assert!(!temp.path().join("report.json").exists());
}

#[test]
fn system_without_threads_is_an_error() {
    let _watchdog = watchdog();
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: a user without threads, as only root can become one");
        return;
    }
    // A user who may have one process only, and so no second thread.
    let user = [
        "setpriv",
        "--reuid=47474",
        "--regid=47474",
        "--clear-groups",
        "--",
        "prlimit",
    ];
    let mut outer = user.to_vec();
    outer.push("--nproc=1");
    let temp = tempfile::tempdir().expect("a folder can be made");
    let binary = temp.path().join("arauto");
    std::fs::copy(env!("CARGO_BIN_EXE_arauto"), &binary).expect("there is room");
    open(temp.path(), 0o755);
    for arguments in [
        &["serve", "--data", "none", "--listen", "unix:@arauto-47474"][..],
        &["who", "--user", "ana", "--connect", "unix:@arauto-none"],
    ] {
        let mut command = Command::new(&binary);
        command.args(arguments).env("ARAUTO_PASSWORD", "x");
        finish(&mut run_by(&outer, command), "").expect_failure(71, &["threads"]);
    }
}

fn open(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).expect("it is ours");
}

#[test]
fn missing_environment_causes_no_panic() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let not_text = OsStr::from_bytes(b"\xff\xfe");
    for variable in [
        "ARAUTO_ENDPOINT",
        "ARAUTO_USER",
        "ARAUTO_PASSWORD",
        "ARAUTO_LOG",
        "HOME",
        "XDG_RUNTIME_DIR",
        "TMPDIR",
        "USER",
    ] {
        let mut who = arauto(&["who", "--connect", "unix:/nowhere/s.sock"]);
        let done = finish(who.env(variable, not_text), "");
        assert!(!done.err.contains("panicked"), "{variable}: {done:?}");
        assert!(
            matches!(done.code, Some(64 | 65 | 69)),
            "{variable}: {done:?}"
        );
        let mut serve = serve(temp.path(), "none");
        let done = finish(serve.env(variable, not_text), "fim\n");
        assert!(!done.err.contains("panicked"), "{variable}: {done:?}");
    }
    let mut wrong = arauto(&["who"]);
    finish(wrong.arg(not_text), "").expect_failure(64, &[]);
    let mut bare = serve(temp.path(), "none");
    finish(
        bare.env_clear().stdin(std::process::Stdio::piped()),
        "fim\n",
    )
    .expect_success();
    let mut demo = arauto(&["demo"]);
    finish(demo.env("TMPDIR", "/nowhere"), "").expect_failure(73, &["TMPDIR"]);
}
