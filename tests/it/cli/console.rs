//! `serve --console` through a pipe.

use std::io::Write;

use crate::support::{Served, watchdog};

#[test]
fn console_publishes_lines_as_consola_until_fim() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut console = served.child.stdin.take().expect("it is a pipe");
    console
        .write_all("bom dia\n\n  fim é só uma palavra\n".as_bytes())
        .expect("it reads");
    for text in ["bom dia", "  fim é só uma palavra"] {
        let message = ana.expect("message");
        assert_eq!(
            (message.text("from"), message.text("body")),
            ("consola", text)
        );
    }
    console.write_all(b"fim\n").expect("it reads");
    assert_eq!(ana.expect("stopping").text("reason"), "fim");
    ana.expect_closing("shutdown");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let printed = served.printed();
    assert!(printed.contains("consola: bom dia"), "{printed:?}");
}

#[test]
fn end_of_console_input_stops_nothing() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--console"]);
    let mut console = served.child.stdin.take().expect("it is a pipe");
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    console.write_all(b"last words\n").expect("it reads");
    drop(console);
    assert_eq!(ana.expect("message").text("body"), "last words");
    ana.request(1, "still there?");
    assert_eq!(ana.skip_to("reply").text("body"), "STILL THERE?");
    drop(ana);
    served.stop();
}

#[test]
fn stdin_without_a_console_is_ignored() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--no-console"]);
    let mut console = served.child.stdin.take().expect("it is a pipe");
    let _ = console.write_all(b"fim\n"); // the server may have stopped reading
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    ana.ping();
    drop(ana);
    served.stop();
}
