//! Numbers across restarts: they belong to the stream.

use arauto::{Config, Retention};
use tempfile::TempDir;

use super::{expect_published, expect_refused, expect_repeated};
use crate::support::{Fixture, Served, arauto, finish, watchdog};

const JOURNAL: [&str; 2] = ["--journal", "--no-console"];

fn start(folder: &TempDir) -> Fixture {
    Fixture::with(|config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
    })
}

#[test]
fn highest_number_and_its_seq_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixture = start(&folder);
    let mut ana = fixture.client("ana");
    let seqs: Vec<u64> = (1..=5)
        .map(|n| expect_published(&mut ana, "p", n))
        .collect();
    expect_published(&mut ana, "q", u64::MAX);
    fixture.finish();
    let fixture = start(&folder);
    let mut ana = fixture.client("ana");
    assert_eq!(expect_repeated(&mut ana, "p", 5), seqs[4]);
    assert_eq!(expect_repeated(&mut ana, "p", 1), 0, "no longer known");
    expect_refused(&mut ana, "p", 7, "out-of-order");
    expect_published(&mut ana, "p", 6);
    expect_repeated(&mut ana, "q", u64::MAX);
    fixture.finish();
}

#[test]
fn highest_number_survives_kill_9() {
    let _watchdog = watchdog();
    let mut served = Served::new(&JOURNAL);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let seqs: Vec<u64> = (1..=20)
        .map(|n| expect_published(&mut ana, "p", n))
        .collect();
    served.child.kill().expect("it runs");
    drop(ana);
    let served = Served::within(served.into_folder(), &JOURNAL);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    assert_eq!(expect_repeated(&mut ana, "p", 20), seqs[19]);
    expect_published(&mut ana, "p", 21);
    drop(ana);
    served.stop();
}

#[test]
fn new_stream_knows_no_producers() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixture = start(&folder);
    expect_published(&mut fixture.client("ana"), "p", 5);
    fixture.finish();
    // A start without the journal has a stream of its own, and leaves the other one alone.
    let fixture = Fixture::with(|config| config.storage.data = Some(folder.path().join("data")));
    let mut ana = fixture.client("ana");
    expect_published(&mut ana, "p", 3);
    expect_published(&mut ana, "p", 4);
    fixture.finish();
    let fixture = start(&folder);
    expect_repeated(&mut fixture.client("ana"), "p", 5);
    fixture.finish();
}

#[test]
fn restored_copy_knows_no_producers() {
    let _watchdog = watchdog();
    let mut served = Served::new(&JOURNAL);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    expect_published(&mut ana, "p", 5);
    let data = served.folder.path().join("data").display().to_string();
    let copy = served.folder.path().join("copy.db").display().to_string();
    finish(&mut arauto(&["backup", "--data", &data, &copy]), "").expect_success();
    drop(ana);
    served.send_stop(crate::support::Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let mut restore = arauto(&["restore", "--replace", "--data", &data, &copy]);
    finish(&mut restore, "").expect_success();
    let served = Served::within(served.into_folder(), &JOURNAL);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    expect_published(&mut ana, "p", 2);
    drop(ana);
    served.stop();
}
