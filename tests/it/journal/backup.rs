//! Copies of a data folder: made while the server runs, put back while none does.

use std::path::Path;
use std::process::Command;

use super::{Data, publish, register, resume, seqs_up_to};
use crate::support::{Fixture, Served, arauto, finish, watchdog};

fn journal(data: &Data) -> Fixture {
    Fixture::with(|config| data.journal(config))
}

/// A command of `arauto` for a data folder.
fn on(data: &Path, command: &str, arguments: &[&str]) -> Command {
    let mut command = arauto(&[command, "--data"]);
    command.arg(data).args(arguments);
    command
}

#[test]
fn restored_backup_of_a_live_server_is_a_complete_new_stream() {
    let data = Data::new();
    register(&data.path(), &["ana", "rui"]);
    let fixture = journal(&data);
    let (mut ana, login) = fixture.client_and_login("ana");
    let last = publish(&mut ana, 100, "before");
    let copy = data.0.path().join("copy.db");
    let file = copy.display().to_string();
    finish(&mut on(&data.path(), "backup", &[&file]), "").expect_success();
    publish(&mut ana, 50, "after");
    ana.fim();

    // A server runs on it: nothing is put back.
    let refused = finish(&mut on(&data.path(), "restore", &[&file, "--replace"]), "");
    refused.expect_failure(75, &["in use", "arauto serve"]);
    // And no copy is written over another.
    let refused = finish(&mut on(&data.path(), "backup", &[&file]), "");
    refused.expect_failure(73, &[&file, "already exists"]);
    fixture.finish();

    let refused = finish(&mut on(&data.path(), "restore", &[&file]), "");
    refused.expect_failure(73, &["already exists", "--replace"]);
    let done = finish(&mut on(&data.path(), "restore", &[&file, "--replace"]), "");
    assert!(done.err.contains("arauto-replaced-1.db"), "{done:?}");
    done.expect_success();

    let fixture = journal(&data);
    let mut ana = fixture.unauthenticated();
    let again = resume(&mut ana, "ana", login.text("stream"), last);
    assert_ne!(again.text("stream"), login.text("stream"));
    let gap = ana.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (1, again.num("seq")));
    ana.fim();
    // The copied messages are there, under the new name.
    let mut ana = fixture.unauthenticated();
    resume(&mut ana, "ana", again.text("stream"), 1);
    assert_eq!(seqs_up_to(&mut ana, last), (2..=last).collect::<Vec<_>>());
    drop(ana);
    fixture.finish();

    // The database that was replaced is a sound one, with everything.
    let elsewhere = data.0.path().join("elsewhere");
    let replaced = data.path().join("arauto-replaced-1.db");
    let mut put_back = on(&elsewhere, "restore", &[&replaced.display().to_string()]);
    let done = finish(&mut put_back, "");
    assert!(done.err.contains("2 accounts"), "{done:?}");
    done.expect_success();
}

#[test]
fn foreign_database_is_not_restored() {
    let _watchdog = watchdog();
    let data = Data::new();
    let file = data.0.path().join("x.db");
    for (bytes, naming) in [
        (
            &b"not a database, but long enough for a header"[..],
            "not an SQLite database",
        ),
        (b"", "is empty"),
    ] {
        std::fs::write(&file, bytes).expect("the folder is ours");
        let mut command = on(&data.path(), "restore", &[&file.display().to_string()]);
        finish(&mut command, "").expect_failure(65, &["x.db", naming]);
        assert!(!data.database().exists());
    }
    let left = std::fs::read_dir(data.path()).expect("readable").count();
    assert_eq!(left, 1, "the lock file alone");
}

#[test]
fn database_copied_live_without_its_wal_is_refused() {
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console"]);
    finish(&mut served.command(&["escritor", "um"]), "").expect_success();
    let (data, copied) = (
        served.folder.path().join("data"),
        served.folder.path().join("copied"),
    );
    std::fs::create_dir(&copied).expect("the folder is ours");
    std::fs::copy(data.join("arauto.db"), copied.join("arauto.db")).expect("it is there");
    let before = std::fs::read(copied.join("arauto.db")).expect("it is there");
    let mut serve = on(&copied, "serve", &["--journal", "--no-console"]);
    let done = finish(&mut serve, "");
    done.expect_failure(65, &["arauto.db-wal", "arauto backup"]);
    let after = std::fs::read(copied.join("arauto.db")).expect("it is there");
    assert_eq!(before, after);
    assert!(!copied.join("arauto.db-wal").exists());

    // The partial copy can still be used.
    let aside = served.folder.path().join("aside.db");
    std::fs::rename(copied.join("arauto.db"), &aside).expect("the folder is ours");
    finish(
        &mut on(&copied, "restore", &[&aside.display().to_string()]),
        "",
    )
    .expect_success();
    served.stop();
}

#[test]
fn killed_server_whose_wal_was_moved_starts_again() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--journal", "--no-console"]);
    finish(&mut served.command(&["escritor", "um"]), "").expect_success();
    served.child.kill().expect("it runs");
    let folder = served.into_folder();
    // As sqlite3(1) does when it is done: the log goes into the file, and away.
    let database = folder.path().join("data/arauto.db");
    let other = rusqlite::Connection::open(&database).expect("a database");
    let head: i64 = other
        .query_row("SELECT head FROM stream", [], |row| row.get(0))
        .expect("there is a stream");
    assert!(head > 0);
    drop(other);
    assert!(!folder.path().join("data/arauto.db-wal").exists());
    Served::within(folder, &["--journal", "--no-console"]).stop();
}

#[test]
fn wal_growing_behind_a_foreign_reader_is_logged() {
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console", "--retain-bytes", "1MiB"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    publish(&mut ana, 1, "x");
    let database = served.folder.path().join("data/arauto.db");
    let other = rusqlite::Connection::open(&database).expect("a database");
    // A read transaction that is never over.
    other
        .execute_batch("BEGIN; SELECT count(*) FROM journal")
        .expect("readable");
    let told = || served.log().matches("write-ahead log is growing").count();
    let body = "x".repeat(256 << 10);
    let mut published = 0;
    while told() == 0 {
        publish(&mut ana, 8, &body);
        published += 8;
        assert!(published < 400, "100 MiB, and nobody was told");
    }
    publish(&mut ana, 8, &body);
    assert_eq!(told(), 1, "not at each commit");
    drop((other, ana));
    served.stop();
}
