//! How `arauto serve` stops, and its exit codes and report.

use crate::support::{FrameClient, Served, Stop, arauto, finish, os, watchdog};

/// A client that never reads, with more on its way than its socket takes.
fn stalled_reader(served: &Served) -> FrameClient {
    let mut stalled = served.unauthenticated();
    stalled.log_in("stalled");
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let body = "x".repeat(64 << 10);
    for id in 0..40 {
        ana.publish(id, &body);
        ana.skip_to("published");
    }
    ana.fim();
    stalled
}

#[test]
fn signal_stops_the_server_with_exit_0_and_a_report() {
    let _watchdog = watchdog();
    for stop in Stop::ALL {
        let mut served = Served::new(&["--data", "none"]);
        let mut ana = served.unauthenticated();
        let session = ana.log_in("ana");
        served.send_stop(stop);
        assert_eq!(ana.expect("stopping").text("reason"), "signal");
        ana.expect_closing("shutdown");
        assert_eq!(served.wait(), Some(0), "{}", served.log());
        assert!(os::is_gone(served.endpoint()));
        let report = served.report();
        assert_eq!(
            (report.version, report.exit, report.reason.as_str()),
            (1, 0, "signal")
        );
        assert_eq!(report.stream, session.text("stream"));
        assert_eq!(report.sessions.len(), 1);
        assert_eq!(report.phases.len(), 9);
    }
}

#[test]
fn second_signal_past_a_stalled_reader_forces_exit_4() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut other = served.unauthenticated();
    other.log_in("other");
    let _stalled = stalled_reader(&served);
    served.send_stop(Stop::USUAL);
    other.skip_to("stopping");
    served.send_another_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(4), "{}", served.log());
    let report = served.report();
    assert_eq!(report.exit, 4);
    assert!(
        report
            .sessions
            .iter()
            .any(|session| !session.missing.is_empty()),
        "{report:#?}"
    );
}

#[test]
fn fim_with_wait_returns_when_the_server_has_gone() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    // A zombie is no server any more, but has its process id until it is waited for.
    let pid = served.child.id();
    let waiter = std::thread::spawn({
        let mut command = served.command(&["fim", "--wait"]);
        move || finish(&mut command, "")
    });
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let done = waiter.join().expect("no panic");
    assert!(done.err.contains("stopping"), "{done:?}");
    done.expect_success();
    if cfg!(target_os = "linux") {
        let process = format!("/proc/{pid}");
        assert!(!std::path::Path::new(&process).exists(), "it is gone");
    }
    assert_eq!(served.report().reason.as_str(), "admin");
}

#[test]
fn fim_with_wait_takes_an_unreaped_server_as_gone() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    // This process is its parent, and does not wait for it before `fim` has returned.
    finish(&mut served.command(&["fim", "--wait"]), "").expect_success();
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

#[test]
fn fim_now_skips_the_drain_and_makes_exit_4() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let _stalled = stalled_reader(&served);
    finish(&mut served.command(&["fim", "--now"]), "").expect_success();
    assert_eq!(served.wait(), Some(4), "{}", served.log());
}

#[test]
fn config_file_sets_what_flags_leave_open() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("arauto.toml");
    std::fs::write(
        &file,
        "max-frame = \"2KiB\"\ndefault-role = \"leitor\"\ndata = \"none\"\n",
    )
    .expect("it is ours");
    let path = file.display().to_string();
    let served = Served::new(&[
        "--data",
        "none",
        "--config",
        &path,
        "--default-role",
        "admin",
    ]);
    let mut client = served.connected();
    assert_eq!(client.expect("welcome").num("max_frame"), 2048);
    assert_eq!(
        client.log_in("ana").text("role"),
        "admin",
        "a flag is stronger"
    );
    drop(client);
    served.stop();
}

#[test]
fn log_format_json_writes_one_object_per_line() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--log", "json"]);
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0));
    let log = served.log();
    assert!(log.lines().count() > 2, "{log}");
    for line in log.lines() {
        let entry: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(entry.is_ok(), "{line}");
    }
}

#[test]
fn report_may_be_in_a_data_folder_that_is_created_later() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    let report = data.join("last-stop.json");
    let endpoint = os::endpoint(folder.path(), "a").to_string();
    let mut serve = arauto(&["serve", "--console", "--listen", &endpoint]);
    serve.arg("--data").arg(&data).arg("--report").arg(&report);
    finish(&mut serve, "fim\n").expect_success();
    assert!(report.exists());
}
