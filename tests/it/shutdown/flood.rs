//! 64 clients ask, publish and log in while the server is stopped, again and
//! again: nothing that was accepted is lost, and the counts of both sides agree.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arauto::wire::{ClientFrame, Decoded, IdFrame, Publish, Request, ServerFrame, cbor};
use arauto::{Config, Evidence, Report, Retention};

use crate::support::{
    Fixture, FrameClient, PASSWORD, login, os, prefixed, wait_until, watchdog_for,
};

const CLIENTS: usize = 64;
const ROUNDS: usize = 100;

/// Those that connect only when the stop has begun, or is about to.
const LATE: usize = 16;

/// Clients that have had a first batch answered before the stop.
const BEFORE: usize = 24;

/// The frames that a client received in its session.
#[derive(Default)]
struct Heard {
    session: u64,
    /// The seq of its login, once it is logged in.
    since: Option<u64>,
    broadcasts: Vec<u64>,
    messages: HashMap<u64, String>,
    published: Vec<(u64, u64)>,
    answered: Vec<u64>,
    refused: Vec<u64>,
    is_stopping: bool,
    closing: Option<(String, u64, u64, u64)>,
}

impl Heard {
    fn note(&mut self, frame: &ServerFrame<'_>) {
        match frame {
            ServerFrame::Welcome(welcome) => self.session = welcome.session.0,
            ServerFrame::LoggedIn(login) => self.since = Some(login.seq.0),
            ServerFrame::Reply(reply) => self.answered.push(reply.id),
            ServerFrame::Pong(asked) => self.answered.push(asked.id),
            ServerFrame::Published(published) => {
                self.answered.push(published.id);
                self.published.push((published.id, published.seq.0));
            }
            ServerFrame::Message(message) => {
                self.broadcasts.push(message.seq.0);
                let body = message.body.as_text().expect("all are text");
                self.messages.insert(message.seq.0, body.to_owned());
            }
            ServerFrame::Joined(presence) | ServerFrame::Left(presence) => {
                self.broadcasts.push(presence.seq.0);
            }
            ServerFrame::Error(error) => {
                assert_eq!(error.code.as_str(), "stopping", "{error:?}");
                self.refused.extend(error.id);
            }
            ServerFrame::Stopping(_) => self.is_stopping = true,
            ServerFrame::Closing(closing) => {
                let reason = closing.reason.to_string();
                let (accepted, refused) = (closing.accepted, closing.refused);
                self.closing = Some((reason, closing.last_seq.0, accepted, refused));
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    /// Takes one frame; whether there was one.
    fn hear(&mut self, client: &mut FrameClient) -> bool {
        let noted = client.recv_item(|item| {
            let bytes = prefixed(item);
            match cbor::decode_server(&bytes, usize::MAX) {
                Ok(Decoded::Frame(frame, _)) => self.note(&frame),
                other => panic!("no frame: {other:?}"),
            }
        });
        noted.is_some()
    }

    fn hear_until(&mut self, client: &mut FrameClient, done: impl Fn(&Heard) -> bool) {
        while self.closing.is_none() && !done(self) {
            assert!(self.hear(client), "the pipe ended without closing");
        }
    }
}

/// A request, a publish and a ping.
fn batch(name: usize, id: u64) -> Vec<u8> {
    let body = format!("{name}-{}", id + 1);
    let body = || arauto::Body::text(&body);
    let mut bytes = Vec::new();
    cbor::encode(&ClientFrame::Request(Request::new(id, body())), &mut bytes);
    cbor::encode(
        &ClientFrame::Publish(Publish::new(id + 1, body())),
        &mut bytes,
    );
    cbor::encode(&ClientFrame::Ping(IdFrame { id: id + 2 }), &mut bytes);
    bytes
}

/// Runs one client. Returns `None` if the connection was refused because the server no longer
/// listened; another test covers the refusal.
fn live(fixture: &Fixture, name: usize, at_work: &AtomicUsize) -> Option<Heard> {
    let stream = os::connect(fixture.endpoint()).ok()?;
    let (mut client, mut heard) = (FrameClient::local(stream), Heard::default());
    if !heard.hear(&mut client) {
        return None;
    }
    // Eight names: some log in a second time, some register at the same moment.
    let user = format!("user{}", name % 8);
    let _ = client.try_send(&login(0, &user, PASSWORD).bytes()); // or it is closing already
    heard.hear_until(&mut client, |heard| heard.since.is_some());
    let mut next = 1;
    while heard.closing.is_none() {
        let was_stopping = heard.is_stopping;
        let _ = client.try_send(&batch(name, next)); // or it is closing already
        next += 3;
        let sent = next - 1;
        let count = |heard: &Heard| (heard.answered.len() + heard.refused.len()) as u64;
        heard.hear_until(&mut client, |heard| count(heard) >= sent && !was_stopping);
        if next == 4 {
            at_work.fetch_add(1, Ordering::Relaxed);
        }
    }
    client.expect_end();
    Some(heard)
}

fn check(heard: &Heard, messages: &HashMap<u64, String>, report: &Report) {
    let (reason, last_seq, accepted, refused) = heard.closing.as_ref().expect("it was closed");
    assert_eq!(reason, "shutdown");
    let record = report
        .sessions
        .iter()
        .find(|record| record.session.0 == heard.session);
    let record = record.expect("the report has every session");
    assert_eq!(
        (record.reason.as_str(), &*record.missing),
        ("shutdown", &[][..])
    );
    let Some(since) = heard.since else {
        assert_eq!((*accepted, *refused, *last_seq), (0, 0, 0));
        assert!(record.user.is_none(), "it never logged in: {record:?}");
        return;
    };
    // Every answer once, in the order of the frames; refusals only at the end.
    let answers: Vec<u64> = heard
        .answered
        .iter()
        .chain(&heard.refused)
        .copied()
        .collect();
    assert_eq!(answers, (1..=answers.len() as u64).collect::<Vec<_>>());
    assert_eq!(*accepted, heard.answered.len() as u64);
    assert_eq!(*refused, heard.refused.len() as u64);
    assert_eq!(
        (record.accepted, record.answered, record.refused),
        (*accepted, *accepted, *refused)
    );
    // Every broadcast from the login to the head, once, in order.
    assert_eq!(*last_seq, report.head.0);
    assert_eq!(
        heard.broadcasts,
        (since + 1..=*last_seq).collect::<Vec<_>>()
    );
    assert_eq!((record.sent.0, record.cut.0), (*last_seq, *last_seq));
    assert!(record.evidence >= Evidence::Read, "{record:?}");
    for (seq, body) in messages.iter().filter(|(seq, _)| **seq > since) {
        assert_eq!(
            heard.messages.get(seq),
            Some(body),
            "{seq} is who published it says"
        );
    }
}

fn round(change: impl FnOnce(&mut Config)) {
    let fixture = Fixture::with(|config| {
        config.limits.arbiters = 2;
        change(config);
    });
    let at_work = AtomicUsize::new(0);
    let is_late = AtomicBool::new(false);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for name in 0..CLIENTS {
            let (fixture, at_work, is_late, all) = (&fixture, &at_work, &is_late, &all);
            scope.spawn(move || {
                if name < LATE {
                    wait_until("the stop is near", || is_late.load(Ordering::Acquire));
                }
                let heard = live(fixture, name, at_work);
                all.lock()
                    .expect("nobody panics here")
                    .extend(heard.map(|heard| (name, heard)));
            });
        }
        wait_until("clients are at work", || {
            at_work.load(Ordering::Relaxed) >= BEFORE
        });
        is_late.store(true, Ordering::Release);
        fixture.begin_stop();
    });
    let all = all.into_inner().expect("nobody panicked");
    let report = fixture.assert_clean();
    let mut messages = HashMap::new();
    for (name, heard) in &all {
        for (id, seq) in &heard.published {
            let twice = messages.insert(*seq, format!("{name}-{id}"));
            assert_eq!(twice, None, "a seq is given once");
        }
    }
    assert!(messages.len() >= BEFORE, "the stop fell into the work");
    all.iter()
        .for_each(|(_, heard)| check(heard, &messages, &report));
}

#[test]
fn accepted_frames_of_64_clients_are_answered_100_times() {
    let _watchdog = watchdog_for(Duration::from_secs(300));
    for _ in 0..ROUNDS {
        round(|_| {});
    }
}

#[test]
fn accepted_frames_with_a_journal_are_answered_too() {
    let _watchdog = watchdog_for(Duration::from_secs(300));
    for _ in 0..ROUNDS / 5 {
        let data = tempfile::tempdir().expect("a folder can be made");
        round(|config| {
            config.storage.data = Some(data.path().join("data"));
            config.storage.journal = Some(Retention::default());
        });
    }
}

#[test]
fn connection_during_the_stop_is_refused_or_gets_stopping() {
    for _ in 0..20 {
        let fixture = Fixture::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Ok(stream) = os::connect(fixture.endpoint()) {
                        let mut client = FrameClient::local(stream);
                        let fim = crate::support::ask("fim", 1).bytes();
                        let _ = client.try_send(&fim); // or it is closing already
                        match client.recv() {
                            Some(welcome) => assert!(welcome.is("welcome"), "{welcome:?}"),
                            // Wine lets clients in whose instance is about to be closed.
                            None if cfg!(windows) => return,
                            None => panic!("the end instead of welcome"),
                        }
                        client.until("closing");
                        client.expect_end();
                    }
                });
            }
            fixture.begin_stop();
        });
        fixture.assert_clean();
    }
}
