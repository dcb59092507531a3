//! The syncs to disk of a server with a data folder, recorded by strace(1).

use tempfile::TempDir;

use crate::alone;
use crate::support::Stop;
use crate::traced::TracedServer;

/// The calls that sync, and those that give a file its name.
const TRACED: &str = "--trace=fsync,fdatasync,sync,syncfs,sync_file_range,msync,\
                      rename,renameat,renameat2,link,linkat";

const JOURNAL: &str = "--journal";

fn start(folder: TempDir, arguments: &[&str]) -> Option<TracedServer> {
    let options = ["--decode-fds=path", "--string-limit=256", TRACED];
    TracedServer::within(folder, &options, arguments)
}

fn new_folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// Returns the calls on the data folder and on the files in it, each as its name and the file's
/// name.
fn of_data((folder, calls): (TempDir, String)) -> (TempDir, Vec<String>) {
    let data = folder.path().join("data").display().to_string();
    let found = calls.lines().filter_map(|line| {
        let (before, path) = line.rsplit_once(&data)?; // of two names, the new one
        let call = before.split('(').next()?.split_whitespace().last()?;
        let end = path.find(['>', '"'])?;
        // The random letters of an unfinished file's name are left out.
        let name = path[..end].trim_start_matches('/');
        let name = match name.split_once("-unfinished-") {
            Some((name, _)) => format!("{name}-unfinished"),
            None => name.to_owned(),
        };
        Some(format!("{call} {name}"))
    });
    let found = found.collect();
    (folder, found)
}

/// The content is on disk before the database has its name, and the name before the server is
/// ready. So a power cut leaves no database or a complete one.
#[test]
fn first_start_costs_two_syncs_in_order() {
    let _alone = alone();
    for arguments in [&[][..], &[JOURNAL]] {
        let Some(server) = start(new_folder(), arguments) else {
            return;
        };
        let (_folder, calls) = of_data(server.stop());
        println!("the first start and stop {arguments:?}: {calls:?}");
        let expected = [
            "fsync arauto.db-unfinished",
            "renameat2 arauto.db",
            "fsync ", // the folder
        ];
        assert_eq!(calls, expected, "{arguments:?}");
    }
}

#[test]
fn later_start_costs_no_sync() {
    let _alone = alone();
    for arguments in [&[][..], &[JOURNAL]] {
        let Some(server) = start(new_folder(), arguments) else {
            return;
        };
        server.served.unauthenticated().log_in("ana");
        let (folder, _) = server.stop();
        let server = start(folder, arguments).expect("strace was there before");
        let (_folder, calls) = of_data(server.stop());
        println!("a later start and stop {arguments:?}: {calls:?}");
        assert_eq!(calls, [""; 0], "{arguments:?}");
    }
}

#[test]
fn publish_to_the_journal_costs_one_sync() {
    const PUBLISHES: usize = 20;
    let _alone = alone();
    let count = |publishes: usize| {
        let server = start(new_folder(), &[JOURNAL])?;
        let mut ana = server.served.unauthenticated();
        ana.log_in("ana");
        for id in 0..publishes as u64 {
            ana.publish(id, "bom dia");
            ana.skip_to("published");
        }
        // It stays until the stop, so that its `left` is not written.
        server.served.send_stop(Stop::USUAL);
        ana.skip_to("stopping");
        ana.expect_closing("shutdown");
        drop(ana);
        let (_folder, calls) = of_data(server.stopped());
        Some(calls.iter().filter(|call| call.contains("sync")).count())
    };
    let Some(few) = count(1) else { return };
    let many = count(1 + PUBLISHES).expect("strace was there before");
    println!("the first start, a registration, a publish and the stop: {few} syncs");
    assert_eq!(many - few, PUBLISHES);
}
