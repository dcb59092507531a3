//! Opens what outlives a server: accounts, and the journal where there is one.

use std::sync::Arc;

use super::components::Data;
use super::config::Config;
use super::derived_limits::login_limits;
use super::error::{ConfigError, ServerError};
use super::folder::open_data_folder;
use crate::accounts::{Accounts, Hasher};
use crate::counters::Counters;
use crate::log::{Appender, JournalReaders, JournalWriter, Log, Origin};
use crate::store::{ClockReading, Db, Journal, JournalRow, Store, WaitLimit, stream_name};

/// The bytes of the newest broadcasts that are read from the journal into memory at the start.
/// Most clients that come back after a restart resume near its end.
const NEWEST: usize = 8 << 20;

/// Accounts and broadcasts, opened and checked.
pub(super) struct OpenStorage {
    pub(super) accounts: Accounts,
    pub(super) data: Option<Data>,
    pub(super) stream: Stream,
}

/// The stream of broadcasts that the server continues.
pub(super) enum Stream {
    /// A new one, in memory.
    New,
    /// The one of the journal.
    Journal {
        journal: Box<Journal>,
        newest: Vec<JournalRow>,
        store: Store,
        readers: Arc<JournalReaders>,
    },
}

impl OpenStorage {
    /// Opens the storage of a configuration. It blocks. Waits for other processes end when
    /// `limit` says so.
    pub(super) fn open(config: &Config, limit: &WaitLimit) -> Result<OpenStorage, ServerError> {
        let hasher = Hasher::new(config.hash_cost)
            .map_err(|error| ConfigError::HashCost(error.to_string()))?;
        let limits = login_limits(config);
        let Some(path) = &config.storage.data else {
            return Ok(OpenStorage {
                accounts: Accounts::open(None, hasher, limits)?,
                data: None,
                stream: Stream::New,
            });
        };
        let folder = open_data_folder(path)?;
        let lock = folder.lock()?;
        let path = folder.database()?;
        let name = stream_name();
        let mut db = match config.storage.journal {
            Some(_) => Journal::open_database(&path, &name, limit)?,
            None => Db::open_checked_within(&path, limit)?,
        };
        let newest = NEWEST.min(config.limits.log_bytes / 2);
        let now = ClockReading::with_wall((config.clock)());
        let journal = config
            .storage
            .journal
            .map(|retention| Journal::open(&mut db, retention, newest, now, &name));
        let journal = journal.transpose()?;
        let readers = JournalReaders::new(&db);
        let (store, thread) =
            Store::start(db).map_err(ServerError::no("thread for the database"))?;
        let accounts = Accounts::open(Some(store.clone()), hasher, limits)?;
        // The whole file has been read and is sound.
        store.wait(Db::trust).unwrap_or(Ok(()))?;
        Ok(OpenStorage {
            accounts,
            data: Some(Data {
                store: thread,
                readers: Arc::clone(&readers),
                lock,
            }),
            stream: match journal {
                None => Stream::New,
                Some((journal, newest)) => Stream::Journal {
                    journal: Box::new(journal),
                    newest,
                    store,
                    readers,
                },
            },
        })
    }
}

impl Stream {
    /// Returns the log and its writers.
    pub(super) fn begin(
        self,
        config: &Config,
        counters: Arc<Counters>,
    ) -> (Arc<Log>, Appender, Option<JournalWriter>) {
        match self {
            Stream::New => {
                let (log, appender) = Log::new(stream_name(), config.log(), config.limits.arbiters);
                (log, appender, None)
            }
            Stream::Journal {
                mut journal,
                newest,
                store,
                readers,
            } => {
                let head = journal.head();
                let first = newest.first().map_or(head.next(), |part| part.first);
                let origin = Origin {
                    stream: journal.stream().to_owned(),
                    terms: journal.terms().clone(),
                    first,
                    journal: Some(readers),
                    // As they are at the head: the rows shown below change nothing in the end.
                    kept: journal.take_kept(),
                };
                let term = journal.terms().current();
                tracing::info!(stream = %origin.stream, %term, %head, "journal opened");
                let (log, mut appender) =
                    Log::continue_from(origin, config.log(), config.limits.arbiters);
                appender.show_held(&newest);
                let journal_writer = JournalWriter::new(store, *journal, &mut appender, counters);
                (log, appender, Some(journal_writer))
            }
        }
    }
}
