//! Cursors across restarts, with a journal and without.

use arauto::{Config, Retention};
use tempfile::TempDir;

use super::{ack, heard, open, publish, wait_until_stored};
use crate::support::{Fixture, Served, arauto, finish, watchdog};

const JOURNAL: [&str; 2] = ["--journal", "--no-console"];

fn start(folder: &TempDir) -> Fixture {
    Fixture::with(|config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
    })
}

#[test]
fn cursor_goes_on_behind_its_ack_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixture = start(&folder);
    let mut ana = fixture.client("ana");
    let mut rui = fixture.unauthenticated();
    let begin = open(&mut rui, "rui", "c").num("seq");
    let last = publish(&mut ana, 5);
    heard(&mut rui, last);
    ack(&mut rui, begin + 2);
    drop((ana, rui));
    fixture.finish();
    let fixture = start(&folder);
    let mut rui = fixture.unauthenticated();
    let again = open(&mut rui, "rui", "c");
    assert_eq!(again.num("seq"), begin + 2);
    assert!(again.get("cursor_new").is_none());
    assert_eq!(
        heard(&mut rui, last),
        (begin + 3..=last).collect::<Vec<_>>()
    );
    fixture.finish();
}

#[test]
fn ack_is_stored_without_any_other_commit() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let database = folder.path().join("data/arauto.db");
    let fixture = start(&folder);
    let mut ana = fixture.client("ana");
    let mut rui = fixture.unauthenticated();
    let begin = open(&mut rui, "rui", "c").num("seq");
    assert_eq!(super::stored(&database, "rui", "c"), Some(begin), "at once");
    let last = publish(&mut ana, 5);
    heard(&mut rui, last);
    for seq in begin + 1..=last {
        rui.ack(seq);
    }
    wait_until_stored(&database, "rui", "c", last);
    fixture.finish();
}

#[test]
fn without_a_journal_cursors_last_as_long_as_the_server() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let start = || Fixture::with(|config| config.storage.data = Some(folder.path().join("data")));
    for _ in 0..2 {
        let fixture = start();
        let mut rui = fixture.unauthenticated();
        assert!(open(&mut rui, "rui", "c").flag("cursor_new"));
        drop(rui);
        fixture.finish();
    }
    let database = folder.path().join("data/arauto.db");
    assert_eq!(super::stored(&database, "rui", "c"), None);
}

#[test]
fn cursor_of_an_older_stream_begins_with_one_gap() {
    let _watchdog = watchdog();
    let served = Served::new(&JOURNAL);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut rui = served.unauthenticated();
    open(&mut rui, "rui", "c");
    let last = publish(&mut ana, 5);
    heard(&mut rui, last);
    ack(&mut rui, last);
    let data = served.folder.path().join("data");
    wait_until_stored(&data.join("arauto.db"), "rui", "c", last);
    let (data, copy) = (data.display().to_string(), "copy.db");
    let copy = served.folder.path().join(copy).display().to_string();
    finish(&mut arauto(&["backup", "--data", &data, &copy]), "").expect_success();
    drop((ana, rui));
    served.send_stop(crate::support::Stop::USUAL);
    let mut served = served;
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let mut restore = arauto(&["restore", "--replace", "--data", &data, &copy]);
    finish(&mut restore, "").expect_success();
    let served = Served::within(served.into_folder(), &JOURNAL);
    for _ in 0..2 {
        // Until the client acknowledges it, the gap is told each time.
        let mut rui = served.unauthenticated();
        let login = open(&mut rui, "rui", "c");
        assert!(login.get("cursor_new").is_none());
        let gap = rui.expect("gap");
        assert_eq!((gap.num("from"), gap.num("to")), (1, login.num("seq")));
    }
    let mut rui = served.unauthenticated();
    let begin = open(&mut rui, "rui", "c").num("seq");
    ack(&mut rui, begin);
    rui.fim();
    drop(rui);
    let mut rui = served.unauthenticated();
    assert_eq!(open(&mut rui, "rui", "c").num("seq"), begin);
    rui.ask("ping", 2);
    assert!(!rui.until("pong").iter().any(|frame| frame.is("gap")));
    drop(rui);
    served.stop();
}

#[test]
fn removed_account_takes_its_cursors_with_it() {
    let _watchdog = watchdog();
    for arguments in [&["--no-console"][..], &JOURNAL] {
        let served = Served::new(arguments);
        let mut rui = served.unauthenticated();
        open(&mut rui, "rui", "c");
        finish(&mut served.users(&["remove", "rui"]), "").expect_success();
        rui.skip_to("closing");
        drop(rui);
        // A new account of the same name.
        let mut rui = served.unauthenticated();
        let login = open(&mut rui, "rui", "c");
        assert!(login.flag("registered") && login.flag("cursor_new"));
        drop(rui);
        served.stop();
    }
}
