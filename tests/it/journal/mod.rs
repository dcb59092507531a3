//! The journal: published broadcasts are there after any restart.

mod backup;
mod batches;
#[cfg(unix)] // 200 processes: elsewhere `restart` kills one
mod crash;
mod damage;
#[cfg(unix)] // a shell's limits and mounts
mod failure;
#[cfg(unix)] // elsewhere open files can be neither removed nor renamed
mod lost_files;
mod readers;
mod restart;
mod retention;
mod terms;
mod transfer;
mod verification;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arauto::internal::accounts::{Account, DataFolder, Db, Hasher, Password};
use arauto::wire::{Decoded, ServerFrame, cbor};
use arauto::{Config, Millis, Retention, Role};
use arauto::{HashCost, UserName};
use serde_cbor::Value;
use tempfile::TempDir;

use crate::support::{Frame, FrameClient, PASSWORD, login, text};

/// A folder for the data of servers that follow one another.
struct Data(TempDir);

impl Data {
    fn new() -> Data {
        Data(tempfile::tempdir().expect("a folder can be made"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn database(&self) -> PathBuf {
        self.path().join("arauto.db")
    }

    /// A server's configuration with its journal here.
    fn journal(&self, config: &mut Config) {
        config.storage.data = Some(self.path());
        config.storage.journal = Some(Retention::default());
    }
}

/// Accounts whose passwords are quick to check.
pub fn register(data: &Path, users: &[&str]) {
    let hasher = Hasher::new(HashCost::LEAST).expect("the least is enough");
    let password = Password::parse(PASSWORD).expect("it is one");
    let accounts: Vec<Account> = users
        .iter()
        .map(|user| Account {
            name: UserName::parse(user).expect("it is a name"),
            phc: hasher.hash(&password).expect("it can be hashed"),
            role: Role::Escritor,
            created: Millis(0),
        })
        .collect();
    let folder = DataFolder::open(data).expect("writable");
    let path = folder.database().expect("writable");
    let mut db = Db::open(&path).expect("a database");
    db.insert(&accounts).expect("writable");
}

/// Makes a login that resumes after `after`.
fn resuming(user: &str, stream: &str, after: u64) -> Frame {
    let entries = [
        (text("stream"), text(stream)),
        (text("after"), Value::Integer(after.into())),
    ];
    login(1, user, PASSWORD).with("resume", Value::Map(entries.into()))
}

/// Logs a client in that resumes after `after`, and returns the answer.
fn resume(client: &mut FrameClient, user: &str, stream: &str, after: u64) -> Frame {
    client.send(&resuming(user, stream, after));
    client.expect("logged_in")
}

/// Publishes `count` messages at once, waits for their answers, and returns the last seq.
fn publish(client: &mut FrameClient, count: u64, body: &str) -> u64 {
    for id in 0..count {
        client.publish(id, body);
    }
    let mut last = 0;
    for _ in 0..count {
        last = client.skip_to("published").num("seq");
    }
    last
}

/// Receives broadcasts up to `last`, and returns their seqs. A gap fails the test.
fn seqs_up_to(client: &mut FrameClient, last: u64) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.last() != Some(&last) {
        seqs.push(client.recv().expect("the session goes on").num("seq"));
    }
    seqs
}

/// Returns each broadcast of the database, its seq and body; presence has no body.
pub fn on_disk(database: &Path) -> (BTreeMap<u64, String>, u64) {
    let connection = rusqlite::Connection::open(database).expect("a database");
    let head = connection.query_row("SELECT head FROM stream", [], |row| row.get::<_, i64>(0));
    let mut query = connection
        .prepare("SELECT frames FROM journal ORDER BY first")
        .expect("there is a journal");
    let rows = query.query_map([], |row| row.get::<_, Vec<u8>>(0));
    let mut found = BTreeMap::new();
    for row in rows.expect("readable") {
        let row = row.expect("readable");
        let mut frames = &row[..];
        while let Ok(Decoded::Frame(frame, length)) = cbor::decode_server(frames, usize::MAX) {
            let (seq, body) = match frame {
                ServerFrame::Message(message) => {
                    let body = message.body.as_text().expect("all are text");
                    (message.seq.0, body.to_owned())
                }
                ServerFrame::Joined(user) | ServerFrame::Left(user) => (user.seq.0, String::new()),
                other => panic!("no broadcast: {other:?}"),
            };
            assert_eq!(found.insert(seq, body), None, "{seq} is there twice");
            frames = &frames[length..];
        }
        assert!(frames.is_empty(), "a row holds whole frames");
    }
    let head = u64::try_from(head.expect("there is a stream")).expect("seqs count from 1");
    (found, head)
}
