//! The producers of the stream: for each, the highest number that was published, and the seq of
//! that message.
//!
//! The problem: a publisher that lost its connection sends its messages again, and must be told
//! which of them are in the stream. So a message's number is committed in the transaction of the
//! message: after any crash either both are on disk or neither is.
//!
//! Invariants:
//! - a row's seq is in the stream, at or below its head;
//! - the rows belong to the stream: a new stream has none;
//! - the rows of an account are removed with the account, and none is written for an account that
//!   does not exist.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::crc::Crc;
use super::integer::stored;
use crate::wire::{LONGEST_LABEL, Seq};

/// The last message of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerRow {
    /// The account that the producer belongs to.
    pub account: Arc<str>,
    /// The producer's name.
    pub name: Arc<str>,
    /// The highest number that was published.
    pub n: u64,
    /// The seq of that message.
    pub seq: Seq,
}

/// The changes to the producers that are committed together with a batch of broadcasts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProducerChanges {
    /// The rows that are added or replaced.
    pub published: Vec<ProducerRow>,
    /// The accounts and names of the producers that are removed.
    pub removed: Vec<(Arc<str>, Arc<str>)>,
}

/// A row that is damaged, or contradicts the stream.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the row of producer {name:?} of {account:?} has a wrong checksum or contradicts the stream"
)]
pub(super) struct InvalidProducerRow {
    account: String,
    name: String,
}

impl ProducerRow {
    fn crc(&self) -> u32 {
        Crc::default()
            .number(self.n)
            .number(self.seq.0)
            .number(self.account.len() as u64)
            .bytes(self.account.as_bytes())
            .bytes(self.name.as_bytes())
            .finish()
    }

    fn fits(&self, head: Seq) -> bool {
        let is_named = (1..=LONGEST_LABEL).contains(&self.name.len());
        is_named && self.n > 0 && self.seq > Seq::ZERO && self.seq <= head
    }
}

/// Reads the producers of a stream that ends at `head`, by the seq of their last message. Checks
/// each row; leaves out those of accounts that do not exist.
pub(super) fn read(
    connection: &Connection,
    head: Seq,
) -> rusqlite::Result<Result<Vec<ProducerRow>, InvalidProducerRow>> {
    let mut query = connection.prepare(
        "SELECT account, name, n, seq, crc, account IN (SELECT name FROM account)
         FROM producer ORDER BY seq",
    )?;
    let mut rows = query.query([])?;
    let mut producers = Vec::new();
    while let Some(row) = rows.next()? {
        let producer = ProducerRow {
            account: row.get(0)?,
            name: row.get(1)?,
            n: row.get::<_, i64>(2)?.cast_unsigned(),
            seq: Seq(row.get(3)?),
        };
        if !producer.fits(head) || row.get::<_, u32>(4)? != producer.crc() {
            return Ok(Err(InvalidProducerRow {
                account: producer.account.to_string(),
                name: producer.name.to_string(),
            }));
        }
        if row.get(5)? {
            producers.push(producer);
        }
    }
    Ok(Ok(producers))
}

/// Removes the rows of accounts that do not exist; all rows if the stream is new.
pub(super) fn remove_orphans(connection: &Connection, is_new: bool) -> rusqlite::Result<()> {
    let sql = match is_new {
        true => "DELETE FROM producer",
        false => "DELETE FROM producer WHERE account NOT IN (SELECT name FROM account)",
    };
    connection.execute(sql, []).map(drop)
}

/// Writes the changes of a batch, in its transaction.
pub(super) fn write(connection: &Connection, changes: &ProducerChanges) -> rusqlite::Result<()> {
    for (account, name) in &changes.removed {
        connection
            .prepare_cached("DELETE FROM producer WHERE account = ? AND name = ?")?
            .execute(params![account, name])?;
    }
    for row in &changes.published {
        // An account that was removed meanwhile, by another process, gets no row again.
        let sql = "INSERT OR REPLACE INTO producer
                   SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM account WHERE name = ?1)";
        let (n, seq) = (row.n.cast_signed(), stored(row.seq.0));
        connection.prepare_cached(sql)?.execute(params![
            row.account,
            row.name,
            n,
            seq,
            row.crc()
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
