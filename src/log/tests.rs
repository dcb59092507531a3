use std::io::{Read as _, Seek, SeekFrom};
use std::sync::atomic::AtomicUsize;
use std::task::{Wake, Waker};
use std::time::Duration;

use super::*;
use crate::wire::{Body, Decoded, Gap, Millis, ServerFrame, cbor};

fn limits(bytes: usize) -> LogLimits {
    LogLimits {
        bytes,
        backpressure: BackpressureLimits {
            window: 1000,
            min_rate: 1000,
            patience: Duration::from_secs(3600),
            ..BackpressureLimits::default()
        },
    }
}

fn log(bytes: usize) -> (Arc<Log>, Appender) {
    Log::new("s".to_owned(), limits(bytes), 1)
}

fn push(appender: &mut Appender, text: &str) {
    let mut body = Vec::new();
    cbor::encode_body(&Body::text(text), &mut body);
    let pushed = appender.push_messages(Millis(0), "ana", [Content::body(&body)]);
    pushed.expect("not sealed");
}

/// Reads `step` bytes at a time to the head; the seqs seen, gaps by their ends.
fn read_all(log: &Log, cursor: &mut Cursor, step: usize) -> Vec<Result<u64, Gap>> {
    let (mut seen, mut stream) = (Vec::new(), Vec::new());
    loop {
        match log.read(cursor, None, 4, usize::MAX) {
            LogRead::AtHead => break,
            LogRead::Gap(gap) => seen.push(Err(gap)),
            LogRead::Frames(slices) => {
                let all: Vec<u8> = slices.iter().flat_map(|s| s.bytes.to_vec()).collect();
                let written = step.min(all.len());
                stream.extend_from_slice(&all[..written]);
                stream.extend_from_slice(&cursor.advance(log, &slices, written).bytes);
            }
        }
        while let Ok(Decoded::Frame(frame, used)) = cbor::decode_server(&stream, 1 << 20) {
            let ServerFrame::Message(message) = frame else {
                panic!("only messages were pushed");
            };
            seen.push(Ok(message.seq.0));
            stream.drain(..used);
        }
        assert!(stream.is_empty(), "a read and its rest are whole frames");
    }
    seen
}

#[test]
fn reader_of_any_step_size_sees_every_seq_once() {
    for step in [1, 7, 60, 100, 1 << 20] {
        let (log, mut appender) = log(1 << 20);
        let mut cursor = log.cursor_after(Seq::ZERO);
        for text in ["a", "b", "c", "d", "e"] {
            push(&mut appender, text);
            push(&mut appender, text);
            appender.commit();
        }
        let expected: Vec<_> = (1..=10).map(Ok).collect();
        assert_eq!(read_all(&log, &mut cursor, step), expected, "step {step}");
        assert_eq!(cursor.seq(), Seq(10));
        assert_eq!(cursor.position(), log.written());
    }
}

#[test]
fn long_part_is_read_in_pieces_of_any_length_from_any_offset() {
    let (log, mut appender) = log(1 << 20);
    let texts = ["", "b", "a longer one", "x"];
    (0..500).for_each(|n| push(&mut appender, texts[n % texts.len()]));
    appender.commit();
    let end = log.written();
    for step in [13, 200, 3_000, 5_000, 9_000] {
        let mut cursor = log.cursor_after(Seq::ZERO);
        let expected: Vec<_> = (1..=500).map(Ok).collect();
        assert_eq!(read_all(&log, &mut cursor, step), expected, "step {step}");
        assert_eq!((cursor.seq(), cursor.position()), (Seq(500), end));
    }
    for after in [0, 1, 62, 63, 64, 65, 127, 128, 300, 499, 500] {
        let mut cursor = log.cursor_after(Seq(after));
        let expected: Vec<_> = (after + 1..=500).map(Ok).collect();
        assert_eq!(read_all(&log, &mut cursor, 777), expected, "after {after}");
        assert_eq!(cursor.position(), end);
    }
}

#[test]
fn pushed_broadcast_is_invisible_before_its_commit() {
    let (log, mut appender) = log(1 << 20);
    let cursor = log.cursor_after(Seq::ZERO);
    push(&mut appender, "a");
    assert!(log.is_at_head(&cursor));
    appender.commit();
    assert!(!log.is_at_head(&cursor));
}

#[test]
fn reader_behind_the_tail_gets_one_gap_of_what_it_missed() {
    let (log, mut appender) = log(1000);
    let mut cursor = log.cursor_after(Seq::ZERO);
    for _ in 0..50 {
        push(&mut appender, "x");
        appender.commit();
    }
    let seen = read_all(&log, &mut cursor, usize::MAX);
    let Some(Err(gap)) = seen.first() else {
        panic!("50 frames do not fit into 1000 bytes");
    };
    assert_eq!(gap.from, Seq(1));
    let rest: Vec<_> = (gap.to.0 + 1..=50).map(Ok).collect();
    assert_eq!(seen[1..], rest);
}

#[test]
fn cursor_starts_at_any_seq() {
    let (log, mut appender) = log(1 << 20);
    for _ in 0..3 {
        (0..3).for_each(|_| push(&mut appender, "x"));
        appender.commit();
    }
    for after in 0..=9 {
        let mut cursor = log.cursor_after(Seq(after));
        let expected: Vec<_> = (after + 1..=9).map(Ok).collect();
        assert_eq!(read_all(&log, &mut cursor, 64), expected);
        assert_eq!(cursor.position(), log.written());
    }
    assert!(log.is_at_head(&log.cursor_after(Seq(99))));
}

#[test]
fn sealed_log_refuses_appends_and_shows_what_it_has() {
    let (log, mut appender) = log(1 << 20);
    push(&mut appender, "a");
    assert_eq!(appender.seal(), Seq(1));
    assert_eq!(log.head(), Seq(1));
    let refused = appender.push_presence(Millis(0), PresenceChange::Joined("ana"));
    assert_eq!(refused, Err(Sealed));
    assert_eq!(log.head(), Seq(1));
}

#[test]
fn part_with_many_readers_is_also_in_the_page_file() {
    let (log, mut appender) = log(1 << 20);
    appender.use_page_files(tempfile::tempfile);
    let mut cursor = log.cursor_after(Seq::ZERO);
    let text = "x".repeat(10_000);
    let flood = |appender: &mut Appender| {
        (0..30).for_each(|_| push(appender, &text));
        appender.commit();
    };
    flood(&mut appender);
    let LogRead::Frames(few) = log.read(&mut cursor, None, 4, usize::MAX) else {
        panic!("there are frames");
    };
    assert!(few.iter().all(|slice| slice.pages.is_none()));
    assert_eq!(log.page_bytes(), 0);

    let guards: Vec<_> = (0..page_file::MIN_READERS)
        .map(|_| log.register_sendfile_reader())
        .collect();
    cursor = log.cursor_after(log.head());
    flood(&mut appender);
    let (mut seen, mut rests) = (0, Vec::new());
    while let LogRead::Frames(slices) = log.read(&mut cursor, None, 4, usize::MAX) {
        let place = |slice: &cursor::Slice| slice.pages.clone().expect("many read");
        for slice in &slices {
            assert_eq!(read_at(&place(slice), slice.bytes.len()), slice.bytes);
            seen += slice.bytes.len();
        }
        for pair in slices.windows(2) {
            assert!(place(&pair[0]).is_followed_by(&place(&pair[1]), pair[0].bytes.len()));
        }
        // Within a frame: what is left of it stands in the file, too.
        let mut half = cursor;
        let rest = half.advance(&log, &slices, 15_000);
        let place = rest.pages.upgrade().expect("the slice was pages");
        assert_eq!(read_at(&place, rest.bytes.len()), rest.bytes);
        rests.push(rest);
        cursor.advance(
            &log,
            &slices,
            slices.iter().map(|slice| slice.bytes.len()).sum(),
        );
    }
    assert!(seen > 300_000);
    assert_eq!(log.page_bytes(), seen as u64);
    // A log that never writes the file keeps none, and no memory that others share.
    (0..10).for_each(|_| flood(&mut appender));
    assert!(rests.iter().all(|rest| rest.pages.upgrade().is_none()));
    assert!(rests.iter().all(|rest| rest.bytes.is_unique()));
    drop(guards);
    cursor = log.cursor_after(log.head());
    flood(&mut appender);
    let LogRead::Frames(few) = log.read(&mut cursor, None, 4, usize::MAX) else {
        panic!("there are frames");
    };
    assert!(few.iter().all(|slice| slice.pages.is_none()));
}

fn read_at(place: &PageRange, length: usize) -> Vec<u8> {
    let mut file = place.file();
    let mut bytes = vec![0; length];
    let end = file.stream_position().expect("a file has one");
    file.seek(SeekFrom::Start(place.offset()))
        .expect("it is there");
    file.read_exact(&mut bytes).expect("it was written");
    file.seek(SeekFrom::Start(end)).expect("it was there");
    bytes
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn reader_registered_twice_in_a_round_is_woken_once() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let (log, _appender) = log(100);
    let mut place = notifier::ReadWait::default();
    for round in 1..=3 {
        (0..5).for_each(|_| log.notifier(0).register(&mut place, &waker));
        log.notifier(0).take_waiting().for_each(Waker::wake);
        assert_eq!(count.0.load(Ordering::Relaxed), round);
    }
}

#[test]
fn reader_dropped_while_waiting_leaves_no_waker() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let (log, _appender) = log(100);
    let mut living = notifier::ReadWait::default();
    log.notifier(0).register(&mut living, &waker);
    for _ in 0..1000 {
        let mut place = notifier::ReadWait::default();
        log.notifier(0).register(&mut place, &waker);
        assert_eq!(log.notifier(0).waiting(), 2);
    }
    assert_eq!(log.notifier(0).waiting(), 1, "the reader that is there");
    log.notifier(0).take_waiting().for_each(Waker::wake);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

fn rui() -> Arc<str> {
    Arc::from("rui")
}

#[test]
fn publisher_dropped_while_waiting_leaves_no_waker() {
    let (log, _appender) = log(100);
    let mut reader = log.backpressure().reader();
    reader.note(Some(&rui()), 100, 100, 100);
    for _ in 0..1000 {
        let mut wait = PublishWait::default();
        let may = log
            .backpressure()
            .may_publish(5000, &mut wait, Waker::noop());
        assert!(!may && log.backpressure().waiting() == 1);
    }
    assert_eq!(log.backpressure().waiting(), 0);
}

#[test]
fn publisher_waits_until_a_lagging_reader_moves() {
    let (log, _appender) = log(100);
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut wait = PublishWait::default();
    let mut may_publish = |written| log.backpressure().may_publish(written, &mut wait, &waker);
    let mut reader = log.backpressure().reader();
    reader.note(Some(&rui()), 100, 100, 100);
    assert!(may_publish(1100));
    assert!(!may_publish(1101));
    reader.note(Some(&rui()), 600, 600, 1101);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(may_publish(1101));
    assert!(!may_publish(2000));
    drop(reader);
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert!(may_publish(2000));
}

#[test]
fn reader_that_lags_after_the_last_scan_counts_at_once() {
    let (log, _appender) = log(100);
    let mut wait = PublishWait::default();
    let mut may_publish = |written| {
        log.backpressure()
            .may_publish(written, &mut wait, Waker::noop())
    };
    assert!(may_publish(5000), "nobody lags");
    let mut reader = log.backpressure().reader();
    reader.note_caught_up(3000);
    reader.note(Some(&rui()), 3000, 3000, 5000);
    assert!(!may_publish(5001));
    reader.note(Some(&rui()), 4500, 4500, 5001);
    assert!(may_publish(5001));
    assert!(!may_publish(6000));
}

#[test]
fn still_reader_without_patience_or_budget_holds_nobody() {
    let mut limits = limits(100);
    limits.backpressure.patience = Duration::ZERO;
    limits.backpressure.user_budget = Duration::ZERO;
    let (log, _appender) = Log::new("s".to_owned(), limits, 1);
    let mut reader = log.backpressure().reader();
    reader.note(Some(&rui()), 1, 1, 1);
    let mut wait = PublishWait::default();
    assert!(
        log.backpressure()
            .may_publish(1 << 40, &mut wait, Waker::noop())
    );
}
