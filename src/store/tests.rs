use std::path::PathBuf;

use rusqlite::Connection;

use super::*;

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    let path = folder.database().expect("writable");
    (temp, path)
}

fn version(path: &std::path::Path) -> i64 {
    let other = Connection::open(path).expect("a db");
    let version = other.pragma_query_value(None, "user_version", |row| row.get(0));
    version.expect("readable")
}

/// The tables as the first version made them, with one account.
fn version_1(path: &std::path::Path) {
    let old = Connection::open(path).expect("a db");
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE account (
             name    TEXT PRIMARY KEY,
             phc     TEXT NOT NULL,
             role    TEXT NOT NULL,
             created INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID;
         INSERT INTO account VALUES ('ana', '$argon2id$x', 'admin', 7);
         PRAGMA user_version = 1;",
    )
    .expect("writable");
}

#[test]
fn tables_of_version_1_become_todays_and_keep_their_accounts() {
    let (_temp, path) = fresh();
    version_1(&path);
    let mut db = Db::open_sound(&path).expect("it becomes today's");
    let accounts = db.run(|connection| {
        let mut query = connection.prepare("SELECT name, role, created FROM account")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String, i64)>>>()
    });
    let expected = [("ana".to_owned(), "admin".to_owned(), 7)];
    assert_eq!(accounts.expect("readable"), expected);
    assert_eq!(version(&path), schema::SCHEMA);
    drop(db);
    Db::open(&path).expect("and it opens again");
}

#[test]
fn tables_of_a_later_version_are_left_alone() {
    let (_temp, path) = fresh();
    let later = Connection::open(&path).expect("a db");
    later
        .pragma_update(None, "user_version", 99)
        .expect("writable");
    let refused = Db::open(&path).expect_err("it is from the future");
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }));
    assert_eq!(version(&path), 99);
}

#[test]
fn what_the_thread_was_asked_is_done_before_it_is_closed() {
    let (_temp, path) = fresh();
    let (store, thread) = Store::start(Db::open(&path).expect("a db"));
    let mut answer = store.ask(|db| db.data_version().is_ok());
    thread.close().expect("tidy");
    assert_eq!(answer.try_recv(), Ok(true));
    assert_eq!(store.wait(|_| ()), None, "nobody is there any more");
}
