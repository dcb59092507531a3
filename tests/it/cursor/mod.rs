//! The feature `cursor`: the server remembers how far a client got.

mod begin;
mod client;
#[cfg(unix)] // signals to commands
mod command;
#[cfg(unix)] // kills
mod crash;
mod operators;
pub mod refusals;
mod restart;
mod retention;
mod stop;
pub mod supersede;

use std::path::Path;

use crate::support::{Frame, FrameClient, PASSWORD, login, text, wait_until};

/// Logs in with a cursor, and returns `logged_in`.
#[track_caller]
fn open(client: &mut FrameClient, user: &str, cursor: &str) -> Frame {
    client.send(&login(1, user, PASSWORD).with("cursor", text(cursor)));
    client.skip_to("logged_in")
}

/// Publishes `count` messages, and returns the last seq.
fn publish(client: &mut FrameClient, count: u64) -> u64 {
    for id in 0..count {
        client.publish(id, "bom dia");
    }
    let mut last = 0;
    for _ in 0..count {
        last = client.skip_to("published").num("seq");
    }
    last
}

/// Reads broadcasts until the one with the seq `last`, and returns their seqs.
fn heard(client: &mut FrameClient, last: u64) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.last() != Some(&last) {
        let frame = client.recv().expect("the session goes on");
        if frame.get("seq").is_some() && !frame.is("published") {
            seqs.push(frame.num("seq"));
        }
    }
    seqs
}

/// Acknowledges this seq, and waits until the server has read that.
fn ack(client: &mut FrameClient, seq: u64) {
    client.ack(seq);
    client.ask("ping", 77);
    client.skip_to("pong");
}

/// Returns the stored seq of a cursor; `None` without a row.
fn stored(database: &Path, account: &str, name: &str) -> Option<u64> {
    let db = rusqlite::Connection::open(database).expect("a db");
    let sql = "SELECT seq FROM cursor WHERE account = ? AND name = ?";
    let seq = db.query_row(sql, [account, name], |row| row.get(0));
    rusqlite::OptionalExtension::optional(seq).expect("readable")
}

fn wait_until_stored(database: &Path, account: &str, name: &str, seq: u64) {
    wait_until("the ack is stored", || {
        stored(database, account, name) == Some(seq)
    });
}
