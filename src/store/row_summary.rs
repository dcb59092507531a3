//! The routes that a row of the journal holds, in a few bytes.
//!
//! The problem: a session with a filter that resumes a long way back must not read all frames of
//! the journal. So each row has a summary in a table of its own: the routes of its frames, each
//! once. A search reads the summaries, and only the frames of rows that may hold something for its
//! session.
//!
//! A summary is text, one line for each route:
//!
//! | line | the row holds |
//! |---|---|
//! | `/TOPIC` | messages to this topic, for everybody |
//! | `@USER` | messages to this user, whatever their topic |
//! | `*` | presence changes |
//! | `-` | messages without a topic, for everybody |
//!
//! Invariants:
//! - a summary is written and removed in the transaction that writes or removes its row;
//! - a row without a summary may hold anything. Such rows are those with too many routes for
//!   [`LONGEST`] bytes, and those that an earlier version has written.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};

use super::crc::Crc;
use super::integer::stored;
use super::journal_row::JournalRow;
use crate::topic::Route;
use crate::wire::Seq;

/// The longest summary in bytes. It is below half of one of SQLite's pages, so that a summary never
/// needs a page of its own, and about a sixtieth of the longest row.
const LONGEST: usize = 2000;

/// A summary that is damaged, or that belongs to no row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the summary of the journal's row of seq {0} has a wrong checksum or belongs to no row")]
pub(super) struct InvalidSummary(pub(super) Seq);

/// The summary of a row, borrowed from SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary<'a> {
    /// The row's first seq.
    pub(super) first: Seq,
    /// The row's last seq.
    pub(super) last: Seq,
    routes: &'a str,
}

impl<'a> Summary<'a> {
    /// Reads the columns `first`, `last`, `crc` and `routes`, the first of which has this index.
    pub(super) fn read(
        row: &'a Row<'_>,
        index: usize,
    ) -> rusqlite::Result<Result<Summary<'a>, InvalidSummary>> {
        let first = Seq(row.get(index)?);
        let routes = row.get_ref(index + 3)?.as_str();
        let last = Seq(row.get(index + 1)?);
        let stored_crc: u32 = row.get(index + 2)?;
        Ok(match routes {
            Ok(routes) if stored_crc == crc(first, last, routes) => Ok(Summary {
                first,
                last,
                routes,
            }),
            _ => Err(InvalidSummary(first)),
        })
    }

    /// Returns the routes of the row's frames; `None` stands for that of messages without a topic.
    /// A line that is no route ends the summary with an error, and the row may hold anything.
    pub(super) fn routes(self) -> impl Iterator<Item = Result<Option<Route<'a>>, ()>> {
        self.routes.split_terminator('\n').map(|line| {
            let mut chars = line.chars();
            match (chars.next(), chars.as_str()) {
                (Some('/'), topic) => Ok(Some(Route::Topic(topic))),
                (Some('@'), user) => Ok(Some(Route::User(user))),
                (Some('*'), "") => Ok(Some(Route::Presence)),
                (Some('-'), "") => Ok(None),
                _ => Err(()),
            }
        })
    }
}

/// Returns the summary of a row; `None` if it would be too long.
fn summarize(row: &JournalRow) -> Option<String> {
    let mut summary = String::new();
    let (mut known, mut routed) = (HashSet::new(), 0);
    for frame in row.routes.iter() {
        routed += 1;
        if !known.insert(frame.route) {
            continue;
        }
        let (sign, name) = match frame.route {
            Route::Topic(topic) => ('/', topic),
            Route::User(user) => ('@', user),
            Route::Presence => ('*', ""),
        };
        if summary.len() + name.len() + 2 > LONGEST || name.contains('\n') {
            return None;
        }
        summary.push(sign);
        summary.push_str(name);
        summary.push('\n');
    }
    if routed < row.last.0 - row.first.0 + 1 {
        summary.push_str("-\n");
    }
    Some(summary)
}

fn crc(first: Seq, last: Seq, routes: &str) -> u32 {
    let numbers = Crc::default().number(first.0).number(last.0);
    numbers.bytes(routes.as_bytes()).finish()
}

/// Writes the summary of a new row, in the row's transaction.
pub(super) fn write(connection: &Connection, row: &JournalRow) -> rusqlite::Result<()> {
    let Some(routes) = summarize(row) else {
        return Ok(());
    };
    let (first, last) = (stored(row.first.0), stored(row.last.0));
    let crc = crc(row.first, row.last, &routes);
    connection
        .prepare_cached("INSERT OR REPLACE INTO journal_routes VALUES (?, ?, ?, ?)")?
        .execute(params![first, last, crc, routes])
        .map(drop)
}

/// Removes the summaries of rows that begin at or before `trimmed`, in the transaction that removes
/// the rows.
pub(super) fn remove(connection: &Connection, trimmed: Seq) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM journal_routes WHERE first <= ?")?
        .execute([stored(trimmed.0)])
        .map(drop)
}

/// Checks the checksum of each summary, and that its row exists.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Result<(), InvalidSummary>> {
    let mut query = connection.prepare(
        "SELECT r.first, r.last, r.crc, r.routes, j.last
         FROM journal_routes r LEFT JOIN journal j ON j.first = r.first ORDER BY r.first",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let summary = match Summary::read(row, 0)? {
            Ok(summary) => summary,
            Err(invalid) => return Ok(Err(invalid)),
        };
        if row.get::<_, Option<u64>>(4)? != Some(summary.last.0) {
            return Ok(Err(InvalidSummary(summary.first)));
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::topic::Routes;

    fn row(count: u64, routes: &[Route<'_>]) -> JournalRow {
        let mut of_row = Routes::default();
        for (index, route) in (0..).zip(routes) {
            of_row.push(index, 0, *route, false);
        }
        JournalRow {
            first: Seq(11),
            last: Seq(10 + count),
            frames: Bytes::new(),
            routes: of_row,
        }
    }

    fn read(summary: &str) -> Vec<Result<Option<Route<'_>>, ()>> {
        let summary = Summary {
            first: Seq(1),
            last: Seq(1),
            routes: summary,
        };
        summary.routes().collect()
    }

    #[test]
    fn summary_names_each_route_of_the_row_once() {
        let routes = [
            Route::Topic("a/b"),
            Route::User("ana"),
            Route::Topic("a/b"),
            Route::Presence,
            Route::Topic("-"),
        ];
        let summary = summarize(&row(5, &routes)).expect("it is short");
        assert_eq!(summary, "/a/b\n@ana\n*\n/-\n");
        let expected = [0, 1, 3, 4].map(|index| Ok(Some(routes[index])));
        assert_eq!(read(&summary), expected);
        // A sixth message has no topic.
        let summary = summarize(&row(6, &routes)).expect("it is short");
        assert_eq!(read(&summary).last(), Some(&Ok(None)));
    }

    #[test]
    fn row_with_too_many_routes_has_no_summary() {
        let topics: Vec<String> = (0..1000).map(|number| format!("t/{number}")).collect();
        let routes: Vec<Route<'_>> = topics.iter().map(|topic| Route::Topic(topic)).collect();
        assert_eq!(summarize(&row(1000, &routes)), None);
        let summary = summarize(&row(300, &routes[..250])).expect("it is short");
        assert!(summary.len() <= LONGEST && summary.len() > LONGEST / 2);
        assert_eq!(read(&summary).len(), 251);
        assert_eq!(summarize(&row(1, &[Route::Topic("a\nb")])), None);
    }

    #[test]
    fn line_that_is_no_route_is_an_error() {
        assert_eq!(read("/a\n?b\n")[1], Err(()));
        assert_eq!(read("**\n"), [Err(())]);
    }
}
