//! Input is bounded, and errors name the wrong input.

use std::fs;
use std::process::Command;

use super::serve_with_console;
use crate::support::{Served, arauto, by_shell, finish, watchdog};

/// With as much memory as does for what is right, and not for what has no end.
fn frugal(command: Command, redirection: &str) -> Command {
    by_shell("ulimit -v 1500000", command, redirection)
}

#[test]
fn line_too_long_is_reported_with_number_and_limit() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let input = format!("um\n{}\ntrês\n", "x".repeat(2_000_000));
    let done = finish(&mut served.command(&["escritor", "-v"]), &input);
    done.expect_failure(
        65,
        &[
            "line 2",
            "1048544 bytes",
            "1 messages are confirmed as published",
        ],
    );
    assert_eq!(
        done.out.lines().count(),
        1,
        "what came before it is published: {done:?}"
    );
    let done = finish(&mut served.command(&["pedir"]), &input);
    done.expect_failure(65, &["line 2", "1048544 bytes"]);
    assert_eq!(done.out, "UM\n");
    served.stop();
}

#[test]
fn longest_line_is_published_and_a_longer_one_refused() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none", "--max-frame", "2KiB"]);
    let longest = 2048 - 32;
    let line = |length| format!("{}\r\n", "x".repeat(length));
    let replies = finish(&mut served.command(&["pedir"]), &line(longest)).expect_success();
    assert_eq!(replies.len(), longest + 1);
    let done = finish(&mut served.command(&["pedir"]), &line(longest + 1));
    done.expect_failure(65, &["line 1", "2016 bytes"]);
    served.stop();
}

#[test]
fn endless_input_takes_bounded_memory() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    let endless = "/dev/zero";
    for arguments in [&["escritor"][..], &["pedir"]] {
        let mut command = frugal(served.command(arguments), "</dev/zero");
        finish(&mut command, "").expect_failure(65, &["line 1"]);
    }
    let mut who = served.command(&["who", "--password-file", endless]);
    who.env_remove("ARAUTO_PASSWORD");
    finish(&mut frugal(who, ""), "").expect_failure(65, &[endless]);
    let import = served.users(&["import", endless]);
    finish(&mut frugal(import, ""), "").expect_failure(65, &[endless]);
    for arguments in [
        &["report", endless][..],
        &["explain", "1", "--report", endless],
        &["serve", "--data", "none", "--config", endless],
    ] {
        finish(&mut frugal(arauto(arguments), ""), "").expect_failure(65, &[endless]);
    }
    let state = served.folder.path().join("state");
    fs::write(&state, vec![b' '; 1 << 20]).expect("it is ours");
    let mut leitor = served.command(&["leitor", "--resume"]);
    finish(leitor.arg(&state), "").expect_failure(65, &["state"]);
    served.stop();
}

#[test]
fn console_line_too_long_is_skipped_and_reported() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (serve, _) = serve_with_console(folder.path());
    let input = format!("um\n{}\ndois\nfim\n", "x".repeat(3 << 20));
    let done = finish(&mut frugal(serve, ""), &input);
    assert!(
        done.err.contains("too long") && done.err.contains("line=2"),
        "{done:?}"
    );
    let printed = done.expect_success();
    assert!(
        printed.contains("um") && printed.contains("dois"),
        "{printed}"
    );
}

#[test]
fn byte_order_marks_are_skipped_or_named() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    let file = served.folder.path().join("file");
    let who = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("it is ours");
        let mut who = served.command(&["who", "--password-file"]);
        finish(who.arg(&file).env_remove("ARAUTO_PASSWORD"), "")
    };
    finish(served.command(&["who"]).env("ARAUTO_PASSWORD", "olá"), "").expect_success();
    who("\u{feff}olá\r\n".as_bytes()).expect_success();
    who(b"\xff\xfeo\0l\0\xe1\0\r\0\n\0").expect_failure(65, &["UTF-16"]);
    who(b"ol\xe1\n").expect_failure(65, &["line 1", "UTF-8"]);

    let import = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("it is ours");
        finish(served.users(&["import"]).arg(&file), "")
    };
    import("\u{feff}rui\tleitor\tum\r\n".as_bytes()).expect_success();
    let mut rui = served.command(&["who", "--user", "rui"]);
    finish(rui.env("ARAUTO_PASSWORD", "um"), "").expect_success();
    import(b"\xfe\xff\0e\0v\0a").expect_failure(65, &["UTF-16"]);
    import(b"eva\tleitor\tum\nbia\tleitor\t\xff\n").expect_failure(65, &["line 2", "UTF-8"]);

    fs::write(&file, "\u{feff}max-frame = \"2KiB\"\nslow = \"perhaps\"\n").expect("it is ours");
    let mut serve = arauto(&["serve", "--data", "none", "--config"]);
    finish(serve.arg(&file), "").expect_failure(78, &["perhaps"]);
    served.stop();
}

#[test]
fn password_from_stdin_leaves_the_lines_after_it() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut pedir = served.command(&["pedir", "--password-file", "-"]);
    let done = finish(pedir.env_remove("ARAUTO_PASSWORD"), "segredo\num\ndois\n");
    assert_eq!(done.expect_success(), "UM\nDOIS\n");
    served.stop();
}
