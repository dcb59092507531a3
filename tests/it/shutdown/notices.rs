//! The frames with which a session is informed of the stop.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use arauto::{Answer, Body, Handler, Phase, Request};

use crate::support::{Fixture, Frame, FrameClient, block_on, publish, text};

/// Blocks the sessions' thread: signals that it has it, and waits for its release.
struct Holding {
    has_thread: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Handler for Holding {
    fn handle(&self, _request: Request<'_>) -> Answer {
        let _ = self.has_thread.send(()); // the test may be over
        let go_on = self.go_on.lock().expect("nobody panics with it");
        let _ = go_on.recv();
        Answer::Now(Ok(Body::text("done")))
    }
}

/// Returns the names and ids of the frames that a client got in the stop.
fn told(frames: &[Frame]) -> Vec<(Option<u64>, String)> {
    let stopping = frames.iter().filter(|frame| frame.is("stopping"));
    stopping
        .map(|frame| {
            let id = frame.get("id").map(|_| frame.num("id"));
            (id, frame.text("phase").to_owned())
        })
        .collect()
}

/// An admin asks for the stop while another session's request waits in the same thread's
/// queue: the answer and the announcement come while that one keeps the thread. Whether the
/// thread serves the two in this order, and so whether the announcement overtook the answer.
fn overtakes() -> bool {
    let (has_thread, thread_is_had) = channel();
    let (go_on, told_to_go_on) = channel();
    let (begun, has_begun) = channel();
    let (announced, is_announced) = channel();
    let after_phase = go_on.clone();
    let fixture = Fixture::with(|config| {
        config.handler = Arc::new(Holding {
            has_thread,
            go_on: Mutex::new(told_to_go_on),
        });
        config.timeouts.drain = std::time::Duration::from_secs(10);
        config.on_phase = Arc::new(move |line| {
            match line.phase {
                Phase::Trigger => begun.send(()).expect("the test is there"),
                Phase::Announce => {
                    announced.send(line.in_time).expect("the test is there");
                    let _ = after_phase.send(()); // nobody may be held
                }
                _ => {}
            }
        });
    });
    let mut admin = fixture.client("asker");
    let mut holder = fixture.client("holder");
    holder.request(1, "hold");
    thread_is_had.recv().expect("it is asked");
    // Both wait in their sockets when the thread is free again.
    admin.ask("shutdown", 7);
    holder.request(2, "hold again");
    go_on.send(()).expect("it waits");
    thread_is_had.recv().expect("it is asked again");
    // Behind a `shutdown` that has been asked for, and behind the first step of its stop.
    for _ in 0..2 {
        block_on(fixture.server.sessions());
    }
    if has_begun.try_recv().is_err() {
        go_on.send(()).expect("it waits"); // the admin's turn comes now
    }
    let in_time = is_announced.recv();
    drop(go_on);
    let frames = admin.until("closing");
    let others = holder.until("closing");
    admin.expect_end();
    holder.expect_end();
    assert_eq!(told(&frames).len(), 1, "{:?}", told(&frames));
    assert_eq!(told(&frames)[0].0, Some(7), "it is its answer");
    assert_eq!(told(&others).len(), 1, "{:?}", told(&others));
    assert_eq!(told(&others)[0].0, None, "it asked for nothing");
    fixture.report();
    in_time == Ok(false)
}

#[test]
fn session_that_asks_for_the_stop_gets_one_stopping() {
    // The kernel decides which of two sockets the thread looks at first.
    let overtaken = (0..20).filter(|_| overtakes()).take(2).count();
    println!("the announcement overtook the answer {overtaken} times");
}

#[test]
fn second_shutdown_is_answered_and_no_phase_goes_back() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut bytes = Vec::new();
    for id in 1..=5 {
        bytes.extend(crate::support::ask("shutdown", id).bytes());
    }
    ana.send_bytes(&bytes);
    let frames = ana.until("closing");
    ana.expect_end();
    let told = told(&frames);
    let ids: Vec<u64> = told.iter().filter_map(|(id, _)| *id).collect();
    // Those that were read behind `closing` were not accepted.
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    let place = |name: &str| Phase::ALL.iter().position(|phase| phase.as_str() == name);
    assert!(told.is_sorted_by_key(|(_, phase)| place(phase)), "{told:?}");
    assert_eq!(told.len(), ids.len(), "it is told by its answers alone");
    let closing = frames.last().expect("it is there");
    assert_eq!(closing.num("accepted"), ids.len() as u64);
    fixture.assert_clean();
}

#[test]
fn frames_without_an_answer_at_closing_were_not_accepted() {
    let fixture = Fixture::new();
    let mut reader = fixture.client("reader");
    let stream = fixture.stream();
    let other = stream.try_clone().expect("a descriptor is free");
    let mut ana = FrameClient::local(stream);
    ana.expect("welcome");
    ana.log_in("ana");
    // It asks for as long as it can, and reads nothing before the stop.
    let asking = thread::spawn(move || {
        let mut writer = FrameClient::local(other);
        let mut id = 1;
        while writer
            .try_send(&publish(id, text(&id.to_string())).bytes())
            .is_ok()
            && id < 200_000
        {
            id += 1;
        }
        id
    });
    let (seen, first_seen) = channel();
    let hearing = thread::spawn(move || {
        let mut bodies = Vec::new();
        loop {
            let frame = reader.recv().expect("closing comes first");
            if frame.is("message") {
                bodies.push(frame.text("body").parse::<u64>().expect("they are ids"));
                let _ = seen.send(()); // the test listens to the first
            }
            if frame.is("closing") {
                reader.expect_end();
                return bodies;
            }
        }
    });
    first_seen.recv().expect("it is published");
    fixture.begin_stop();
    let frames = ana.until("closing");
    ana.expect_end();
    drop(ana);
    let sent = asking.join().expect("it does not panic");
    let published = frames.iter().filter(|frame| frame.is("published"));
    let published: Vec<u64> = published.map(|frame| frame.num("id")).collect();
    let refused = frames.iter().filter(|frame| frame.is("error"));
    let refused: Vec<u64> = refused.map(|frame| frame.num("id")).collect();
    let heard = hearing.join().expect("it does not panic");
    assert_eq!(heard, published, "what has no answer was not broadcast");
    let answered: BTreeSet<u64> = published.iter().chain(&refused).copied().collect();
    let count = answered.len() as u64;
    println!(
        "{sent} sent, {} published, {} refused",
        published.len(),
        refused.len()
    );
    assert_eq!(answered, (1..=count).collect(), "each once, and no other");
    let closing = frames.last().expect("it is there");
    assert_eq!(closing.num("accepted"), published.len() as u64);
    assert_eq!(closing.num("refused"), refused.len() as u64);
    fixture.assert_clean();
}
