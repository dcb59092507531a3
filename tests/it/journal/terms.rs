//! A stream's history that forks: an older copy of the data folder is put back.

use std::path::Path;

use serde_cbor::Value;

use super::{Data, on_disk, publish, register, seqs_up_to};
use crate::support::{Fixture, Frame, FrameClient, PASSWORD, finish, login, text, watchdog};
use crate::support::{Served, Stop};

/// Logs a client in that resumes after `after`, which it read in `term`.
fn resume_in(client: &mut FrameClient, login_of: &Frame, after: u64, term: Option<u64>) -> Frame {
    let mut point = vec![
        (text("stream"), text(login_of.text("stream"))),
        (text("after"), Value::Integer(after.into())),
    ];
    point.extend(term.map(|term| (text("term"), Value::Integer(term.into()))));
    let point = Value::Map(point.into_iter().collect());
    client.send(&login(1, "ana", PASSWORD).with("resume", point));
    client.expect("logged_in")
}

/// Copies a data folder on which no server runs.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder is ours");
    std::fs::copy(from.join("arauto.db"), to.join("arauto.db")).expect("it is there");
}

fn journal(data: &Data) -> Fixture {
    Fixture::with(|config| data.journal(config))
}

#[test]
fn restart_of_a_stream_raises_its_term() {
    let data = Data::new();
    let mut terms = Vec::new();
    for _ in 0..3 {
        let fixture = journal(&data);
        let (mut ana, login) = fixture.client_and_login("ana");
        terms.push(login.num("term"));
        ana.fim();
        fixture.finish();
    }
    assert_eq!(terms[0], 1);
    assert!(
        terms.is_sorted_by(|before, next| before < next),
        "{terms:?}"
    );
}

#[test]
fn stream_without_a_journal_has_the_term_1() {
    let fixture = Fixture::new();
    assert_eq!(fixture.client_and_login("ana").1.num("term"), 1);
    fixture.finish();
}

#[test]
fn reader_of_a_replaced_history_gets_the_fork() {
    let data = Data::new();
    register(&data.path(), &["ana", "rui"]);
    let fixture = journal(&data);
    publish(&mut fixture.client("rui"), 10, "common");
    fixture.finish();
    let older = data.0.path().join("older");
    copy(&data.path(), &older);
    let (_, fork) = on_disk(&data.database());

    let fixture = journal(&data);
    let mut rui = fixture.client("rui");
    let (ana, login) = fixture.client_and_login("ana");
    let read = publish(&mut rui, 20, "lost");
    drop(ana);
    fixture.finish();
    copy(&older, &data.path());

    let fixture = journal(&data);
    let mut rui = fixture.client("rui");
    let head = publish(&mut rui, 60, "new");
    assert!(head > read, "no seq says that something is missing");
    let mut ana = fixture.unauthenticated();
    let again = resume_in(&mut ana, &login, read, Some(login.num("term")));
    assert_eq!(again.text("stream"), login.text("stream"));
    assert_eq!(again.num("seq"), fork, "below what it has read");
    assert!(again.num("term") > login.num("term"));
    assert_eq!(
        seqs_up_to(&mut ana, head),
        (fork + 1..=head).collect::<Vec<_>>()
    );
    ana.fim();

    // The broadcasts read before the fork belong to this history.
    let mut ana = fixture.unauthenticated();
    let again = resume_in(&mut ana, &login, 5, Some(login.num("term")));
    assert_eq!(again.num("seq"), 5);
    fixture.finish();
}

#[test]
fn resume_beyond_a_known_terms_end_starts_there() {
    let data = Data::new();
    register(&data.path(), &["ana"]);
    let fixture = journal(&data);
    let (mut ana, first) = fixture.client_and_login("ana");
    let end = publish(&mut ana, 10, "first term");
    ana.fim(); // its `left` may or may not be written before the end
    fixture.finish();
    let fixture = journal(&data);
    let mut ana = fixture.unauthenticated();
    let login = resume_in(&mut ana, &first, end + 500, Some(first.num("term")));
    assert!((end..=end + 1).contains(&login.num("seq")), "{login:?}");
    ana.fim();

    // Without a term it is as before: one gap from 1.
    let mut ana = fixture.unauthenticated();
    let login = resume_in(&mut ana, &first, end + 500, None);
    let gap = ana.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (1, login.num("seq")));
    fixture.finish();
}

#[test]
fn resume_one_ahead_of_the_head_gets_a_gap() {
    let data = Data::new();
    register(&data.path(), &["ana", "rui"]);
    for fixture in [journal(&data), Fixture::new()] {
        let (mut rui, login) = fixture.client_and_login("rui");
        let head = publish(&mut rui, 3, "x");
        let mut ana = fixture.unauthenticated();
        let again = resume_in(&mut ana, &login, head + 1, None);
        assert_eq!(again.num("seq"), head + 1, "its own joined");
        let gap = ana.expect("gap");
        assert_eq!((gap.num("from"), gap.num("to")), (1, head + 1));
        fixture.finish();
    }
}

#[test]
fn term_of_another_type_is_a_bad_frame() {
    let fixture = Fixture::new();
    let mut ana = fixture.unauthenticated();
    let point = [
        (text("stream"), text("s")),
        (text("after"), Value::Integer(1)),
        (text("term"), text("2")),
    ];
    let point = Value::Map(point.into_iter().collect());
    ana.send_bytes(&login(1, "ana", PASSWORD).with("resume", point).bytes());
    assert_eq!(ana.expect("error").text("code"), "bad-frame");
    drop(ana);
    fixture.finish();
}

#[test]
fn leitor_reports_another_history_and_goes_on() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--journal", "--no-console"]);
    finish(&mut served.command(&["escritor", "um"]), "").expect_success();
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let folder = served.into_folder();
    let (data, older) = (folder.path().join("data"), folder.path().join("older"));
    copy(&data, &older);

    let state = folder.path().join("state.json");
    let file = state.display().to_string();
    let mut served = Served::within(folder, &["--journal", "--no-console"]);
    let leitor = ["leitor", "--once", "--resume", &file];
    let mut reading = served.command(&leitor);
    let reading = crate::support::spawn(reading.env("ARAUTO_USER", "eva"));
    crate::support::wait_until("the leitor is logged in", || state.exists());
    finish(&mut served.command(&["escritor"]), &"lost\n".repeat(5)).expect_success();
    served.send_stop(Stop::USUAL);
    served.wait();
    let read = reading.wait_with_output().expect("it is a child");
    let read = String::from_utf8(read.stdout).expect("it prints utf-8");
    assert_eq!(read.matches("lost").count(), 5, "{read}");
    let kept = std::fs::read_to_string(&state).expect("it is there");
    assert!(kept.contains("\"term\":"), "{kept}");
    let folder = served.into_folder();
    copy(&older, &data);

    let mut served = Served::within(folder, &["--journal", "--no-console"]);
    finish(&mut served.command(&["escritor"]), &"new\n".repeat(20)).expect_success();
    let mut reading = served.command(&leitor);
    let reading = crate::support::spawn(reading.env("ARAUTO_USER", "eva"));
    crate::support::wait_until("it has gone on", || {
        std::fs::read_to_string(&state).is_ok_and(|now| now != kept)
    });
    served.send_stop(Stop::USUAL);
    served.wait();
    let read = reading.wait_with_output().expect("it is a child");
    let out = String::from_utf8(read.stdout).expect("it prints utf-8");
    let err = String::from_utf8(read.stderr).expect("it prints utf-8");
    assert!(err.contains("another history"), "{err}");
    assert_eq!(out.matches("new").count(), 20, "{out}");
}

#[test]
fn resume_file_of_an_earlier_version_is_read() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--data", "none"]);
    let state = served.folder.path().join("state.json");
    std::fs::write(&state, "{\"stream\":\"another\",\"seq\":7}\n").expect("the folder is ours");
    let file = state.display().to_string();
    let mut reading = served.command(&["leitor", "--once", "--resume", &file]);
    let reading = crate::support::spawn(&mut reading);
    crate::support::wait_until("it has logged in", || {
        std::fs::read_to_string(&state).is_ok_and(|now| now.contains("\"term\":1"))
    });
    served.stop();
    let read = reading.wait_with_output().expect("it is a child");
    assert!(read.status.success(), "{read:?}");
}
