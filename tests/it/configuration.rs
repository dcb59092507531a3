//! The sources of the server's settings: flags, the environment, a config file; and
//! `--print-config`, which tells where each came from.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Served, arauto, finish, watchdog};

/// Makes a command that prints the effective configuration of these flags.
fn print_config(flags: &[&str]) -> Command {
    let mut command = arauto(&["serve", "--print-config"]);
    command.args(flags);
    command
}

/// Returns the settings of a printed configuration, without the comments behind them.
fn settings(printed: &str) -> Vec<&str> {
    let lines = printed.lines().filter(|line| !line.starts_with('#'));
    let settings = lines.filter_map(|line| Some(line.rsplit_once(" # ")?.0));
    settings.collect()
}

/// Returns the origin of a key in a printed configuration.
fn origin<'a>(printed: &'a str, key: &str) -> &'a str {
    let mut lines = printed.lines();
    let line = lines.find(|line| line.starts_with(&format!("{key} = ")));
    let line = line.unwrap_or_else(|| panic!("{key} is not in {printed}"));
    line.rsplit_once(" # ").expect(line).1
}

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("arauto.toml");
    fs::write(&path, text).expect("the folder is ours");
    path.to_str().expect("it is text").to_owned()
}

#[test]
fn printed_configuration_has_origins_and_is_read_as_the_same() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = written(
        folder.path(),
        "listen = [\"tcp:127.0.0.1:7001\"]\nslow = \"disconnect\"\npatterns = 7\nlog = \"json\"\n",
    );
    let mut command = print_config(&["--data", "none", "--max-frame", "2KiB", "--config", &file]);
    command.env("ARAUTO_MAX_FRAME", "4KiB");
    command.env("ARAUTO_PATTERNS", "8");
    command.env("ARAUTO_LISTEN", "tcp:127.0.0.1:7002 tcp:127.0.0.1:7003");
    command.env("ARAUTO_LOG_FORM", "human");
    let printed = finish(&mut command, "").expect_success();
    for (key, from) in [
        ("data", "flag".to_owned()),
        ("max-frame", "flag".to_owned()),
        ("patterns", "environment ARAUTO_PATTERNS".to_owned()),
        ("listen", "environment ARAUTO_LISTEN".to_owned()),
        ("log", "environment ARAUTO_LOG_FORM".to_owned()),
        ("slow", format!("file {file}")),
        ("drain-timeout", "default".to_owned()),
    ] {
        assert_eq!(origin(&printed, key), from, "{key}");
    }
    let all = settings(&printed);
    for setting in [
        "listen = [\"tcp:127.0.0.1:7002\", \"tcp:127.0.0.1:7003\"]",
        "max-frame = \"2KiB\"",
        "patterns = 8",
        "log = \"human\"",
        "slow = \"disconnect\"",
    ] {
        assert!(all.contains(&setting), "{setting:?} is not in {all:#?}");
    }
    let again = written(folder.path(), &printed);
    let again = finish(&mut print_config(&["--config", &again]), "").expect_success();
    assert_eq!(settings(&again), all);
}

#[test]
fn print_config_opens_and_writes_no_file() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    let report = folder.path().join("report.json");
    let mut command = print_config(&["--journal"]);
    command
        .arg("--data")
        .arg(&data)
        .arg("--report")
        .arg(&report);
    finish(&mut command, "").expect_success();
    let mut entries = fs::read_dir(folder.path()).expect("it is there");
    assert!(entries.next().is_none(), "a file was written");
    // A server on the folder is not disturbed.
    let served = Served::new(&["--journal"]);
    let data = served.folder.path().join("data");
    finish(print_config(&["--data"]).arg(data), "").expect_success();
    served.stop();
}

#[test]
fn print_config_fails_as_the_server_does() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = written(folder.path(), "max-frame = 2048\nmax-sesions = 5\n");
    for (flags, variable, code, naming) in [
        (
            &["--config", &file][..],
            ("ARAUTO_X", ""),
            78,
            "max-sesions",
        ),
        (&["--config", "/no/file"], ("ARAUTO_X", ""), 66, "/no/file"),
        (&["--listen", "udp:x"], ("ARAUTO_X", ""), 64, "udp:x"),
        (&["--retain-age", "1h"], ("ARAUTO_X", ""), 78, "--journal"),
        (&["--arbiters", "0"], ("ARAUTO_X", ""), 78, "arbiters"),
        (&[], ("ARAUTO_ARBITERS", "0"), 78, "ARAUTO_ARBITERS"),
        (&[], ("ARAUTO_JOURNAL", "yes"), 78, "true or false"),
        (&[], ("ARAUTO_CONFIG", "/no/file"), 66, "/no/file"),
    ] {
        let failed = |command: &mut Command| {
            let command = command.args(["--data", "none"]).args(flags);
            finish(command.env(variable.0, variable.1), "")
        };
        let served = failed(&mut arauto(&["serve"]));
        served.expect_failure(code, &[naming]);
        let printed = failed(&mut print_config(&[]));
        assert_eq!((printed.code, &printed.err), (served.code, &served.err));
        assert_eq!(printed.out, "", "{flags:?}");
    }
}

#[test]
fn unknown_key_names_the_nearest_setting_and_its_place() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = written(folder.path(), "max-frame = 2048\nmax-sesions = 5\n");
    let done = finish(&mut print_config(&["--config", &file]), "");
    let nearest = "unknown setting \"max-sesions\"; did you mean \"max-sessions\"?";
    done.expect_failure(78, &[&file, "line 2, column 1", nearest]);
}

#[test]
fn server_has_the_settings_of_its_variables() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = written(
        folder.path(),
        "max-frame = 2048\nmax-frame-before-login = 1024\n",
    );
    let served = Served::with_command(folder, &["--data", "none"], |mut command| {
        command.env("ARAUTO_CONFIG", &file);
        command.env("ARAUTO_MAX_FRAME", "4KiB");
        command.env("ARAUTO_LOG_FORM", "json");
        command.env("ARAUTO_LISTEN", "unix:/no/such/folder/s"); // the flag wins
        command
    });
    let welcome = served.connected().expect("welcome");
    assert_eq!(welcome.num("max_frame"), 4096);
    let log = served.log();
    assert!(log.starts_with('{'), "{log}");
    served.stop();
}

#[test]
fn variable_with_a_typing_error_changes_no_setting() {
    let _watchdog = watchdog();
    let mut command = print_config(&["--data", "none"]);
    command.env("ARAUTO_PATERNS", "3");
    let printed = finish(&mut command, "").expect_success();
    assert_eq!(origin(&printed, "patterns"), "default");
}

#[test]
fn default_configuration_is_a_file_that_sets_nothing() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut command = arauto(&["serve", "--print-config=default"]);
    command.env("ARAUTO_PATTERNS", "no number, and not read");
    let printed = finish(&mut command, "").expect_success();
    assert!(printed.contains("\n#max-frame = \"1MiB\"\n"), "{printed}");
    let file = written(folder.path(), &printed);
    let with = finish(&mut print_config(&["--config", &file]), "").expect_success();
    let without = finish(&mut print_config(&[]), "").expect_success();
    assert_eq!(with, without);
}
