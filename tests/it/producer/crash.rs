//! kill -9 under load, with publishers that send again: each message is in the log once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arauto::Endpoint;
use arauto::wire::{ClientFrame, Decoded, Publish, PublishOptions, ServerFrame, cbor};

use crate::journal::{on_disk, register};
use crate::support::{
    FrameClient, PASSWORD, Served, login, os, prefixed, wait_until, watchdog_for,
};

const USERS: [&str; 3] = ["ana", "bia", "caio"];

/// The most messages of a publisher without an answer.
const WINDOW: u64 = 60;

/// The state that the publishers and the test share.
#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    answers: AtomicUsize,
    repeated: AtomicUsize,
    /// The body of each message whose seq a publisher was told.
    seqs: Mutex<BTreeMap<u64, String>>,
}

/// The same numbers each time the test runs (xorshift): the instants differ anyway.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn body(user: &str, n: u64) -> String {
    format!("{user}-{n}")
}

fn frame(user: &str, n: u64) -> Vec<u8> {
    let body = body(user, n);
    let mut publish = Publish::new(n, arauto::Body::text(&body));
    publish.options = Some(Box::new(PublishOptions {
        producer: Some("p".into()),
        n: Some(n),
        ..PublishOptions::default()
    }));
    let mut bytes = Vec::new();
    cbor::encode(&ClientFrame::Publish(publish), &mut bytes);
    bytes
}

/// The meaning of a frame for a publisher.
enum Heard {
    /// The message with this number is published; the seq is 0 if it is not known.
    Published {
        n: u64,
        seq: u64,
        repeated: bool,
    },
    Refused,
    Other,
}

fn hear(item: &[u8]) -> Heard {
    match cbor::decode_server(&prefixed(item), usize::MAX) {
        Ok(Decoded::Frame(ServerFrame::Published(answer), _)) => Heard::Published {
            n: answer.id,
            seq: answer.seq.0,
            repeated: answer.repeated,
        },
        Ok(Decoded::Frame(ServerFrame::Error(_), _)) => Heard::Refused,
        Ok(_) => Heard::Other,
        Err(error) => panic!("no frame: {error}"),
    }
}

fn connect(endpoint: &Endpoint, user: &str) -> Option<FrameClient> {
    let mut client = FrameClient::local(os::connect(endpoint).ok()?);
    client.try_send(&login(1, user, PASSWORD).bytes()).ok()?;
    let [welcome, answer] = [client.recv()?, client.recv()?];
    (welcome.is("welcome") && answer.is("logged_in")).then_some(client)
}

/// Publishes 1, 2, 3, … and sends again what has no answer, until the test is over. Returns the
/// last number that was answered.
fn publisher(endpoint: &Endpoint, user: &str, shared: &Shared, seed: u64) -> u64 {
    let (mut first, mut state) = (1, seed);
    while !shared.is_over.load(Ordering::Relaxed) {
        match connect(endpoint, user) {
            None => std::thread::park_timeout(Duration::from_millis(2)),
            Some(client) => {
                // Some connections are dropped by the client, amid its messages.
                let most = random(&mut state) % 2000;
                first = one_session(client, user, shared, first, most);
            }
        }
    }
    first - 1
}

/// Publishes from `first` on, at most `most` messages. Returns the first one without an answer.
fn one_session(
    mut client: FrameClient,
    user: &str,
    shared: &Shared,
    mut first: u64,
    most: u64,
) -> u64 {
    let (mut next, end) = (first, first + most);
    while first < end && !shared.is_over.load(Ordering::Relaxed) {
        while next < first + WINDOW {
            if client.try_send(&frame(user, next)).is_err() {
                return first;
            }
            next += 1;
        }
        match client.recv_item(hear) {
            None | Some(Heard::Refused) => return first,
            Some(Heard::Other) => {}
            Some(Heard::Published { n, seq, repeated }) => {
                assert_eq!(n, first, "answers come in order");
                shared.answers.fetch_add(1, Ordering::Relaxed);
                shared
                    .repeated
                    .fetch_add(usize::from(repeated), Ordering::Relaxed);
                assert!(seq > 0 || repeated);
                if seq > 0 {
                    let mut seqs = shared.seqs.lock().expect("nobody panics with it");
                    let body = body(user, n);
                    let known = seqs.entry(seq).or_insert_with(|| body.clone());
                    assert_eq!(*known, body, "a seq is one message's");
                }
                first += 1;
            }
        }
    }
    first
}

fn kill_under_load(kills: usize) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    register(&data, &USERS);
    let path = data.display().to_string();
    let arguments = ["--journal", "--no-console", "--data", &path];
    let served = Served::new(&arguments);
    let endpoint = served.endpoint().clone();
    let shared = Shared::default();
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let (served, answered) = std::thread::scope(|scope| {
        let (mut served, shared, endpoint) = (served, &shared, &endpoint);
        let publishers = USERS.map(|user| {
            let seed = user.len() as u64 * 7919 + u64::from(user.as_bytes()[0]);
            scope.spawn(move || (user, publisher(endpoint, user, shared, seed)))
        });
        for _ in 0..kills {
            let before = shared.answers.load(Ordering::Relaxed);
            let enough = usize::try_from(random(&mut state) % 400).expect("it is small");
            wait_until("there is load", || {
                shared.answers.load(Ordering::Relaxed) > before + enough
            });
            served.child.kill().expect("it runs");
            served = Served::within(served.into_folder(), &arguments);
        }
        let before = shared.answers.load(Ordering::Relaxed);
        wait_until("it goes on behind the last kill", || {
            shared.answers.load(Ordering::Relaxed) > before + 100
        });
        shared.is_over.store(true, Ordering::Relaxed);
        let answered = publishers.map(|publisher| publisher.join().expect("its checks passed"));
        (served, answered)
    });
    served.stop();
    check(&data, &answered, &shared);
}

fn check(data: &std::path::Path, answered: &[(&str, u64)], shared: &Shared) {
    let (kept, head) = on_disk(&data.join("arauto.db"));
    assert_eq!(kept.len() as u64, head, "nothing is removed");
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for body in kept.values().filter(|body| !body.is_empty()) {
        let (user, n) = body.split_once('-').expect("each is of a publisher");
        let n: u64 = n.parse().expect("it has a number");
        let last = seen.entry(user).or_default();
        assert_eq!(n, *last + 1, "{user}: each is there once, in order");
        *last = n;
    }
    for (user, last) in answered {
        assert!(
            seen[user] >= *last,
            "what was answered is there: {user} {last}"
        );
        assert!(seen[user] <= *last + WINDOW);
    }
    for (seq, body) in &*shared.seqs.lock().expect("nobody panicked") {
        assert_eq!(kept.get(seq), Some(body), "{seq}");
    }
    let repeated = shared.repeated.load(Ordering::Relaxed);
    println!(
        "{} answers, {repeated} of them to repeated messages",
        shared.answers.load(Ordering::Relaxed)
    );
    assert!(repeated > 0, "answers were lost, and asked for again");
}

#[test]
fn each_message_is_in_the_log_once_after_kills_under_load() {
    let _watchdog = watchdog_for(Duration::from_secs(120));
    kill_under_load(12);
}

#[test]
#[ignore = "a long run: 200 kills"]
fn each_message_is_in_the_log_once_after_200_kills_under_load() {
    let _watchdog = watchdog_for(Duration::from_secs(600));
    kill_under_load(200);
}
