//! Every setting that a reload changes, under load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use arauto::limits::{Applies, Limit, Unit};

use super::Configured;
use crate::support::{FrameClient, arauto, finish, watchdog_for};

/// The settings beside the limits that a reload changes, each with another value. The certificate
/// and its key come together.
const OTHERS: [(&str, &str); 7] = [
    ("admin-token", "admin-token = TOKEN"),
    ("cursor-hold", "cursor-hold = \"1MiB\""),
    ("default-role", "default-role = \"leitor\""),
    ("retain-bytes", "retain-bytes = \"2GiB\""),
    ("slow", "slow = \"disconnect\""),
    ("tls-cert", "tls-cert = \"/c.pem\"\ntls-key = \"/k.pem\""),
    ("tls-client-ca", "tls-client-ca = \"/a.pem\""),
];

/// `report` is a flag of the servers of these tests: `sources` has its test.
const TOLD_ELSEWHERE: [&str; 2] = ["report", "tls-key"];

/// The settings that need a restart, each with another value.
const FIXED: [(&str, &str); 10] = [
    ("admin", "admin = \"tcp:127.0.0.1:0\""),
    ("arbiters", "arbiters = 2"),
    ("audit", "audit = \"/other.jsonl\""),
    ("data", "data = \"/other\""),
    ("hashing", "hashing = 61"),
    ("journal", "journal = false"),
    ("listen", "listen = [\"tcp:127.0.0.1:0\"]"),
    ("log", "log = \"json\""),
    ("log-bytes", "log-bytes = \"77MiB\""),
    ("retain-age", "retain-age = \"1h\""),
];

/// The file that the server begins with.
const BASE: [(&str, &str); 3] = [
    ("journal", "journal = true"),
    ("max-sessions", "max-sessions = 100"),
    ("max-sessions-per-peer", "max-sessions-per-peer = 90"),
];

/// The last message of the load.
const LAST: &str = "the last one";

/// Returns a line of a config file that gives a limit another value than its default.
fn line(limit: Limit) -> String {
    let value = match limit.unit() {
        Unit::Count => "61",
        Unit::Bytes => "\"300KiB\"",
        Unit::Time => "\"77s\"",
        _ => "\"901/m\"",
    };
    format!("{} = {value}", limit.name())
}

/// A session that publishes, and one that reads all of it, until they are told to end.
struct Load {
    publisher: thread::JoinHandle<u64>,
    readers: Vec<thread::JoinHandle<u64>>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    fn begin(server: &Configured) -> Load {
        let is_over = Arc::new(AtomicBool::new(false));
        let readers = ["rui", "eva"].map(|user| {
            let mut reader = server.served.unauthenticated();
            let begin = reader.log_in(user).num("seq");
            thread::spawn(move || read_all(&mut reader, begin))
        });
        let mut ana = server.served.unauthenticated();
        ana.log_in("ana");
        let until = Arc::clone(&is_over);
        let publisher = thread::spawn(move || publish_until(&mut ana, &until));
        Load {
            publisher,
            readers: readers.into(),
            is_over,
        }
    }

    /// Ends the load, and asserts that every message has arrived.
    #[track_caller]
    fn end(self) {
        self.is_over.store(true, Ordering::Release);
        let published = self
            .publisher
            .join()
            .expect("the publisher's session is there");
        assert!(published > 100, "{published} messages are no load");
        for reader in self.readers {
            let read = reader.join().expect("the reader's session is there");
            assert_eq!(read, published);
        }
    }
}

/// Publishes one message after the other, each once the one before is answered.
fn publish_until(ana: &mut FrameClient, until: &AtomicBool) -> u64 {
    let mut published = 0;
    loop {
        let is_last = until.load(Ordering::Acquire);
        published += 1;
        let body = published.to_string();
        ana.publish(published, if is_last { LAST } else { &body });
        ana.skip_to("published");
        if is_last {
            ana.fim();
            return published;
        }
    }
}

/// Reads to the last message. Returns how many messages there were.
///
/// # Panics
/// A broadcast is missing, out of order or twice, or a message's number is.
fn read_all(reader: &mut FrameClient, begin: u64) -> u64 {
    let (mut seq, mut messages) = (begin, 0);
    loop {
        let frame = reader.recv().expect("the session goes on");
        assert!(
            frame.is("message") || frame.is("joined") || frame.is("left"),
            "{frame:?}"
        );
        assert_eq!(frame.num("seq"), seq + 1, "{frame:?}");
        seq += 1;
        if frame.is("message") {
            messages += 1;
            if frame.text("body") == LAST {
                reader.fim();
                return messages;
            }
            assert_eq!(frame.text("body"), messages.to_string());
        }
    }
}

#[test]
fn every_reloadable_setting_changes_under_load_without_a_loss() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(300));
    let mut file: BTreeMap<&str, String> = BASE
        .iter()
        .map(|(key, line)| (*key, (*line).to_owned()))
        .collect();
    let text = |file: &BTreeMap<&str, String>| {
        let lines: Vec<&str> = file.values().map(String::as_str).collect();
        lines.join("\n")
    };
    let server = Configured::new(&text(&file), &[]);
    let token = server.served.folder.path().join("token");
    std::fs::write(&token, "muito segredo, mesmo\n").expect("the folder is ours");
    let token = format!("{token:?}");
    let load = Load::begin(&server);
    let limits = Limit::all().filter(|limit| limit.applies() != Applies::AtRestart);
    let limits = limits.map(|limit| (limit.name(), line(limit)));
    let others = OTHERS.map(|(key, line)| (key, line.replace("TOKEN", &token)));
    for (key, line) in limits.chain(others) {
        file.insert(key, line);
        let printed = server.reload_well(&text(&file));
        let mut keys = printed
            .lines()
            .map(|line| line.split_once(": ").expect(line).0);
        assert_eq!(keys.next(), Some(key), "{printed}");
        let beside = keys.next();
        assert!(
            beside.is_none_or(|other| (key, other) == ("tls-cert", "tls-key")),
            "{printed}"
        );
        // A client that comes now is served with the new values.
        let mut new = server.served.unauthenticated();
        new.log_in("rui");
        new.fim();
    }
    load.end();
    server.served.stop();
}

#[test]
fn every_other_setting_keeps_its_value_until_a_restart() {
    let _watchdog = watchdog_for(std::time::Duration::from_secs(120));
    let server = Configured::new("journal = true\n", &[]);
    // These are flags of the server, which take precedence over the file.
    let by_flag = ["admin", "data", "listen"];
    for (key, line) in FIXED.iter().filter(|(key, _)| !by_flag.contains(key)) {
        let rest = if *key == "journal" {
            ""
        } else {
            "journal = true\n"
        };
        let result = server.reload(&format!("{rest}{line}\n"));
        let said = format!("{key} stays ");
        assert!(result.err.contains(&said), "{result:?}");
        assert_eq!(result.expect_success(), "no setting has changed\n", "{key}");
        let status = finish(&mut server.command(&["status"]), "").expect_success();
        assert!(status.contains(&format!("restart    {said}")), "{status}");
    }
    server.reload_well("journal = true\n");
    let status = finish(&mut server.command(&["status"]), "").expect_success();
    assert!(!status.contains("restart "), "{status}");
    server.served.stop();
}

#[test]
fn tables_of_these_tests_have_every_setting() {
    let printed = finish(&mut arauto(&["serve", "--print-config=default"]), "").expect_success();
    let settings = printed.lines().filter_map(|line| {
        let (key, _) = line.strip_prefix('#')?.split_once(" = ")?;
        (!key.starts_with(' ')).then_some(key)
    });
    let settings: BTreeSet<&str> = settings.collect();
    let limits = Limit::all().filter(|limit| limit.applies() != Applies::AtRestart);
    let mut tested: BTreeSet<&str> = limits.map(|limit| limit.name()).collect();
    tested.extend(OTHERS.map(|(key, _)| key));
    tested.extend(TOLD_ELSEWHERE);
    let twice = FIXED.iter().find(|(key, _)| tested.contains(key));
    assert_eq!(twice, None);
    tested.extend(FIXED.map(|(key, _)| key));
    assert_eq!(tested, settings);
}
