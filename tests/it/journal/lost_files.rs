//! The database's files are removed, or replaced, while a server has them open.

use std::path::Path;

use arauto::Trouble;

use super::{Data, publish, register};
use crate::support::{Fixture, FrameClient, PASSWORD, Served, Stop, login, watchdog};

/// An action of another program on a data folder.
type Harm = fn(&Path);

const HARMS: [(&str, Harm); 4] = [
    ("rm -rf", |data| {
        std::fs::remove_dir_all(data).expect("the folder is ours");
    }),
    ("the folder is renamed", |data| {
        std::fs::rename(data, data.with_extension("away")).expect("the folder is ours");
    }),
    ("a copy is moved over the database", |data| {
        let copy = data.join("copy");
        std::fs::copy(data.join("arauto.db"), &copy).expect("it is there");
        std::fs::rename(copy, data.join("arauto.db")).expect("the folder is ours");
    }),
    ("the write-ahead log is removed", |data| {
        std::fs::remove_file(data.join("arauto.db-wal")).expect("it is there");
    }),
];

/// The code of the error that answers `frame`; broadcasts come before it.
fn code_of(client: &mut FrameClient, frame: &str) -> String {
    loop {
        let answer = client.recv().expect("it is answered");
        match &*answer.name {
            "error" => return answer.text("code").to_owned(),
            "message" | "joined" | "left" => {}
            _ => panic!("{frame}: {answer:?}"),
        }
    }
}

#[test]
fn publish_without_the_database_is_not_acknowledged() {
    let _watchdog = watchdog();
    for (what, harm) in HARMS {
        let mut served = Served::new(&["--journal", "--no-console"]);
        let mut ana = served.unauthenticated();
        ana.log_in("ana");
        publish(&mut ana, 3, "before");
        harm(&served.folder.path().join("data"));

        ana.publish(9, "after");
        assert_eq!(code_of(&mut ana, "publish"), "internal", "{what}");
        let mut unauthenticated = served.unauthenticated();
        unauthenticated.send(&login(1, "novo", PASSWORD));
        assert_eq!(code_of(&mut unauthenticated, "login"), "internal", "{what}");
        crate::support::wait_until("the log tells", || {
            served
                .log()
                .contains("database files were removed or replaced")
        });
        drop((ana, unauthenticated));

        served.send_stop(Stop::USUAL);
        assert_ne!(
            served.wait(),
            Some(0),
            "{what}: what was acknowledged is lost"
        );
        let report = served.report();
        let mut trouble = report.trouble.iter().map(Trouble::to_string);
        let names_file = trouble.any(|trouble| trouble.contains("arauto.db"));
        assert!(names_file, "{what}: {:?}", report.trouble);
    }
}

#[test]
fn registration_without_the_database_is_not_acknowledged() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    std::fs::remove_dir_all(served.folder.path().join("data")).expect("the folder is ours");
    let mut unauthenticated = served.unauthenticated();
    unauthenticated.send(&login(1, "novo", PASSWORD));
    assert_eq!(code_of(&mut unauthenticated, "login"), "internal");
}

#[test]
fn idle_server_logs_a_lost_database_and_recovers() {
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let data = served.folder.path().join("data");
    let away = served.folder.path().join("away");
    std::fs::rename(&data, &away).expect("the folder is ours");
    crate::support::wait_until("the log tells", || {
        served
            .log()
            .contains("database files were removed or replaced")
    });
    std::fs::rename(&away, &data).expect("the folder is ours");
    crate::support::wait_until("the log tells", || {
        served.log().contains("database files are back")
    });
    publish(&mut ana, 1, "it is the same database");
    ana.fim();
    served.stop();
}

#[test]
fn journal_reader_gets_no_rows_of_another_database() {
    let data = Data::new();
    register(&data.path(), &["ana"]);
    let fixture = Fixture::with(|config| {
        data.journal(config);
        config.limits.log_bytes = 256 << 10;
        config.backpressure.window = 32 << 10;
    });
    let mut ana = fixture.client("ana");
    // It reads nothing, and falls behind what is in memory.
    let mut late = fixture.client("ana");
    for _ in 0..80 {
        publish(&mut ana, 1, &"x".repeat(16 << 10));
    }
    HARMS[2].1(&data.path());
    assert_eq!(code_of(&mut late, "what it has missed"), "internal");
    drop((late, ana));
    fixture.begin_stop();
    assert_ne!(fixture.report().exit, 0);
}
