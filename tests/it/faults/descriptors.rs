//! No descriptor is free when the server is told to stop.

use std::process::Command;

use arauto::SessionRecord;

use crate::support::{Raw, Served, Stop, by_shell, wait_until, watchdog};

/// What the server may have open, and clients that want in: more than there is room for.
const LIMIT: usize = 64;
const CLIENTS: usize = 100;

/// The same command, run by a shell that lowers both limits first.
fn limited(command: Command) -> Command {
    by_shell(&format!("ulimit -n {LIMIT}"), command, "")
}

/// Reads to the end; whether `closing` came before it.
fn is_closed_with_a_word(mut client: Raw) -> bool {
    let mut last = None;
    while let Some(frame) = client.recv() {
        last = Some(frame);
    }
    last.is_some_and(|frame| frame.is("closing"))
}

#[test]
fn with_no_descriptor_free_the_stop_drains_who_is_in_and_writes_its_report() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut served = Served::altered(folder, &["--no-console", "--journal"], limited);
    let mut ana = served.visitor();
    ana.log_in("ana");
    let waiting: Vec<Raw> = (0..CLIENTS).map(|_| served.stranger()).collect();
    wait_until("no descriptor is free", || {
        served.log().contains("accepting failed")
    });
    ana.publish(1, "olá");
    ana.expect("published");
    ana.expect("message");

    served.tell(Stop::USUAL);
    // All at once: the end comes when everybody has read what is theirs.
    let told = std::thread::scope(|scope| {
        let readers: Vec<_> = waiting
            .into_iter()
            .map(|client| scope.spawn(|| is_closed_with_a_word(client)))
            .collect();
        ana.expect("stopping");
        assert_eq!(ana.expect_closing("shutdown").num("accepted"), 1);
        let told = readers.into_iter().map(|reader| reader.join());
        let told = told.filter(|told| *told.as_ref().expect("it does not panic"));
        told.count()
    });
    // Those who were in; the others saw the end.
    assert!(told > 0 && told < CLIENTS, "{told} were told");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let report = served.report();
    assert_eq!(report.trouble, Vec::<String>::new());
    assert_eq!(report.sessions.len(), told + 1);
    assert!(report.sessions.iter().all(SessionRecord::is_whole));
}
