//! Usage errors name the problem and a remedy.

use crate::support::{Served, arauto, finish, os, watchdog};

#[test]
fn usage_errors_exit_64() {
    let _watchdog = watchdog();
    for arguments in [
        &["nada"][..],
        &["serve", "--nada"],
        &["serve", "--drain-timeout", "soon"],
        &["serve", "--default-role", "rei"],
        &["serve", "--listen", "unix:/x?nada=1", "--data", "none"],
        &["serve", "--listen", "udp:x", "--data", "none"],
        &["pedir", "--connect", "nada", "a"],
        &["pedir", "--connect", "unix:/x?dialect=text", "a"],
        &["users"],
        &[],
    ] {
        let done = finish(&mut arauto(arguments), "");
        assert_eq!(done.code, Some(64), "{arguments:?}: {done:?}");
        assert!(!done.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_and_version_exit_0_and_name_every_command() {
    let _watchdog = watchdog();
    let help = finish(&mut arauto(&["--help"]), "").expect_success();
    for command in [
        "serve", "leitor", "escritor", "pedir", "who", "sessions", "fim", "users", "demo",
    ] {
        assert!(help.contains(command), "{command}");
    }
    assert_eq!(help.contains("bench"), cfg!(unix), "{help}");
    for alias in ["read", "write", "request"] {
        assert!(help.contains(alias), "{alias}");
        finish(&mut arauto(&[alias, "--help"]), "").expect_success();
    }
    assert!(
        finish(&mut arauto(&["--version"]), "")
            .expect_success()
            .starts_with("arauto ")
    );
}

#[test]
fn client_without_a_server_exits_69_with_a_hint() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = os::endpoint(folder.path(), "none").to_string();
    for command in [
        &["pedir", "a"][..],
        &["who"],
        &["leitor"],
        &["escritor", "a"],
        &["fim"],
    ] {
        let mut command = arauto(command);
        let done = finish(command.args(["--user", "ana", "--connect", &endpoint]), "");
        done.expect_failure(69, &[&endpoint, "arauto serve", "--connect"]);
    }
}

#[test]
fn wrong_or_missing_password_exits_77() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    finish(&mut served.command(&["who"]), "").expect_success();
    let wrong = finish(served.command(&["who"]).env("ARAUTO_PASSWORD", "outro"), "");
    wrong.expect_failure(77, &["bad-credentials"]);
    let mut none = served.command(&["who"]);
    none.env_remove("ARAUTO_PASSWORD");
    #[cfg(unix)] // the tests may run at a terminal, which would be prompted
    let mut none = crate::support::run_by(&["setsid", "--wait"], none);
    let none = finish(&mut none, "");
    none.expect_failure(77, &["ARAUTO_PASSWORD", "--password-file"]);
    let file = served.folder.path().join("password");
    std::fs::write(&file, format!("{}\n", crate::support::PASSWORD)).expect("it is ours");
    let mut who = served.command(&["who", "--password-file"]);
    finish(who.arg(&file).env_remove("ARAUTO_PASSWORD"), "").expect_success();
    served.stop();
}

#[test]
fn unknown_config_key_exits_78_and_is_named() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("arauto.toml");
    for (text, naming) in [
        ("nada = 1\n", "nada"),
        ("drain-timeout = \"soon\"\n", "soon"),
        ("listen = [\n", "arauto.toml"),
        ("slow = \"perhaps\"\n", "perhaps"),
    ] {
        std::fs::write(&file, text).expect("it is ours");
        let mut serve = arauto(&["serve", "--data", "none", "--config"]);
        finish(serve.arg(&file), "").expect_failure(78, &[naming]);
    }
    let mut serve = arauto(&["serve", "--config", "/no/such/file.toml"]);
    finish(&mut serve, "").expect_failure(66, &["/no/such/file.toml"]);
}

#[test]
fn server_that_cannot_start_prints_the_reason() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    let listen = served.endpoint().to_string();
    let mut second = arauto(&["serve", "--data", "none", "--listen", &listen]);
    finish(&mut second, "").expect_failure(69, &[&listen, "another program that is running"]);
    let mut open = arauto(&["serve", "--data", "none", "--listen", "tcp:0.0.0.0:0"]);
    finish(&mut open, "").expect_failure(69, &["loopback"]);
    let data = served.folder.path().join("data");
    let other = os::endpoint(served.folder.path(), "other").to_string();
    let mut same_data = arauto(&["serve", "--listen", &other, "--data"]);
    finish(same_data.arg(&data), "").expect_failure(73, &[&data.display().to_string()]);
    served.stop();
}
