//! The end of a pipe: nothing is cut off that can be read in time.

use std::time::{Duration, Instant};

use arauto::{Evidence, Report, Seq, SessionRecord};

use crate::support::os::{self, Stop};
use crate::support::{FrameClient, Served, finish, watchdog};

fn report(served: &Served) -> Report {
    let path = served.folder.path().join("report.json");
    let text = std::fs::read_to_string(path).expect("--report writes it");
    serde_json::from_str(&text).expect("the report is json")
}

/// Publishes `count` messages with a client that then disconnects.
fn publish(served: &Served, count: u64, body: &str) {
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    for id in 0..count {
        rui.publish(id, body);
        rui.skip_to("published");
    }
    rui.fim();
}

fn ana(served: &Served) -> FrameClient {
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    ana
}

#[test]
fn unread_pipe_client_delays_the_stop_and_is_reported() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--drain-timeout", "2s"]);
    let _ana = ana(&served);
    publish(&served, 40, &"x".repeat(64 << 10)); // more than any pipe takes
    let (head, record) = stop_with_exit_3(&mut served);
    assert_eq!(record.missing, [(record.sent.next(), head)]);
    assert!(record.evidence < Evidence::Read, "{record:?}");
}

#[test]
fn bytes_unread_in_the_pipe_are_not_called_read() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--drain-timeout", "2s"]);
    let _ana = ana(&served);
    publish(&served, 20, &"y".repeat(1000)); // a pipe takes it all
    let (head, record) = stop_with_exit_3(&mut served);
    assert_eq!((record.sent, &*record.missing), (head, &[][..]));
    assert_eq!(record.evidence, Evidence::Written);
}

/// Stops it; the head, and what is said of ana, in time.
fn stop_with_exit_3(served: &mut Served) -> (Seq, SessionRecord) {
    let began = Instant::now();
    finish(&mut served.command(&["fim"]), "").expect_success();
    assert_eq!(served.wait(), Some(3), "{}", served.log());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    let mut report = report(served);
    let is_anas = |record: &SessionRecord| record.user.as_deref() == Some("ana");
    let place = report.sessions.iter().position(is_anas);
    let record = place.expect("every session is there");
    (report.head, report.sessions.swap_remove(record))
}

#[test]
fn stop_waits_until_the_pipe_client_has_read_closing() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut ana = ana(&served);
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    for id in 0..50 {
        rui.publish(id, &"y".repeat(1000)); // a pipe takes them all
        rui.skip_to("published");
    }
    served.send_stop(Stop::USUAL);
    rui.until("closing");
    let running = served.child.try_wait().expect("it is a child");
    assert_eq!(running, None, "ana has read nothing yet");
    let frames = ana.until("closing");
    ana.expect_end();
    rui.expect_end();
    let messages = frames.iter().filter(|frame| frame.is("message")).count();
    assert_eq!(messages, 50);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    for record in report(&served).sessions {
        assert!(record.evidence >= Evidence::Read, "{record:?}");
    }
}

#[test]
fn ctrl_break_stops_the_server_cleanly() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut ana = ana(&served);
    if let Err(why) = os::try_send_stop(served.child.id(), Stop::Break) {
        println!("not run: this system sends no Ctrl-Break: {why}"); // Wine 8
        drop(ana);
        served.stop();
        return;
    }
    assert_eq!(ana.expect("stopping").text("reason"), "signal");
    ana.expect_closing("shutdown");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}
