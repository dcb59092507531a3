//! Random logins, acks, batches and failures against plainly written rules.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Instant;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

use super::{CursorLease, CursorRefusal, Cursors, OpenCursor, OpenedCursor, STORE_AFTER};
use crate::accounts::UserName;
use crate::log::{BackpressureLimits, Content, CursorChanges, CursorRow, Log, LogLimits};
use crate::wire::{Seq, SessionId, Term};

const LIMIT: usize = 2;

fn log() -> Arc<Log> {
    let limits = LogLimits {
        bytes: 1 << 20,
        backpressure: BackpressureLimits::default(),
    };
    let (log, mut appender) = Log::new("s".to_owned(), limits, 1);
    let body: &[u8] = b"\x61a";
    let bodies = std::iter::repeat_n(Content::body(body), 100);
    let at = crate::wire::Millis(0);
    appender
        .push_messages(at, "ana", bodies)
        .expect("it is open");
    appender.commit();
    log
}

fn user() -> UserName {
    "ana".parse().expect("it is a name")
}

/// Cursors of the account ana in a stream with the head 100.
struct Bench {
    log: Arc<Log>,
    cursors: Cursors,
    now: Instant,
    sessions: u64,
    superseded: Arc<AtomicUsize>,
}

impl Bench {
    fn new(rows: Option<Vec<CursorRow>>) -> Bench {
        let log = log();
        Bench {
            cursors: Cursors::new(LIMIT, &log, rows),
            log,
            now: Instant::now(),
            sessions: 0,
            superseded: Arc::default(),
        }
    }

    fn open(&mut self, name: &str, head: u64) -> Result<(OpenedCursor, bool), CursorRefusal> {
        self.sessions += 1;
        let superseded = Arc::clone(&self.superseded);
        let open = OpenCursor {
            user: user(),
            name: Arc::from(name),
            session: SessionId(self.sessions),
            head: Seq(head),
            on_superseded: Box::new(move || {
                superseded.fetch_add(1, Ordering::Relaxed);
            }),
        };
        self.cursors.open(open, &self.log, self.now)
    }

    fn lease(&mut self, name: &str, head: u64) -> CursorLease {
        self.open(name, head)
            .expect("it is within the limit")
            .0
            .lease
    }

    /// Writes what is due.
    fn write(&mut self) -> CursorChanges {
        self.cursors.poll_unstored(Waker::noop(), self.now);
        let changes = self.cursors.begin_batch(false, self.now);
        self.cursors.commit_batch();
        changes
    }
}

fn row(name: &str, stream: &str, seq: u64) -> CursorRow {
    CursorRow {
        account: Arc::from("ana"),
        name: Arc::from(name),
        stream: Arc::from(stream),
        seq: Seq(seq),
        term: Term(1),
    }
}

fn stored(changes: &CursorChanges) -> Vec<(String, u64)> {
    let rows = changes.stored.iter();
    rows.map(|row| (row.name.to_string(), row.seq.0)).collect()
}

#[test]
fn acks_wait_for_a_batch_and_no_longer_than_their_time() {
    let mut bench = Bench::new(Some(vec![row("c", "s", 10)]));
    let lease = bench.lease("c", 100);
    assert_eq!(bench.cursors.next_due(), None, "nothing has moved");
    for seq in 11..=20 {
        lease.ack(Seq(seq));
    }
    assert_eq!(stored(&bench.write()), [], "it is not time");
    assert_eq!(bench.cursors.next_due(), Some(bench.now + STORE_AFTER));
    bench.now += STORE_AFTER;
    let changes = bench.write();
    assert_eq!(stored(&changes), [("c".to_owned(), 20)], "one row");
    assert_eq!(changes.lowest, Some(Seq(10)), "until it is committed");
    lease.ack(Seq(21));
    bench.cursors.poll_unstored(Waker::noop(), bench.now);
    let changes = bench.cursors.begin_batch(true, bench.now);
    assert_eq!(stored(&changes), [("c".to_owned(), 21)], "with a batch");
    bench.cursors.commit_batch();
    lease.ack(Seq(21));
    lease.ack(Seq(5));
    assert!(bench.cursors.begin_batch(true, bench.now).is_empty());
}

#[test]
fn second_session_begins_behind_acks_that_are_waited_for() {
    let mut bench = Bench::new(Some(vec![row("c", "s", 10)]));
    let first = bench.lease("c", 100);
    first.ack(Seq(30));
    let (second, must_wait) = bench.open("c", 100).expect("it is known");
    assert!(must_wait, "30 is not on disk");
    assert_eq!(
        (second.begin, second.gap, second.is_new),
        (Seq(30), None, false)
    );
    assert!(first.is_superseded() && !second.lease.is_superseded());
    assert_eq!(bench.superseded.load(Ordering::Relaxed), 1);
    first.ack(Seq(40));
    assert_eq!(stored(&bench.write()), [("c".to_owned(), 30)], "at once");
    drop(first);
    let (cursors, more) = bench.cursors.list(None, 10);
    assert_eq!((cursors[0].session, more), (Some(SessionId(2)), false));
    drop(second);
    assert_eq!(bench.cursors.list(None, 10).0[0].session, None);
    let (_, must_wait) = bench.open("c", 100).expect("it is known");
    assert!(!must_wait);
}

#[test]
fn cursor_of_another_stream_begins_at_the_head_with_a_gap() {
    let mut bench = Bench::new(Some(vec![row("c", "older", 5000)]));
    for _ in 0..2 {
        let (opened, must_wait) = bench.open("c", 90).expect("it is known");
        assert_eq!((opened.begin, opened.gap), (Seq(90), Some(Seq(90))));
        assert!(!must_wait && !opened.is_new);
        opened.lease.ack(Seq(89));
        assert!(bench.cursors.begin_batch(true, bench.now).is_empty());
    }
    let lease = bench.lease("c", 90);
    lease.ack(Seq(90));
    let changes = bench.cursors.begin_batch(true, bench.now);
    assert_eq!(stored(&changes), [("c".to_owned(), 90)]);
    assert_eq!(&*changes.stored[0].stream, "s");
}

#[test]
fn cursor_ahead_of_the_history_begins_at_its_end() {
    let mut bench = Bench::new(Some(vec![row("c", "s", 5000)]));
    let (opened, must_wait) = bench.open("c", 100).expect("it is known");
    assert_eq!((opened.begin, opened.gap), (Seq(100), None));
    assert!(must_wait, "the row is corrected");
    assert_eq!(stored(&bench.write()), [("c".to_owned(), 100)]);
}

#[test]
fn limit_counts_an_account_s_cursors() {
    let mut bench = Bench::new(None);
    drop(bench.lease("a", 1));
    drop(bench.lease("b", 1));
    let refused = bench.open("c", 1).map(drop);
    assert_eq!(refused, Err(CursorRefusal::TooMany(LIMIT)));
    assert_eq!(bench.cursors.check(&user(), "a"), Ok(()));
    assert!(bench.cursors.remove("ana", "a", bench.now));
    assert!(!bench.cursors.remove("ana", "a", bench.now));
    drop(bench.lease("c", 1));
    bench.cursors.forget(&user());
    assert_eq!(bench.cursors.list(None, 10), (Vec::new(), false));
}

#[test]
fn lists_come_in_parts() {
    let names = ["a", "b", "c", "d", "e"];
    let rows = names.map(|name| row(name, "s", 1)).to_vec();
    let bench = Bench::new(Some(rows));
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let (page, more) = bench.cursors.list(after.as_ref(), 2);
        let last = page.last().expect("a part has a cursor");
        after = Some((last.account.to_string(), last.name.to_string()));
        seen.extend(page.iter().map(|cursor| cursor.name.to_string()));
        if !more {
            break;
        }
    }
    assert_eq!(seen, names);
}

/// A step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Open(u8),
    Ack(u8, u8),
    Leave(u8),
    Remove(u8),
    Begin(bool),
    Commit,
    Fail,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3_u8).prop_map(Step::Open),
        (any::<u8>(), 0..100_u8).prop_map(|(lease, seq)| Step::Ack(lease, seq)),
        any::<u8>().prop_map(Step::Leave),
        (0..3_u8).prop_map(Step::Remove),
        any::<bool>().prop_map(Step::Begin),
        Just(Step::Commit),
        Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..60)
}

/// The stored seqs.
type Disk = HashMap<String, u64>;

/// The rules, plainly written: the acks that count, and what is on disk.
#[derive(Default)]
struct Naive {
    acked: HashMap<u8, u64>,
    holder: HashMap<u8, u64>,
    disk: Disk,
    /// Cursors that were created and are not on disk: a row is that of a removed one.
    unwritten: HashSet<u8>,
}

fn name(cursor: u8) -> String {
    format!("c{cursor}")
}

/// Checks what is written, and returns the disk once it is committed.
fn after(naive: &Naive, changes: &CursorChanges) -> Disk {
    let mut disk = naive.disk.clone();
    for (_, name) in &changes.removed {
        disk.remove(&**name);
    }
    for row in &changes.stored {
        disk.insert(row.name.to_string(), row.seq.0);
    }
    disk
}

fn check(steps: &[Step]) {
    let mut bench = Bench::new(Some(Vec::new()));
    let mut naive = Naive::default();
    let mut leases: Vec<(u8, u64, CursorLease)> = Vec::new();
    let mut in_flight: Option<(Disk, Vec<(String, u64)>)> = None;
    for step in steps {
        match *step {
            Step::Open(cursor) => {
                let head = 50;
                let is_full = naive.acked.len() >= LIMIT && !naive.acked.contains_key(&cursor);
                match bench.open(&name(cursor), head) {
                    Err(refusal) => {
                        assert!(is_full, "{refusal:?}");
                    }
                    Ok((opened, must_wait)) => {
                        assert!(!is_full);
                        let known = naive.acked.get(&cursor).copied();
                        assert_eq!(opened.is_new, known.is_none());
                        assert_eq!(opened.begin.0, known.unwrap_or(head));
                        naive.acked.entry(cursor).or_insert(head);
                        if known.is_none() {
                            naive.unwritten.insert(cursor);
                        }
                        naive.holder.insert(cursor, bench.sessions);
                        let on_disk = naive.disk.get(&name(cursor)) == Some(&opened.begin.0);
                        assert!(must_wait || on_disk, "it is on disk before the answer");
                        leases.push((cursor, bench.sessions, opened.lease));
                    }
                }
            }
            Step::Ack(lease, seq) if !leases.is_empty() => {
                let index = usize::from(lease) % leases.len();
                let (cursor, session, lease) = &leases[index];
                lease.ack(Seq(seq.into()));
                if naive.holder.get(cursor) == Some(session)
                    && let Some(acked) = naive.acked.get_mut(cursor)
                {
                    *acked = (*acked).max(seq.into());
                }
            }
            Step::Leave(lease) if !leases.is_empty() => {
                drop(leases.remove(usize::from(lease) % leases.len()));
            }
            Step::Ack(..) | Step::Leave(_) => {}
            Step::Remove(cursor) => {
                let removed = bench.cursors.remove("ana", &name(cursor), bench.now);
                assert_eq!(removed, naive.acked.remove(&cursor).is_some());
                naive.holder.remove(&cursor);
                if let Some((_, written)) = &mut in_flight {
                    written.retain(|(row, _)| *row != name(cursor));
                }
            }
            Step::Begin(is_batch) if in_flight.is_none() => {
                bench.cursors.poll_unstored(Waker::noop(), bench.now);
                let changes = bench.cursors.begin_batch(is_batch, bench.now);
                in_flight = Some((after(&naive, &changes), stored(&changes)));
            }
            Step::Commit => {
                if let Some((disk, written)) = in_flight.take() {
                    naive.disk = disk;
                    let is_written =
                        |cursor: &u8| written.iter().any(|(row, _)| *row == name(*cursor));
                    naive.unwritten.retain(|cursor| !is_written(cursor));
                    bench.cursors.commit_batch();
                }
            }
            Step::Fail => {
                in_flight = None;
                bench.cursors.discard_pending(bench.now);
                // New cursors that are not on disk are forgotten, as their logins fail.
                let (known, _) = bench.cursors.list(None, 10);
                let is_known = |cursor: &u8| known.iter().any(|info| *info.name == name(*cursor));
                let gone: Vec<u8> = naive.acked.keys().copied().collect();
                for cursor in gone.into_iter().filter(|cursor| !is_known(cursor)) {
                    assert!(naive.unwritten.contains(&cursor), "others are known");
                    naive.acked.remove(&cursor);
                    naive.holder.remove(&cursor);
                }
            }
            Step::Begin(_) => {}
        }
        let acked = naive.acked.iter();
        for (cursor, acked) in acked.filter(|(cursor, _)| !naive.unwritten.contains(cursor)) {
            let stored = naive.disk.get(&name(*cursor));
            assert!(stored.is_none_or(|stored| stored <= acked), "never ahead");
        }
    }
    // Everything is on disk in the end.
    if in_flight.take().is_some() {
        bench.cursors.commit_batch();
    }
    let changes = bench.cursors.begin_last_batch();
    let disk = after(&naive, &changes);
    bench.cursors.commit_batch();
    let (known, _) = bench.cursors.list(None, 10);
    for info in known {
        if !changes.stored.iter().any(|row| row.name == info.name) {
            continue;
        }
        assert_eq!(disk.get(&*info.name), Some(&info.seq.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn random_histories_keep_the_rules(steps in steps()) {
        check(&steps);
    }
}
