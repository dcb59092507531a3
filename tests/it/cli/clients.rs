//! `pedir`, `escritor`, `who`, `sessions`.

#[cfg(unix)]
use crate::support::wait_until;
use crate::support::{Served, finish, login, watchdog};

#[test]
fn piped_lines_through_pedir_keep_their_order() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let numbers: String = (1..=20_000).map(|number| format!("n{number}\n")).collect();
    let replies = finish(&mut served.command(&["pedir"]), &numbers).expect_success();
    assert!(
        replies == numbers.to_uppercase(),
        "20000 replies in the order of their requests"
    );
    served.stop();
}

#[test]
fn pedir_sends_its_arguments_until_fim() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let replies = finish(&mut served.command(&["pedir", "olá", "straße"]), "").expect_success();
    assert_eq!(replies, "OLÁ\nSTRASSE\n");
    let replies = finish(&mut served.command(&["request"]), "a\nfim\nb\n").expect_success();
    assert_eq!(replies, "A\n");
    served.stop();
}

#[test]
fn escritor_publishes_its_arguments_or_each_line_until_fim() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut reader = served.unauthenticated();
    reader.send(&login(1, "eva", "x"));
    let mut seq = reader.expect("logged_in").num("seq");
    finish(&mut served.command(&["escritor", "um", "dois"]), "").expect_success();
    let printed = finish(
        &mut served.command(&["write", "--verbose"]),
        "três\nfim\nquatro\n",
    )
    .expect_success();
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let frame = reader.recv().expect("the session goes on");
        seq += 1;
        assert_eq!(frame.num("seq"), seq);
        if frame.is("message") {
            assert_eq!(frame.text("from"), "ana");
            heard.push(frame.text("body").to_owned());
        }
    }
    assert_eq!(heard, ["um", "dois", "três"]);
    assert_eq!(printed, format!("{seq}\n"), "its place in the stream");
    drop(reader);
    served.stop();
}

#[test]
fn who_and_sessions_list_users_and_sessions() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    assert_eq!(
        finish(&mut served.command(&["who"]), "").expect_success(),
        "ana\nrui\n"
    );
    let sessions = finish(&mut served.command(&["sessions"]), "").expect_success();
    let pid = format!("pid {}", std::process::id());
    for what in ["rui", "ana", &served.endpoint().to_string(), &pid] {
        assert!(sessions.contains(what), "{what}: {sessions}");
    }
    drop(rui);
    served.stop();
}

#[test]
#[cfg(unix)] // a shell's
fn pedir_whose_reader_has_gone_is_not_a_failure() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "seq 20000 | \"$0\" pedir | head -n 3"])
        .arg(env!("CARGO_BIN_EXE_arauto"))
        .env("ARAUTO_ENDPOINT", served.endpoint().to_string())
        .env("ARAUTO_USER", "ana")
        .env("ARAUTO_PASSWORD", "x");
    let done = finish(&mut command, "");
    assert_eq!((&*done.out, &*done.err), ("1\n2\n3\n", ""));
    served.stop();
}

#[test]
#[cfg(unix)] // seqpacket
fn commands_work_over_seqpacket() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = format!("seqpacket:{}", folder.path().join("p.sock").display());
    let mut served = Served::new(&["--data", "none", "--listen", &endpoint]);
    let run = |arguments: &[&str], input: &str| {
        let mut command = served.command(arguments);
        finish(command.args(["--connect", &endpoint]), input)
    };
    let numbers: String = (1..=3000).map(|number| format!("n{number}\n")).collect();
    let state = folder.path().join("state").display().to_string();
    run(&["who"], "").expect_success();
    std::thread::scope(|scope| {
        // It resumes from here, whatever was said meanwhile.
        run(&["escritor", "before"], "").expect_success();
        let leitor =
            scope.spawn(|| run(&["leitor", "--once", "--resume", &state], "").expect_success());
        wait_until("it has a place in the stream", || {
            std::fs::read(&state).is_ok_and(|state| !state.is_empty())
        });
        run(&["escritor"], &numbers).expect_success();
        assert_eq!(
            run(&["pedir"], &numbers).expect_success(),
            numbers.to_uppercase()
        );
        assert!(run(&["sessions"], "").expect_success().contains(&endpoint));
        run(&["fim"], "").expect_success();
        let heard = leitor.join().expect("it hears all");
        let said = heard.lines().filter_map(|line| line.split_once(": "));
        let said: String = said.map(|(_, text)| format!("{text}\n")).collect();
        assert!(said == numbers, "{said}");
    });
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}
