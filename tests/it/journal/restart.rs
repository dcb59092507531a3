//! A stream that continues after a restart.

use super::{Data, publish, resume, seqs_up_to};
use crate::support::{Fixture, Served, arauto, finish, watchdog};

#[test]
fn stream_continues_after_a_clean_restart() {
    let data = Data::new();
    let fixture = Fixture::with(|config| data.journal(config));
    let (mut ana, first) = fixture.client_and_login("ana");
    let (stream, after) = (first.text("stream").to_owned(), first.num("seq"));
    let last = publish(&mut ana, 500, "before");
    ana.fim();
    fixture.finish();

    let fixture = Fixture::with(|config| data.journal(config));
    let mut ana = fixture.unauthenticated();
    let login = resume(&mut ana, "ana", &stream, after);
    assert_eq!((login.text("stream"), login.num("seq")), (&*stream, after));
    let next = publish(&mut fixture.client("rui"), 1, "after");
    let seqs = seqs_up_to(&mut ana, next);
    assert_eq!(seqs, (after + 1..=next).collect::<Vec<_>>());
    assert_eq!(next, last + 4, "ana left and joined, and rui joined");
    fixture.finish();
}

#[test]
fn stream_continues_after_kill_9() {
    let _watchdog = watchdog();
    let arguments = ["--journal", "--no-console"];
    let mut served = Served::new(&arguments);
    let mut ana = served.unauthenticated();
    let stream = ana.log_in("ana").text("stream").to_owned();
    let last = publish(&mut ana, 100, "before");
    served.child.kill().expect("it runs");
    let served = Served::within(served.into_folder(), &arguments);
    let mut ana = served.unauthenticated();
    resume(&mut ana, "ana", &stream, 0);
    let own = last + 1;
    assert_eq!(seqs_up_to(&mut ana, own), (1..=own).collect::<Vec<_>>());
    drop(ana);
    served.stop();
}

#[test]
fn start_without_the_journal_keeps_its_stream_on_disk() {
    let data = Data::new();
    let fixture = Fixture::with(|config| data.journal(config));
    let (mut ana, first) = fixture.client_and_login("ana");
    let kept = first.text("stream").to_owned();
    publish(&mut ana, 10, "kept");
    ana.fim();
    fixture.finish();

    let fixture = Fixture::with(|config| config.storage.data = Some(data.path()));
    let (mut ana, login) = fixture.client_and_login("ana");
    assert_ne!(login.text("stream"), kept);
    assert_eq!(login.num("seq"), 1);
    publish(&mut ana, 10, "not kept");
    fixture.finish();

    let fixture = Fixture::with(|config| data.journal(config));
    let (_ana, login) = fixture.client_and_login("ana");
    assert_eq!((login.text("stream"), login.num("seq")), (&*kept, 13));
    fixture.finish();
}

#[test]
fn resume_ahead_of_the_journal_gets_one_gap_from_1() {
    let data = Data::new();
    let fixture = Fixture::with(|config| data.journal(config));
    let stream = fixture.client_and_login("ana").1.text("stream").to_owned();
    fixture.finish();
    let fixture = Fixture::with(|config| data.journal(config));
    let mut ana = fixture.unauthenticated();
    let head = resume(&mut ana, "ana", &stream, 1_000).num("seq");
    let gap = ana.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (1, head));
    fixture.finish();
}

#[test]
fn journal_without_folder_or_bound_without_journal_is_refused() {
    let _watchdog = watchdog();
    let mut serve = arauto(&["serve", "--journal", "--data", "none"]);
    finish(&mut serve, "").expect_failure(78, &["--data", "--journal"]);
    let mut serve = arauto(&["serve", "--retain-bytes", "1MiB", "--data", "none"]);
    finish(&mut serve, "").expect_failure(78, &["retain-bytes", "--journal"]);
}
