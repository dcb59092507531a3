//! The limits of a session's requests: rates, and frames in work.

use std::time::Duration;

use crate::support::{Fixture, ask, publish, request, text};
#[cfg(unix)]
use crate::support::{PASSWORD, TextClient, os};

#[test]
fn frame_above_the_request_rate_is_throttled_in_order() {
    let fixture =
        Fixture::with(|config| config.limits.request_rate = Some("3/h".parse().expect("one")));
    let mut ana = fixture.client("ana");
    let frames = [
        publish(1, text("a")),
        publish(2, text("b")),
        request(3, text("c")),
        publish(4, text("d")),
        request(5, text("e")),
        publish(6, text("f")),
    ];
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes()).collect();
    ana.send_bytes(&bytes);
    let mut answers = Vec::new();
    while answers.len() < 6 {
        let frame = ana.recv().expect("each is answered");
        if !frame.is("message") {
            answers.push(frame);
        }
    }
    let names: Vec<&str> = answers.iter().map(|frame| frame.name.as_str()).collect();
    assert_eq!(
        names,
        ["published", "published", "reply", "error", "error", "error"]
    );
    let ids: Vec<u64> = answers.iter().map(|frame| frame.num("id")).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    for error in &answers[3..] {
        assert_eq!(error.text("code"), "throttled");
        // A token of three an hour comes back in at most 20 minutes.
        assert!(
            (1..=1_200_000).contains(&error.num("retry_after")),
            "{error:?}"
        );
        assert!(!error.text("message").contains("try again"), "{error:?}");
    }
    // Frames that keep a session alive, or end it, are never throttled.
    ana.ping();
    let closing = ana.fim();
    assert_eq!((closing.num("accepted"), closing.num("refused")), (7, 0));
    let mut rui = fixture.client("rui");
    rui.request(1, "a");
    rui.skip_to("reply"); // it has a rate of its own
    drop((ana, rui));
    fixture.finish();
}

#[test]
#[cfg(unix)]
fn text_line_above_the_request_rate_is_throttled() {
    let fixture = Fixture::listening("?dialect=text", |config| {
        config.limits.request_rate = Some("1/h".parse().expect("one"));
    });
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    ana.exchange(&format!("/login ana {PASSWORD}"), "+ ana registered");
    ana.exchange("abc", "= ABC");
    ana.send_text("abc");
    let line = ana.receive_text().expect("it is answered");
    assert!(
        line.starts_with("- throttled too many requests: try again in "),
        "{line}"
    );
    ana.exchange("/ping", "+ pong");
    drop(ana);
    fixture.finish();
}

#[test]
#[cfg(unix)]
fn raw_client_above_the_rate_is_read_at_the_rate() {
    let fixture = Fixture::listening("?dialect=raw", |config| {
        config.limits.request_rate = Some("20/s".parse().expect("one"));
    });
    let mut raw = fixture.lines();
    let lines: Vec<String> = (0..30).map(|line| format!("linha {line}")).collect();
    raw.send(format!("{}\n", lines.join("\n")).as_bytes());
    for line in &lines {
        raw.expect(&line.to_uppercase());
    }
    drop(raw);
    fixture.finish();
}

#[test]
#[cfg(unix)]
fn raw_client_above_the_rate_that_leaves_frees_its_permit() {
    let fixture = Fixture::listening("?dialect=raw", |config| {
        config.limits.request_rate = Some("1/h".parse().expect("one"));
    });
    let stream = os::connect(fixture.endpoint()).expect("it is listened on");
    let mut raw = TextClient::over(stream);
    raw.send(b"um\ndois\n");
    raw.expect("UM");
    drop(raw);
    fixture.wait_for_sessions(0);
    fixture.finish();
}

#[test]
fn frames_in_work_of_one_still_publishes_many() {
    let data = tempfile::tempdir().expect("a folder can be made");
    let fixture = Fixture::with(|config| {
        config.limits.frames_in_work = 1;
        config.storage.data = Some(data.path().join("data"));
        config.storage.journal = Some(arauto::Retention::default());
    });
    let mut ana = fixture.client("ana");
    let frames = (1..=100).map(|id| publish(id, text("a")).bytes());
    ana.send_bytes(&frames.flatten().collect::<Vec<u8>>());
    for id in 1..=100 {
        assert_eq!(ana.skip_to("published").num("id"), id);
    }
    drop(ana);
    fixture.finish();
}

/// A line without an end, behind others that took all tokens, and then the end of the input.
#[test]
#[cfg(unix)]
fn last_raw_line_above_the_rate_is_answered_later() {
    let fixture = Fixture::listening("?dialect=raw", |config| {
        config.limits.request_rate = Some("2/s".parse().expect("one"));
    });
    let stream = fixture.stream();
    let shut = stream.try_clone().expect("a descriptor is free");
    let mut raw = TextClient::over(stream);
    raw.send("um\ndois\ntrês".as_bytes());
    shut.shutdown(std::net::Shutdown::Write)
        .expect("it is connected");
    for line in ["UM", "DOIS", "TRÊS"] {
        raw.expect(line);
    }
    raw.expect_end();
    drop((raw, shut));
    fixture.finish();
}

#[test]
#[cfg(unix)]
fn clients_gone_after_a_throttled_last_line_leave_nothing() {
    let fixture = Fixture::listening("?dialect=raw", |config| {
        config.limits.request_rate = Some("1/h".parse().expect("one"));
    });
    for _ in 0..50 {
        let stream = os::connect(fixture.endpoint()).expect("it is listened on");
        let mut raw = TextClient::over(stream);
        raw.send(b"um\ndois");
        raw.expect("UM");
    }
    fixture.wait_for_sessions(0);
    fixture.finish();
}

#[test]
fn frames_before_login_have_a_rate() {
    let fixture = Fixture::with(|config| config.timeouts.login = Duration::from_secs(1));
    let mut unauthenticated = fixture.unauthenticated();
    let pings = (0..10_000).flat_map(|id| ask("ping", id).bytes());
    unauthenticated.send_bytes(&pings.collect::<Vec<u8>>());
    let heard = unauthenticated.until("closing");
    let pongs = heard.iter().filter(|frame| frame.is("pong")).count();
    assert!((30..100).contains(&pongs), "{pongs}");
    assert_eq!(
        heard.last().map(|last| last.text("reason")),
        Some("login-timeout")
    );
    // Others may log in, and a member pings as fast as it likes.
    let mut ana = fixture.client("ana");
    (0..200).for_each(|_| ana.ping());
    drop((unauthenticated, ana));
    fixture.finish();
}

#[test]
fn list_rate_is_shared_by_all_sessions_of_a_user() {
    let fixture = Fixture::new();
    let mut sessions = [fixture.client("ana"), fixture.client("ana")];
    let mut throttled = 0;
    for ana in &mut sessions {
        let frames = (0..500).flat_map(|id| ask("who", id).bytes());
        ana.send_bytes(&frames.collect::<Vec<u8>>());
        for id in 0..500 {
            let frame = ana.recv().expect("each is answered");
            assert_eq!(frame.num("id"), id);
            if frame.is("error") {
                assert_eq!(frame.text("code"), "throttled");
                assert!(frame.num("retry_after") >= 1);
                throttled += 1;
            }
        }
    }
    // 600 at once, and 10 a second while they are asked for.
    assert!((1..=400).contains(&throttled), "{throttled}");
    let mut rui = fixture.client("rui");
    rui.ask("who", 1);
    rui.skip_to("present");
    drop((sessions, rui));
    fixture.finish();
}
