//! The end of a pipe: nothing is cut off that can be read in time.

use std::time::{Duration, Instant};

use arauto::{Evidence, Report};

use crate::support::os::{self, Stop};
use crate::support::{Raw, Served, finish, watchdog};

fn report(served: &Served) -> Report {
    let path = served.folder.path().join("report.json");
    let text = std::fs::read_to_string(path).expect("--report writes it");
    serde_json::from_str(&text).expect("the report is json")
}

/// Publishes so much that no pipe takes it.
fn publish_too_much(served: &Served) {
    let mut rui = served.visitor();
    rui.log_in("rui");
    let body = "x".repeat(64 << 10);
    for id in 0..40 {
        rui.publish(id, &body);
        rui.skip_to("published");
    }
    rui.fim();
}

fn ana(served: &Served) -> Raw {
    let mut ana = served.visitor();
    ana.log_in("ana");
    ana
}

#[test]
fn a_reader_that_never_reads_holds_the_stop_up_until_the_deadline_and_is_named() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--drain-timeout", "2s"]);
    let _ana = ana(&served);
    publish_too_much(&served);
    let began = Instant::now();
    finish(&mut served.command(&["fim"]), "").fine();
    assert_eq!(served.wait(), Some(3), "{}", served.log());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    let report = report(&served);
    let record = report
        .sessions
        .iter()
        .find(|record| record.user.as_deref() == Some("ana"))
        .expect("every session is there");
    assert_eq!(record.missing, [(record.sent.next(), report.head)]);
    assert!(record.evidence < Evidence::Read, "{record:?}");
}

#[test]
fn the_server_waits_until_the_last_frames_and_closing_have_been_read() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut ana = ana(&served);
    let mut rui = served.visitor();
    rui.log_in("rui");
    for id in 0..50 {
        rui.publish(id, &"y".repeat(1000)); // a pipe takes them all
        rui.skip_to("published");
    }
    served.tell(Stop::USUAL);
    rui.until("closing");
    rui.expect_end();
    let running = served.child.try_wait().expect("it is a child");
    assert_eq!(running, None, "ana has read nothing yet");
    let frames = ana.until("closing");
    ana.expect_end();
    let messages = frames.iter().filter(|frame| frame.is("message")).count();
    assert_eq!(messages, 50);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    for record in report(&served).sessions {
        assert!(record.evidence >= Evidence::Read, "{record:?}");
    }
}

#[test]
fn ctrl_break_stops_the_server_in_order_where_the_system_sends_it() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut ana = ana(&served);
    if !os::try_tell(served.child.id(), Stop::Break) {
        println!("not run: this system sends no Ctrl-Break"); // Wine 8
        drop(ana);
        served.stop();
        return;
    }
    assert_eq!(ana.expect("stopping").text("reason"), "signal");
    ana.expect_closing("shutdown");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}
