//! A log with a journal on disk.

use std::borrow::Cow;
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use tokio::runtime::Runtime;

use super::super::hearing::Broadcast;
use crate::log::{
    Appender, BackpressureLimits, BatchOutcome, Content, CursorChanges, JournalReaders,
    JournalWriter, Log, LogLimits, Origin, PresenceChange, ProducerChanges, Retention,
};
use crate::store::{ClockReading, Db, Journal, Store, StoreThread};
use crate::topic::Route;
use crate::wire::cbor::encode_content;
use crate::wire::{Body, Millis, Publish, PublishOptions, Seq};

/// Bytes in memory, bytes read into it at a start, and bytes that the journal retains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) log: usize,
    pub(super) newest: usize,
    pub(super) retained: u64,
}

/// A log with a journal.
pub(super) struct Server {
    path: PathBuf,
    sizes: Sizes,
    pub(super) appender: Appender,
    writer: JournalWriter,
    store: Store,
    thread: StoreThread,
    pub(super) readers: Arc<JournalReaders>,
}

/// The file of an empty database: it takes two syncs to create one.
static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let path = temp.path().join("x.db");
    drop(Db::open(&path).expect("a new one"));
    std::fs::read(&path).expect("it is there")
});

impl Server {
    /// Starts with an empty database.
    pub(super) fn create(path: PathBuf, sizes: Sizes) -> Server {
        std::fs::write(&path, &*EMPTY).expect("the folder is ours");
        Server::start(path, sizes)
    }

    fn start(path: PathBuf, sizes: Sizes) -> Server {
        let retention = Retention {
            bytes: sizes.retained,
            age: None,
            ..Retention::default()
        };
        let mut db = Db::open_checked(&path).expect("sound");
        // No test pulls the plug.
        db.run(|connection| connection.pragma_update(None, "synchronous", "OFF"))
            .expect("it can be set");
        let now = ClockReading::with_wall(Millis(1));
        let opened = Journal::open(&mut db, retention, sizes.newest, now, "s");
        let (mut journal, newest) = opened.expect("sound");
        let readers = JournalReaders::new(&db);
        let (store, thread) = Store::start(db).expect("a thread");
        let origin = Origin {
            stream: journal.stream().to_owned(),
            terms: journal.terms().clone(),
            first: newest
                .first()
                .map_or(journal.head().next(), |row| row.first),
            journal: Some(Arc::clone(&readers)),
            kept: journal.take_kept(),
        };
        let limits = LogLimits {
            bytes: sizes.log,
            backpressure: BackpressureLimits::default(),
        };
        let (_, mut appender) = Log::continue_from(origin, limits, 1);
        appender.show_held(&newest);
        let writer = JournalWriter::new(store.clone(), journal, &mut appender, Arc::default());
        Server {
            path,
            sizes,
            appender,
            writer,
            store,
            thread,
            readers,
        }
    }

    /// Stops, and starts again with what is on disk.
    pub(super) fn restart(self) -> Server {
        let (path, sizes) = (self.path, self.sizes);
        drop((self.appender, self.writer, self.store));
        self.readers.close();
        self.thread.close().expect("it has not panicked");
        // Some rows have no summary, like those of earlier versions.
        let database = rusqlite::Connection::open(&path).expect("a database");
        let sql = "DELETE FROM journal_routes WHERE first % 3 = 0";
        database.execute(sql, []).expect("writable");
        drop(database);
        Server::start(path, sizes)
    }

    pub(super) fn log(&self) -> &Arc<Log> {
        self.appender.log()
    }

    /// Pushes a broadcast. Messages to topics of one level are kept values, every third of them an
    /// empty one.
    pub(super) fn push(&mut self, broadcast: &Broadcast) {
        let seq = self.appender.next_seq();
        let pushed = match broadcast {
            Broadcast::Presence => {
                let joined = PresenceChange::Joined("v");
                self.appender.push_presence(Millis(0), joined)
            }
            Broadcast::Message { topic, to } => {
                let is_kept = keeps(broadcast);
                let is_empty = is_kept && seq.0.is_multiple_of(3);
                let body = Body::text(if is_empty { "" } else { "olá" });
                let mut publish = Publish::new(1, body);
                publish.topic = topic.as_deref().map(Cow::Borrowed);
                publish.options = Some(Box::new(PublishOptions {
                    to: to.as_deref().map(Cow::Borrowed),
                    keep: is_kept.then_some(true),
                    ..PublishOptions::default()
                }));
                let mut bytes = Vec::new();
                let keys = encode_content(&publish, &mut bytes).count;
                let to = to.as_deref().map(Route::User);
                let content = Content {
                    bytes: &bytes,
                    keys,
                    route: to.or(topic.as_deref().map(Route::Topic)),
                    is_kept,
                };
                self.appender.push_messages(Millis(0), "v", [content])
            }
        };
        pushed.expect("the log is open");
    }

    pub(super) fn commit(&mut self, runtime: &Runtime) {
        let Server {
            appender, writer, ..
        } = self;
        writer.write(
            appender,
            ProducerChanges::default(),
            CursorChanges::default(),
            Millis(1),
        );
        let outcome = runtime.block_on(poll_fn(|cx| writer.poll(appender, cx)));
        assert!(matches!(outcome, None | Some(BatchOutcome::Committed)));
    }

    /// Returns the seq up to which retention has removed everything.
    pub(super) fn trimmed(&self) -> Seq {
        let sql = "SELECT trimmed FROM stream";
        let trimmed = self
            .store
            .wait(move |db| db.run(|connection| connection.query_row(sql, [], |row| row.get(0))));
        Seq(trimmed.expect("a thread").expect("readable"))
    }
}

/// Whether a message is a kept value.
pub(super) fn keeps(broadcast: &Broadcast) -> bool {
    matches!(broadcast, Broadcast::Message { topic: Some(topic), to: None } if topic.len() == 1)
}
