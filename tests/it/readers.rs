//! Slow readers, fast publishers, and mixtures.

use std::time::Duration;

use arauto::Config;

use crate::support::{Fixture, Frame, FrameClient};

fn small_log(config: &mut Config) {
    config.limits.log_bytes = 1 << 20;
    config.backpressure.window = 128 << 10;
    config.backpressure.patience = Duration::from_millis(50);
}

fn flood(client: &mut FrameClient, count: u64, body: &str) -> u64 {
    let mut last = 0;
    for id in 0..count {
        client.publish(id, body);
        last = client.skip_to("published").num("seq");
    }
    last
}

/// Returns the broadcasts of a reader until `last`: `(from, to)` for a gap, the same twice else.
fn ranges(client: &mut FrameClient, last: u64) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    while ranges.last().is_none_or(|(_, to)| *to < last) {
        let frame: Frame = client.recv().expect("the session goes on");
        match frame.name.as_str() {
            "gap" => ranges.push((frame.num("from"), frame.num("to"))),
            _ => ranges.push((frame.num("seq"), frame.num("seq"))),
        }
    }
    ranges
}

#[test]
fn slow_reader_gets_one_gap_of_exactly_what_it_missed() {
    let fixture = Fixture::with(small_log);
    let (mut slow, login) = fixture.client_and_login("slow");
    let mut ana = fixture.client("ana");
    let last = flood(&mut ana, 400, &"x".repeat(16 << 10));
    let heard = ranges(&mut slow, last);
    let gaps: Vec<_> = heard.iter().filter(|(from, to)| from != to).collect();
    assert_eq!(
        gaps.len(),
        1,
        "it did not read in between, so it missed one range: {gaps:?}"
    );
    let mut next = login.num("seq") + 1;
    for (from, to) in heard {
        assert_eq!(from, next, "no hole, no repeat");
        next = to + 1;
    }
    fixture.finish();
}

#[test]
fn healthy_reader_gets_no_gap_during_a_flood() {
    const MESSAGES: u64 = 512;
    let fixture = Fixture::with(|config| {
        config.limits.log_bytes = 4 << 20;
        config.backpressure.window = 512 << 10;
        config.backpressure.patience = Duration::from_secs(5);
    });
    let mut readers: Vec<FrameClient> = ["eva", "rui"].map(|user| fixture.client(user)).into();
    let body = "x".repeat(64 << 10); // 32 MiB in all, eight times what the log holds
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut ana = fixture.client("ana");
            let mut sent = 0;
            let mut heard = 0;
            while heard < MESSAGES {
                if sent < MESSAGES && sent < heard + 8 {
                    ana.publish(sent, &body);
                    sent += 1;
                } else {
                    ana.skip_to("published");
                    heard += 1;
                }
            }
        });
        for reader in &mut readers {
            scope.spawn(move || {
                let mut messages = 0;
                while messages < MESSAGES {
                    // Its name is all that counts here, and 32 MiB take their time.
                    let named = |item: &[u8], name| item[2..].starts_with(name);
                    let look = |item: &[u8]| (named(item, &b"message"[..]), named(item, b"gap"));
                    let seen = reader.recv_item(look);
                    let (is_message, is_gap) = seen.expect("the session goes on");
                    assert!(!is_gap, "a gap after {messages} messages");
                    messages += u64::from(is_message);
                }
            });
        }
    });
    fixture.finish();
}

#[test]
fn stalled_reader_delays_publishers_briefly() {
    let fixture = Fixture::with(small_log);
    let _stalled = fixture.client("stalled");
    let mut healthy = fixture.client("healthy");
    let last = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let mut ana = fixture.client("ana");
            flood(&mut ana, 300, &"x".repeat(16 << 10))
        });
        let mut messages = 0;
        while messages < 300 {
            let frame = healthy.recv().expect("the session goes on");
            assert!(!frame.is("gap"), "{frame:?} after {messages} messages");
            messages += u64::from(frame.is("message"));
        }
        publisher.join().expect("no panic")
    });
    assert!(last >= 300);
    fixture.finish();
}

#[test]
fn publishers_wait_for_a_moving_reader() {
    let fixture = Fixture::with(|config| {
        config.limits.log_bytes = 4 << 20;
        config.backpressure.window = 128 << 10;
        config.backpressure.patience = Duration::from_secs(20);
    });
    let mut slow = fixture.client("slow");
    let mut ana = fixture.client("ana");
    let body = "x".repeat(16 << 10);
    // Far more than the window and the socket take, in one go.
    let mut answers = 0;
    let held = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| flood(&mut ana, 200, &body));
        // The reader takes all, in its own time: nothing is lost on the way.
        while answers < 200 {
            let frame = slow.recv().expect("the session goes on");
            assert!(!frame.is("gap"), "{frame:?}");
            answers += u64::from(frame.is("message"));
        }
        publisher.join().expect("no panic")
    });
    assert_eq!(held, 202);
    fixture.finish();
}

#[test]
fn slow_text_reader_gets_its_gap_too() {
    let fixture = Fixture::listening("?dialect=text", small_log);
    let mut slow = fixture.lines();
    slow.expect("+ arauto 1");
    slow.exchange("/login slow x", "+ slow registered");
    let body = "x".repeat(16 << 10);
    let mut last = arauto::Seq::ZERO;
    for _ in 0..400 {
        last = crate::support::block_on(fixture.server.publish(&*body)).expect("it runs");
    }
    let mut next = 2;
    while next <= last.0 {
        let line = slow.receive_text().expect("the session goes on");
        let mut words = line.split(' ').skip(1);
        let kind = words.next().expect("a broadcast has a kind");
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let from = number().expect("a broadcast has a seq");
        assert_eq!(from, next, "no hole, no repeat");
        next = if kind == "gap" {
            number().expect("it has an end") + 1
        } else {
            from + 1
        };
    }
    fixture.finish();
}
