//! The log among threads: an appender, relays, readers that sleep at their bells.

mod backpressure;
pub(crate) mod subscribers;
mod tail;
mod wake;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::rand::{Rng, thread_rng};

use super::{
    Appender, BackpressureLimits, Content, Cursor, Log, LogLimits, LogRead, ReadWait, Slices,
    TrackedReader,
};
use crate::topic::Route;
use crate::wire::{Body, Decoded, Gap, Millis, Publish, PublishOptions, Seq, ServerFrame, cbor};

/// Nothing that is appended here goes beyond it.
pub(crate) const LARGE: usize = 1 << 20;

/// The newest part alone is held.
const TINY: usize = 1;

/// Nobody waits for readers.
pub(crate) const NO_WINDOW: u64 = u64::MAX;

/// A log of two bells, with the relay of each.
pub(crate) struct RelayedLog {
    pub(crate) log: Arc<Log>,
    relays: [JoinHandle<()>; 2],
}

impl RelayedLog {
    pub(crate) fn new(bytes: usize, window: u64) -> (RelayedLog, Appender) {
        let backpressure = BackpressureLimits {
            window,
            min_rate: 0,
            // No schedule takes so long: nobody is given up as standing still.
            patience: Duration::from_secs(3600),
            user_budget: Duration::from_secs(4 * 3600),
            total_budget: Duration::from_secs(4 * 3600),
        };
        let (log, appender) = Log::new(
            "s".to_owned(),
            LogLimits {
                bytes,
                backpressure,
            },
            2,
        );
        let relays = [0, 1].map(|shard| {
            let log = Arc::clone(&log);
            spawn(async move {
                futures_util::future::join(log.relay(shard), log.relay_to_subscribers(shard)).await;
            })
        });
        (RelayedLog { log, relays }, appender)
    }

    /// Ends the relays, which go on for ever.
    pub(crate) fn end(self) {
        for relay in self.relays {
            relay.abort();
            let _ = block_on(relay);
        }
    }
}

/// Pushes so many messages, as one part.
pub(crate) fn push(appender: &mut Appender, count: usize) {
    let mut body = Vec::new();
    cbor::encode_body(&Body::text("x"), &mut body);
    let messages = std::iter::repeat_n(Content::body(&body), count);
    let pushed = appender.push_messages(Millis(0), "a", messages);
    pushed.expect("it is sealed later");
}

/// Pushes a message with this topic, or to this user, as a part of its own.
pub(crate) fn push_routed(appender: &mut Appender, route: Route<'_>) {
    let mut publish = Publish::new(0, Body::text("x"));
    match route {
        Route::Topic(topic) => publish.topic = Some(topic.into()),
        Route::User(user) => {
            publish.options = Some(Box::new(PublishOptions {
                to: Some(user.into()),
                ..PublishOptions::default()
            }));
        }
        Route::Presence => panic!("a message has no such route"),
    }
    let mut bytes = Vec::new();
    let keys = cbor::encode_content(&publish, &mut bytes).count;
    let content = Content {
        bytes: &bytes,
        keys,
        route: Some(route),
        is_kept: false,
    };
    let pushed = appender.push_messages(Millis(0), "a", [content]);
    pushed.expect("it is sealed later");
}

/// Reads every seq up to `wanted`, each once, on the thread with this number.
pub(crate) fn read_up_to(
    log: &Arc<Log>,
    shard: usize,
    wanted: Seq,
) -> impl Future<Output = ()> + use<> {
    let reader = CheckedReader::after(log, shard, Seq::ZERO);
    async move { drop(reader.read_up_to(wanted).await) }
}

/// How a reader goes to sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SleepOrder {
    /// Registers at the notifier, and looks at the seal and the head after that.
    RegisterFirst,
    /// It looks at the head once more; whether it is sealed it looked before.
    SealCheckedBefore,
    /// It looked at both before.
    BothCheckedBefore,
}

/// A reader that takes each seq as seen, or told as missed, and each of them once.
struct CheckedReader {
    log: Arc<Log>,
    shard: usize,
    cursor: Cursor,
    place: ReadWait,
    sleep_order: SleepOrder,
    /// The last seq that was seen or told.
    last: Seq,
    missed: u64,
    /// Bytes written, which a gap does not count towards.
    taken: u64,
    reader: TrackedReader,
    /// Whether it says where it is, for publishers to wait for it.
    paced: bool,
}

impl CheckedReader {
    fn after(log: &Arc<Log>, shard: usize, after: Seq) -> CheckedReader {
        CheckedReader {
            cursor: log.cursor_after(after),
            log: Arc::clone(log),
            shard,
            place: ReadWait::default(),
            sleep_order: SleepOrder::RegisterFirst,
            last: after,
            missed: 0,
            taken: 0,
            reader: log.backpressure().reader(),
            paced: false,
        }
    }

    /// Reads until the log is sealed and read to its head.
    async fn read_to_the_cut(mut self) -> CheckedReader {
        poll_fn(|cx| self.poll(None, cx)).await;
        assert_eq!(self.cursor.seq(), self.last);
        assert_eq!(self.cursor.position(), self.log.written());
        self
    }

    /// Reads until it has got `wanted`, of a log that nobody seals.
    async fn read_up_to(mut self, wanted: Seq) -> CheckedReader {
        poll_fn(|cx| self.poll(Some(wanted), cx)).await;
        self
    }

    fn poll(&mut self, wanted: Option<Seq>, cx: &mut Context<'_>) -> Poll<()> {
        while wanted.is_none_or(|wanted| self.last < wanted) {
            let was_sealed = self.log.is_sealed();
            match self.log.read(&mut self.cursor, None, 2, usize::MAX) {
                LogRead::Frames(slices) => self.write(&slices),
                LogRead::Gap(gap) => self.note_missed(gap),
                LogRead::AtHead => {
                    self.reader.note_caught_up(self.taken);
                    if let Some(end) = self.wait(was_sealed, cx) {
                        return end;
                    }
                }
            }
        }
        Poll::Ready(())
    }

    /// Goes to sleep, unless there is more to read (`None`).
    fn wait(&mut self, was_sealed: bool, cx: &mut Context<'_>) -> Option<Poll<()>> {
        let notifier = self.log.notifier(self.shard);
        notifier.register(&mut self.place, cx.waker());
        let sealed = match self.sleep_order {
            SleepOrder::RegisterFirst => self.log.is_sealed(),
            _ => was_sealed,
        };
        if self.sleep_order != SleepOrder::BothCheckedBefore && !self.log.is_at_head(&self.cursor) {
            return None;
        }
        Some(if sealed {
            Poll::Ready(())
        } else {
            Poll::Pending
        })
    }

    /// Writes as much as the peer happens to take, and what is left of the frame.
    fn write(&mut self, slices: &Slices) {
        let bytes: Vec<u8> = slices.iter().flat_map(|s| s.bytes.to_vec()).collect();
        let written = thread_rng().gen_range(1..=bytes.len());
        let rest = self.cursor.advance(&self.log, slices, written).bytes;
        self.note_seen(&[&bytes[..written], &rest].concat());
        self.taken += (written + rest.len()) as u64;
        if self.paced {
            let position = self.cursor.position();
            let (user, written) = (Arc::from("a"), self.log.written());
            self.reader.note(Some(&user), position, self.taken, written);
        }
    }

    fn note_seen(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let decoded = cbor::decode_server(bytes, 1 << 20);
            let Ok(Decoded::Frame(ServerFrame::Message(message), used)) = decoded else {
                panic!("what is written is whole messages: {decoded:?}");
            };
            assert_eq!(message.seq, self.last.next(), "each is seen once, in order");
            self.last = message.seq;
            bytes = &bytes[used..];
        }
    }

    fn note_missed(&mut self, gap: Gap) {
        assert_eq!(gap.from, self.last.next(), "what was missed is told once");
        assert!(gap.to >= gap.from, "something was missed");
        self.missed += gap.to.0 - self.last.0;
        self.last = gap.to;
    }
}
