//! One publisher that waits until each message is on disk, and SQLite by itself, which is
//! the limit of a server that keeps its messages in it.

use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};

use super::Figures;
use super::clocks::RunClocks;
use crate::engine::clocks::Process;
use crate::engine::connection::BUFFER;
use crate::engine::latencies::Latencies;
use crate::peer::{Publisher, arauto};
use crate::start::Running;

/// Publishes `messages` bodies of `size` bytes, the next one when the last one is answered.
pub fn run(size: usize, running: &Running, messages: u64) -> Result<Figures> {
    let mut socket = running.connect().context("connect")?;
    let Publisher { frame, mut meter } = running.system.publish_to_disk(&mut socket, size, 0)?;
    let mut buffer = vec![0; BUFFER];
    let publish = |published: u64| {
        let begin = Instant::now();
        socket.write_all(&frame)?;
        while meter.count().answers < published || !meter.is_even() {
            let length = socket.read(&mut buffer)?;
            ensure!(length > 0, "the server closed the connection");
            meter.feed(&buffer[..length])?;
        }
        let took = begin.elapsed();
        ensure!(meter.count().answers == published, "an answer to nothing");
        Ok(took)
    };
    time(messages, running.server.process(), publish)
}

/// Commits `messages` rows, each by itself, to a new database in `disk`. Each row holds what
/// arauto's journal holds for a body of `size` bytes, and the settings are arauto's.
pub fn sqlite(size: usize, disk: &Path, messages: u64) -> Result<Figures> {
    let folder = tempfile::tempdir_in(disk)?;
    let database = Connection::open(folder.path().join("commits.db"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "wal_autocheckpoint", 4096)?;
    database.execute_batch(
        "CREATE TABLE journal (first INTEGER PRIMARY KEY, last INTEGER NOT NULL,
             time INTEGER NOT NULL, crc INTEGER NOT NULL, frames BLOB NOT NULL) STRICT",
    )?;
    let mut insert = database.prepare("INSERT INTO journal VALUES (?, ?, ?, ?, ?)")?;
    let frame = arauto::message(1 << 20, size);
    let commit = |seq: u64| {
        let begin = Instant::now();
        let seq = i64::try_from(seq)?;
        insert.execute(params![seq, seq, 0, 0, frame])?;
        Ok(begin.elapsed())
    };
    time(messages, Process::own(), commit)
}

/// Times each call of `commit`, which is told how many there were, itself included.
fn time(
    messages: u64,
    server: Process,
    mut commit: impl FnMut(u64) -> Result<Duration>,
) -> Result<Figures> {
    let before = messages / 20;
    for index in 1..=before {
        commit(index)?; // the first ones are slower everywhere
    }
    let mut latencies = Latencies::with_digits(3);
    let clocks = RunClocks::start(Some(server))?;
    for index in before + 1..=before + messages {
        latencies.record(commit(index)?);
    }
    let figures = clocks.stop(messages, 0, Instant::now())?;
    Ok(figures.with_latencies(&latencies))
}
