//! Reads, writes and accepts that fail for the server's own reasons, on every transport.
//!
//! Failures that pass by themselves cost no session anything. Failures that last are never
//! the client's fault: its session ends `internal`, the report says what the client misses,
//! and the exit status is not 0.

use arauto::wire::Seq;
use arauto::{Evidence, Report, SessionOutcome, SessionRecord};
use rustix::io::Errno;

use super::transports::Transports;
use crate::support::{FailingSockets, FrameClient, watchdog, watchdog_for};

fn raw(code: Errno) -> i32 {
    code.raw_os_error()
}

/// A server whose sockets can fail.
fn served(sockets: &FailingSockets, arguments: &[&str]) -> Transports {
    Transports::new(arguments, |command| sockets.under(command))
}

/// A reader on each transport, and a publisher.
fn clients(transports: &Transports) -> (Vec<FrameClient>, FrameClient) {
    let readers = transports
        .endpoints
        .iter()
        .zip(["rui", "eva", "leo", "zoe"]);
    let readers = readers.map(|(endpoint, user)| transports.client(endpoint, user));
    let readers = readers.collect();
    (readers, transports.client(&transports.endpoints[0], "ana"))
}

/// The seq of the first message, behind the logins of all.
const FIRST: Seq = Seq(6);

/// No client has received the first message, and the report says so of each session.
fn check_missing(report: &Report) {
    assert_eq!(report.sessions.len(), 5, "{report:?}");
    for record in &report.sessions {
        // TLS had taken it, and could not hand it on.
        let is_tls = record.endpoint.starts_with("tls:");
        let expected = match is_tls {
            true => SessionOutcome::Unproven,
            false => SessionOutcome::Missing,
        };
        assert_eq!(record.outcome(), expected, "{record:?}");
        assert_eq!(record.evidence, Evidence::Queued, "{record:?}");
        let is_missing = |(from, to): &(Seq, Seq)| (*from..=*to).contains(&FIRST);
        assert!(
            is_tls || record.missing.iter().any(is_missing),
            "{record:?}"
        );
    }
}

#[test]
fn temporary_write_errors_lose_nothing_on_any_transport() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let (mut readers, mut ana) = clients(&transports);
    for (id, code) in (1..).zip([Errno::NOBUFS, Errno::NOMEM, Errno::INTR]) {
        sockets.fail("writes", raw(code));
        ana.publish(id, "bom dia");
        sockets.wait_for_failures(12); // some of each session
        sockets.restore("writes");
        let seq = ana.skip_to("published").num("seq");
        for reader in &mut readers {
            assert_eq!(reader.skip_to("message").num("seq"), seq);
        }
    }
    readers.push(ana);
    let (code, report) = transports.stop(readers);
    assert_eq!(code, Some(0), "{report:?}");
    let outcomes = report.sessions.iter().map(SessionRecord::outcome);
    assert!(outcomes.eq([SessionOutcome::Complete; 5]), "{report:?}");
}

#[test]
fn permanent_write_errors_make_exit_3_with_missing_ranges() {
    let _watchdog = watchdog();
    for code in [Errno::NOBUFS, Errno::NOMEM] {
        let sockets = FailingSockets::new();
        let mut transports = served(&sockets, &["--drain-timeout", "2s"]);
        let (_readers, mut ana) = clients(&transports);
        sockets.fail("writes", raw(code));
        ana.publish(1, "bom dia");
        sockets.wait_for_failures(5);
        let (code, report) = transports.stop(Vec::new());
        assert_eq!(code, Some(3), "{report:?}");
        check_missing(&report);
    }
}

#[test]
fn session_with_lasting_write_errors_ends_and_is_reported() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let (readers, mut ana) = clients(&transports);
    sockets.fail("writes", raw(Errno::NOBUFS));
    ana.publish(1, "bom dia");
    transports.wait_for_log("connection failed", 5); // some seconds of back-off
    sockets.restore("writes");
    drop((readers, ana));
    let (code, report) = transports.stop(Vec::new());
    assert_eq!(code, Some(3), "{report:?}");
    check_missing(&report);
    let is_internal = |record: &SessionRecord| record.reason == "internal";
    assert!(report.sessions.iter().all(is_internal), "{report:?}");
}

#[test]
fn permanent_write_errors_end_the_session_as_internal() {
    let _watchdog = watchdog();
    for code in [Errno::IO, Errno::MSGSIZE, Errno::PERM] {
        let sockets = FailingSockets::new();
        let mut transports = served(&sockets, &[]);
        let (readers, mut ana) = clients(&transports);
        sockets.fail("writes", raw(code));
        ana.publish(1, "bom dia");
        transports.wait_for_log("connection failed", 5);
        sockets.restore("writes");
        drop(readers);
        let (exit, report) = transports.stop(Vec::new());
        assert_eq!(exit, Some(3), "{code}: {report:?}");
        let is_internal = |record: &SessionRecord| record.reason == "internal";
        assert!(
            report.sessions.iter().all(is_internal),
            "{code}: {report:?}"
        );
        assert_eq!(report.sessions.len(), 5, "{code}: {report:?}");
    }
}

#[test]
fn peer_gone_write_errors_end_the_session_as_lost() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let (_readers, mut ana) = clients(&transports);
    sockets.fail("writes", raw(Errno::HOSTUNREACH));
    ana.publish(1, "bom dia");
    sockets.wait_for_failures(5);
    let (code, report) = transports.stop(Vec::new());
    assert_eq!(code, Some(0), "{report:?}");
    let outcomes = report.sessions.iter().map(SessionRecord::outcome);
    assert!(outcomes.eq([SessionOutcome::Lost; 5]), "{report:?}");
}

#[test]
fn message_too_long_for_the_socket_becomes_a_gap_of_one() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let packets = transports.endpoints[1].clone();
    let mut ana = transports.client(&packets, "ana");
    let mut rui = transports.client(&packets, "rui");
    let long = "x".repeat(2000);
    sockets.fail_long_writes(raw(Errno::MSGSIZE), 1000);
    ana.publish(1, &long);
    let seq = ana.skip_to("published").num("seq");
    ana.publish(2, "bom dia");
    for reader in [&mut ana, &mut rui] {
        let gap = reader.skip_to("gap");
        assert_eq!((gap.num("from"), gap.num("to")), (seq, seq));
        assert_eq!(reader.skip_to("message").num("seq"), seq + 1);
    }
    ana.request(3, &long);
    let error = ana.skip_to("error");
    assert_eq!(error.text("code"), "frame-too-large");
    assert_eq!(error.num("id"), 3);
    ana.request(4, "bom dia");
    assert_eq!(ana.skip_to("reply").num("id"), 4);
    let (code, report) = transports.stop(vec![ana, rui]);
    assert_eq!(code, Some(0), "{report:?}");
    for record in &report.sessions {
        assert_eq!(record.gaps.len(), 1, "{record:?}");
    }
}

#[test]
fn temporary_sendfile_errors_are_retried() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(120));
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let local = transports.endpoints[0].clone();
    let mut ana = transports.client(&local, "ana");
    let mut readers: Vec<_> = (0..40)
        .map(|number| transports.client(&local, &format!("rui{number}")))
        .collect();
    let body = "x".repeat(40_000);
    sockets.fail_long_writes(raw(Errno::NOMEM), 16 << 10);
    for id in 0..8 {
        ana.publish(id, &body);
    }
    crate::support::wait_until("sendfile fails", || sockets.failures().contains('f'));
    sockets.restore("writes");
    let mut last = 0;
    for _ in 0..8 {
        last = ana.skip_to("published").num("seq");
    }
    for reader in &mut readers {
        let messages: Vec<_> = (0..8)
            .map(|_| reader.skip_to("message").num("seq"))
            .collect();
        assert_eq!(messages, (last - 7..=last).collect::<Vec<_>>());
    }
    readers.push(ana);
    let (code, report) = transports.stop(readers);
    assert_eq!(code, Some(0), "{report:?}");
}

#[test]
fn temporary_read_errors_lose_nothing_on_any_transport() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let (mut readers, ana) = clients(&transports);
    for code in [Errno::NOBUFS, Errno::NOMEM] {
        sockets.fail("reads", raw(code));
        for reader in &mut readers {
            reader.request(7, "bom dia");
        }
        sockets.wait_for_failures(12);
        sockets.restore("reads");
        for reader in &mut readers {
            assert_eq!(reader.skip_to("reply").text("body"), "BOM DIA");
        }
    }
    readers.push(ana);
    let (code, report) = transports.stop(readers);
    assert_eq!(code, Some(0), "{report:?}");
}

#[test]
fn permanent_read_errors_end_the_session_as_internal() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    let (mut readers, ana) = clients(&transports);
    sockets.fail("reads", raw(Errno::IO));
    for reader in &mut readers {
        reader.request(7, "bom dia");
        assert_eq!(reader.skip_to("error").text("code"), "internal");
        assert_eq!(reader.skip_to("closing").text("reason"), "internal");
    }
    drop(readers);
    sockets.restore("reads");
    let (code, report) = transports.stop(vec![ana]);
    assert_eq!(code, Some(3), "{report:?}");
    for record in &report.sessions {
        let expected = match record.user.as_deref() {
            Some("ana") => ("shutdown", SessionOutcome::Complete),
            // It was told, and nobody knows what it had read.
            _ => ("internal", SessionOutcome::Unproven),
        };
        assert_eq!((record.reason.as_str(), record.outcome()), expected);
    }
}

#[test]
fn temporary_accept_errors_refuse_nobody() {
    let _watchdog = watchdog();
    let sockets = FailingSockets::new();
    let mut transports = served(&sockets, &[]);
    for code in [Errno::NOBUFS, Errno::NETUNREACH] {
        sockets.fail("accepts", raw(code));
        let unauthenticated = transports.served.connected();
        sockets.wait_for_failures(2);
        sockets.restore("accepts");
        let mut unauthenticated = unauthenticated;
        unauthenticated.expect("welcome");
    }
    let (code, report) = transports.stop(Vec::new());
    assert_eq!(code, Some(0), "{report:?}");
}
