//! kill -9 at random instants under load: acknowledged data stay.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arauto::wire::{ClientFrame, Decoded, Publish, ServerFrame, cbor};

use arauto::Endpoint;

use super::{Data, on_disk, register, resuming};
use crate::support::os::{self, Stream};
use crate::support::{
    Frame, FrameClient, PASSWORD, Served, login, prefixed, wait_until, watchdog_for,
};

const ROUNDS: usize = 200;
const WRITERS: [&str; 3] = ["ana", "bia", "caio"];

/// The answers that clients received, over all rounds.
#[derive(Default)]
struct Observed {
    /// The body of each publish that was answered, by its seq.
    published: BTreeMap<u64, String>,
    /// The bytes of each broadcast that a client received, by its seq.
    received: HashMap<u64, Vec<u8>>,
}

impl Observed {
    fn note_received(&mut self, seq: u64, item: &[u8]) {
        let known = self.received.entry(seq).or_insert_with(|| item.to_vec());
        assert_eq!(known, item, "{seq} has the same bytes for every client");
    }
}

fn seq_of(frame: &ServerFrame<'_>) -> Option<u64> {
    match frame {
        ServerFrame::Message(message) => Some(message.seq.0),
        ServerFrame::Joined(user) | ServerFrame::Left(user) => Some(user.seq.0),
        ServerFrame::Gap(gap) => panic!("nothing is removed: {gap:?}"),
        _ => None,
    }
}

/// Passes each frame, decoded and as an item, to `take` until the end of the input.
fn receive_all(client: &mut FrameClient, mut take: impl FnMut(&ServerFrame<'_>, &[u8])) {
    let mut goes_on = true;
    while goes_on {
        let taken = client.recv_item(|item| {
            let bytes = prefixed(item);
            match cbor::decode_server(&bytes, usize::MAX) {
                Ok(Decoded::Frame(frame, _)) => take(&frame, item),
                other => panic!("no frame: {other:?}"),
            }
        });
        goes_on = taken.is_some();
    }
}

/// A client that has logged in, and the answer to that. `None`: the kill came first.
fn connect(endpoint: &Endpoint, login: &Frame) -> Option<(Stream, FrameClient, Frame)> {
    let stream = os::connect(endpoint).ok()?;
    let mut client = FrameClient::local(stream.try_clone().expect("a descriptor is free"));
    client.try_send(&login.bytes()).ok()?;
    let [welcome, answer] = [client.recv()?, client.recv()?];
    assert!(
        welcome.is("welcome") && answer.is("logged_in"),
        "{answer:?}"
    );
    Some((stream, client, answer))
}

/// Publishes without waiting, until the server is killed.
fn write(mut stream: Stream, tag: &str) {
    for first in (0_u64..).step_by(20) {
        let mut bytes = Vec::new();
        for id in first..first + 20 {
            let body = format!("{tag}-{id}");
            let body = arauto::Body::text(&body);
            cbor::encode(&ClientFrame::Publish(Publish::new(id, body)), &mut bytes);
        }
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

struct Round<'a> {
    number: usize,
    endpoint: &'a Endpoint,
    observed: &'a Mutex<Observed>,
    /// Answers and broadcasts so far.
    progress: &'a AtomicUsize,
}

impl Round<'_> {
    fn escritor(&self, user: &str) {
        let tag = format!("{user}-{}", self.number);
        let login = login(1, user, PASSWORD);
        let Some((stream, mut client, _)) = connect(self.endpoint, &login) else {
            return;
        };
        std::thread::scope(|scope| {
            scope.spawn(|| write(stream, &tag));
            receive_all(&mut client, |frame, item| {
                let mut observed = self.observed.lock().expect("nobody panics");
                if let ServerFrame::Published(answer) = frame {
                    let body = format!("{tag}-{}", answer.id);
                    let twice = observed.published.insert(answer.seq.0, body);
                    assert_eq!(twice, None, "a seq is given once");
                    self.progress.fetch_add(1, Ordering::Relaxed);
                } else if let Some(seq) = seq_of(frame) {
                    observed.note_received(seq, item);
                }
            });
            drop(client); // the writer may wait for room
        });
    }

    /// Reads on behind `last`, and asserts that no seq is missing. Returns the last seq.
    fn leitor(&self, stream: &str, mut last: u64) -> u64 {
        let login = resuming("leitor", stream, last);
        let Some((_stream, mut client, login)) = connect(self.endpoint, &login) else {
            return last;
        };
        assert_eq!((login.text("stream"), login.num("seq")), (stream, last));
        receive_all(&mut client, |frame, item| {
            if let Some(seq) = seq_of(frame) {
                assert_eq!(seq, last + 1, "no hole, no repeat");
                last = seq;
                let mut observed = self.observed.lock().expect("nobody panics");
                observed.note_received(seq, item);
                self.progress.fetch_add(1, Ordering::Relaxed);
            }
        });
        last
    }
}

/// The same numbers each time the test runs (xorshift): the instants differ anyway.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn acknowledged_data_outlive_200_random_kills() {
    let _watchdog = watchdog_for(Duration::from_secs(300));
    let data = Data::new();
    register(&data.path(), &["ana", "bia", "caio", "leitor"]);
    let path = data.path().display().to_string();
    let arguments = ["--journal", "--no-console", "--data", &path];
    let mut served = Served::new(&arguments);
    let stream = served
        .unauthenticated()
        .log_in("leitor")
        .text("stream")
        .to_owned();
    let observed = Mutex::new(Observed::default());
    let (mut last, mut state) = (0, 0x9e37_79b9_7f4a_7c15);
    for number in 0..ROUNDS {
        let progress = AtomicUsize::new(0);
        let endpoint = served.endpoint().clone();
        let round = Round {
            number,
            endpoint: &endpoint,
            observed: &observed,
            progress: &progress,
        };
        let enough = usize::try_from(random(&mut state) % 400).expect("it is small");
        last = std::thread::scope(|scope| {
            let round = &round;
            let writers = WRITERS.map(|user| scope.spawn(move || round.escritor(user)));
            let leitor = scope.spawn(|| round.leitor(&stream, last));
            wait_until("there is load", || {
                progress.load(Ordering::Relaxed) > enough
            });
            served.child.kill().expect("it runs");
            for writer in writers {
                writer.join().expect("a client's checks passed");
            }
            leitor.join().expect("a client's checks passed")
        });
        served = Served::within(served.into_folder(), &arguments);
    }
    served.stop();
    check(&observed.into_inner().expect("nobody panicked"), &data);
}

fn check(observed: &Observed, data: &Data) {
    let (kept, head) = on_disk(&data.database());
    assert_eq!(
        kept.keys().copied().collect::<Vec<_>>(),
        (1..=head).collect::<Vec<_>>()
    );
    assert!(
        observed.published.len() > 5_000,
        "{}",
        observed.published.len()
    );
    for (seq, body) in &observed.published {
        assert_eq!(kept.get(seq), Some(body), "{seq}");
    }
    let bodies: Vec<_> = kept.values().filter(|body| !body.is_empty()).collect();
    let different: HashSet<_> = bodies.iter().collect();
    assert_eq!(different.len(), bodies.len(), "nothing is there twice");
    assert!(observed.received.keys().all(|seq| *seq <= head));
}
