//! The report of a stop: its format, its tables, its pictures.

mod calls;
mod explain;
mod picture;
mod recipients;
mod schema;
mod words;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arauto::{Micros, Report, SessionId};
use tempfile::TempDir;

use crate::shutdown::stalled_reader;
use crate::support::{Fixture, Watchdog, arauto, finish, watchdog};

/// A report in a file, and what `arauto` makes of it.
struct Told {
    report: Report,
    folder: TempDir,
    _watchdog: Watchdog,
}

impl Told {
    fn of(report: Report) -> Told {
        let _watchdog = watchdog();
        let folder = tempfile::tempdir().expect("a folder can be made");
        let told = Told {
            report,
            folder,
            _watchdog,
        };
        let text = serde_json::to_string(&told.report).expect("a report is json");
        std::fs::write(told.file(), text).expect("the folder is ours");
        told
    }

    /// A stop with a reader that stalls, one that reads, and a caller that never logs in.
    fn with_a_stalled_reader() -> Told {
        Told::of(stop_with_a_stalled_reader())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("report.json")
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the output of `arauto COMMAND… FILE OPTIONS…`.
    fn prints(&self, before: &[&str], after: &[&str]) -> String {
        finish(arauto(before).arg(self.file()).args(after), "").expect_success()
    }

    fn user(&self, name: &str) -> &arauto::SessionRecord {
        let mut sessions = self.report.sessions.iter();
        let found = sessions.find(|record| record.user.as_deref() == Some(name));
        found.expect("the user is in the report")
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is utf-8")
}

fn stop_with_a_stalled_reader() -> Report {
    static REPORT: LazyLock<Report> = LazyLock::new(stop_once);
    REPORT.clone()
}

fn stop_once() -> Report {
    let fixture = Fixture::with(|config| {
        config.timeouts.drain = std::time::Duration::from_secs(6);
    });
    let mut unauthenticated = fixture.unauthenticated();
    let mut rui = fixture.client("rui");
    let _stalled = stalled_reader(&fixture);
    fixture.wait_for_sessions(3); // who has published is gone
    fixture.begin_stop();
    // Concurrently, because the stop closes no connection before all clients have read the rest.
    std::thread::scope(|scope| {
        for reader in [&mut rui, &mut unauthenticated] {
            scope.spawn(move || {
                reader.skip_to("closing");
                reader.expect_end();
            });
        }
    });
    fixture.report()
}

/// The report of a stop of very many sessions: those of the stop above again and again,
/// a little later each time.
fn of_many(report: &Report, sessions: u64) -> Report {
    let mut many = report.clone();
    let few = many.sessions.clone();
    many.sessions = (0..sessions)
        .zip(few.iter().cycle())
        .map(|(number, record)| {
            let mut record = record.clone();
            record.session = SessionId(number + 1);
            for time in [&mut record.times_us.cut, &mut record.times_us.closing] {
                *time = time.map(|Micros(at)| Micros(at + number * 10));
            }
            record
        })
        .collect();
    many
}

#[test]
fn explain_of_a_stalled_reader_names_its_end() {
    let told = Told::with_a_stalled_reader();
    let (stalled, rui) = (told.user("stalled"), told.user("rui"));
    let unauthenticated = told.report.sessions.iter().filter(|r| r.user.is_none());
    assert_eq!(unauthenticated.map(|r| r.after).collect::<Vec<_>>(), [None]);
    assert!(
        rui.after.is_some_and(|after| after < rui.sent),
        "it has got some"
    );
    assert_eq!(stalled.missing, [(stalled.sent.next(), told.report.head)]);
    assert_eq!(rui.missed(), 0);
    let (began, times) = (told.report.phases[1].began_us, rui.times_us);
    let in_order = [Some(began), times.cut, times.closing, times.stopped];
    assert!(
        in_order.is_sorted() && !in_order.contains(&None),
        "{in_order:?}"
    );
    assert_eq!(stalled.times_us.closing, None, "it was never reached");
    let actors: Vec<_> = told.report.actors.iter().collect();
    assert_eq!(actors.len(), 3, "auth, an acceptor, the hub: {actors:?}");
    for actor in actors {
        assert!(
            actor.sealed_us.is_some() && actor.sealed_us <= actor.stopped_us,
            "{actor:?}"
        );
    }
}
