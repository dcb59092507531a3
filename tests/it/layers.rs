//! Who may import whom: the design's table, as far as text can tell.
//!
//! The rules look at paths (`crate::room`, `tokio::net`), so `use crate::{…}` and
//! `use tokio::{…}`, which would hide them, are not allowed either.

use std::path::Path;

/// A room of the crate: what else of the crate it may name, and what it never may.
struct Room {
    name: &'static str,
    rooms: &'static [&'static str],
    never: &'static [&'static str],
}

const SOCKETS: &[&str] = &[
    "tokio::net",
    "std::net",
    "std::os::unix::net",
    "std::os::linux::net",
];

const ROOMS: &[Room] = &[
    // What the rooms that know no other tell each other.
    Room {
        name: "framing",
        rooms: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // What sessions need of a connection, and acceptors of a listener.
    Room {
        name: "link",
        rooms: &["framing"],
        never: &["actix", "std::os"],
    },
    Room {
        name: "sync",
        rooms: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Room {
        name: "rate",
        rooms: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Room {
        name: "deadline",
        rooms: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // Only tests use it, where threads are scheduled.
    Room {
        name: "interleavings",
        rooms: &[],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    Room {
        name: "wire",
        rooms: &["framing"],
        never: &["actix", "tokio", "std::fs", "std::os"],
    },
    // Waiting (tokio::sync) and blocking threads (tokio::task) are no sockets.
    Room {
        name: "store",
        rooms: &["wire"],
        never: &["actix", "tokio::io"],
    },
    Room {
        name: "accounts",
        rooms: &["wire", "store", "rate", "link"],
        never: &["actix", "tokio::io", "std::fs", "std::os"],
    },
    Room {
        name: "log",
        rooms: &["wire", "store", "sync", "interleavings"],
        // What threads share goes through `sync`, or its schedules are not looked at.
        never: &[
            "actix",
            "tokio::io",
            "std::os",
            "std::sync::atomic",
            "parking_lot",
            "futures_util::task",
        ],
    },
    Room {
        name: "close",
        rooms: &["wire", "sync", "interleavings", "link"],
        never: &[
            "actix",
            "tokio::io",
            "std::fs",
            "std::os",
            "std::sync::atomic",
            "parking_lot",
            "futures_util::task",
        ],
    },
    Room {
        name: "transport",
        rooms: &["framing", "link", "deadline"],
        never: &["actix", "serde_cbor"],
    },
    Room {
        name: "actors",
        rooms: &[
            "wire",
            "accounts",
            "log",
            "close",
            "framing",
            "link",
            "rate",
            "deadline",
            "interleavings",
        ],
        never: &["std::os", "rustix", "rusqlite"],
    },
    Room {
        name: "server",
        rooms: &[
            "wire",
            "store",
            "accounts",
            "log",
            "close",
            "transport",
            "actors",
            "framing",
            "link",
            "rate",
            "interleavings",
        ],
        never: &["std::os", "rustix"],
    },
    Room {
        name: "client",
        rooms: &["wire", "transport", "framing", "link", "deadline"],
        never: &["actix", "std::os", "rustix"],
    },
    // Built for the fuzz targets only: a server without a transport.
    Room {
        name: "fuzzing",
        rooms: &[
            "wire", "accounts", "log", "close", "actors", "framing", "link", "rate",
        ],
        never: &["std::os", "rustix"],
    },
    // The load engine is a module of the binary and of benches/peers, which measures other
    // servers too and has no runtime: it knows neither.
    Room {
        name: "load",
        rooms: &[],
        never: &[
            "actix",
            "tokio",
            "futures_util",
            "arauto::",
            "std::os",
            "rustix",
        ],
    },
    // The public face is all that they see: `arauto::`. In the binary `crate::` is the
    // binary itself, so that `crate::cli` and `crate::load` are the rooms there are.
    Room {
        name: "cli",
        rooms: &["load"],
        never: &["actix::"],
    },
    Room {
        name: "main",
        rooms: &["cli"],
        never: &["actix"],
    },
    // What the binary, the benchmarks and the tests use beyond the public API; no code.
    Room {
        name: "internal",
        rooms: &["store", "accounts", "log", "server"],
        never: &["actix", "tokio", "fn "],
    },
    // It names every room, and has no code.
    Room {
        name: "lib",
        rooms: &[
            "wire",
            "store",
            "accounts",
            "log",
            "close",
            "transport",
            "actors",
            "server",
            "client",
            "framing",
            "link",
            "rate",
            "deadline",
            "sync",
            "interleavings",
            "fuzzing",
        ],
        never: &["actix", "tokio", "fn "],
    },
];

/// Actors import no other actor: only session does. What they share is these.
const ACTORS: &[&str] = &["acceptor", "auth", "hub", "session", "supervisor"];

/// What is wrong with a file, each in a sentence.
fn violations(path: &str, source: &str) -> Vec<String> {
    let (name, _) = path.split_once(['/', '.']).unwrap_or((path, ""));
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!(
            "{path}: no room is called {name}; the table needs it"
        )];
    };
    let mut wrong = Vec::new();
    for (number, line) in code(path, source) {
        let mut note = |what: String| wrong.push(format!("{path}:{number}: {what}"));
        for word in room.never.iter().filter(|word| names(line, word)) {
            note(format!("{name} never uses {word}"));
        }
        for other in rooms_in(line) {
            if other != name && !room.rooms.contains(&other) {
                note(format!("{name} may not use the room {other}"));
            }
        }
        if name != "transport" {
            let mut its_own = SOCKETS.to_vec();
            // The command line keeps what it needs of each system in one place.
            if !path.starts_with("cli/os") {
                its_own.extend(["windows_sys", "unsafe", "cfg(windows)"]);
            }
            for word in its_own.iter().filter(|word| names(line, word)) {
                note(format!("only transport uses {word}"));
            }
        }
        if line.contains("::*") {
            note("a glob import hides where a name comes from".to_owned());
        }
        if ["crate::{", "tokio::{", "std::{"]
            .iter()
            .any(|group| line.contains(group))
        {
            note("a group of paths hides a room from this test".to_owned());
        }
        if let Some(other) = other_actor(path, line) {
            note(format!(
                "only session imports other actors, and this is {other}"
            ));
        }
    }
    wrong
}

/// The lines that are neither comments nor tests, with their numbers.
fn code<'a>(path: &str, source: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
    let lines = (1..).zip(source.lines());
    lines
        .take_while(move |(_, line)| !is_test && line.trim() != "mod tests {")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line names `word`, as a word of its own at its start.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let goes_on = word.ends_with(|c: char| c.is_alphanumeric()) && after == Some('_');
        // actix_rt is of actix; unsafe_code is not unsafe.
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && (!goes_on || word == "actix")
    })
}

fn rooms_in(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").filter_map(|(at, prefix)| {
        let rest = &line[at + prefix.len()..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        // `pub(in crate::transport)` names its own room; `crate::{` is found elsewhere.
        Some(&rest[..end]).filter(|room| !room.is_empty())
    })
}

fn other_actor(path: &str, line: &str) -> Option<&'static str> {
    let rest = path.strip_prefix("actors/")?;
    let own = rest.split(['/', '.']).next()?;
    let is_actor = ACTORS.contains(&own) && own != "session";
    let names_one = |actor: &&&str| {
        let paths = [format!("super::{actor}"), format!("crate::actors::{actor}")];
        paths.iter().any(|path| names(line, path))
    };
    ACTORS
        .iter()
        .filter(|actor| is_actor && **actor != own)
        .find(names_one)
        .copied()
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources are there").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_keeps_to_its_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    assert!(found.len() > 50, "these are the sources");
    let wrong: Vec<String> = found
        .iter()
        .flat_map(|path| {
            let source = std::fs::read_to_string(path).expect("a source is text");
            let path = path
                .strip_prefix(&root)
                .expect("it is below")
                .display()
                .to_string()
                .replace(std::path::MAIN_SEPARATOR, "/");
            violations(&path, &source)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_breach_of_each_rule_is_found() {
    let breaches = [
        ("wire/x.rs", "use tokio::sync::Mutex;"),
        ("wire/x.rs", "use crate::log::Log;"),
        ("wire/x.rs", "    let a: crate::accounts::UserName = b;"),
        ("accounts/x.rs", "use actix_rt::spawn;"),
        ("accounts/x.rs", "use tokio::net::UnixStream;"),
        ("log/x.rs", "use crate::actors::hub::Hub;"),
        ("log/x.rs", "use std::sync::atomic::AtomicU64;"),
        ("close/x.rs", "use parking_lot::Mutex;"),
        ("wire/x.rs", "use crate::sync::Mutex;"),
        ("store/x.rs", "use crate::accounts::UserName;"),
        ("actors/hub.rs", "use rusqlite::Connection;"),
        ("close/x.rs", "use crate::server::Server;"),
        ("transport/x.rs", "use crate::wire::Seq;"),
        ("link/x.rs", "use crate::transport::Connection;"),
        ("link/x.rs", "use tokio::net::TcpStream;"),
        ("actors/x.rs", "use crate::transport::Connection;"),
        ("actors/hub.rs", "use super::session::Session;"),
        ("actors/supervisor/x.rs", "use crate::actors::auth::Auth;"),
        ("server/x.rs", "use crate::client::Client;"),
        ("client/x.rs", "use actix::Addr;"),
        ("client/x.rs", "use crate::actors::link::Link;"),
        ("cli/x.rs", "use crate::server::Server;"),
        ("load/x.rs", "use arauto::RawSession;"),
        ("load/x.rs", "use crate::cli::exit::Failure;"),
        ("load/x.rs", "use tokio::io::AsyncRead;"),
        ("main.rs", "use crate::wire::Seq;"),
        ("server/x.rs", "    unsafe { f() }"),
        ("server/x.rs", "#[cfg(windows)]"),
        ("cli/serve.rs", "#[cfg(windows)]"),
        ("server/x.rs", "use std::os::unix::net::UnixStream;"),
        ("actors/x.rs", "use actix::prelude::*;"),
        ("actors/x.rs", "use crate::{transport, wire};"),
        ("elsewhere/x.rs", ""),
    ];
    for (path, source) in breaches {
        assert!(!violations(path, source).is_empty(), "{path}: {source}");
    }
}

#[test]
fn what_the_design_allows_is_not_a_breach() {
    let fine = [
        (
            "accounts/x.rs",
            "use tokio::sync::oneshot;\nuse crate::store::Db;",
        ),
        (
            "actors/session/x.rs",
            "use crate::actors::hub::Publish;\nuse crate::log::Log;",
        ),
        (
            "actors/hub.rs",
            "use super::sentinel::Sentinel;\nuse actix::Actor;",
        ),
        (
            "server/x.rs",
            "use crate::transport::Listener;\nuse crate::actors::hub::Hub;",
        ),
        (
            "transport/x.rs",
            "#[expect(unsafe_code)]\nuse tokio::net::UnixStream;",
        ),
        ("cli/x.rs", "use arauto::Client;\nuse super::exit::Failure;"),
        ("cli/bench/x.rs", "use crate::load::client::Client;"),
        (
            "load/x.rs",
            "use super::client::Client;\nuse hdrhistogram::Histogram;",
        ),
        ("cli/os.rs", "#[cfg(windows)]"),
        ("cli/os/windows.rs", "use windows_sys::Win32::Foundation;"),
        (
            "wire/x.rs",
            "//! See crate::log.\nmod tests {\n    use super::*;\n}",
        ),
        ("wire/tests.rs", "use super::*;"),
    ];
    for (path, source) in fine {
        assert_eq!(violations(path, source), Vec::<String>::new(), "{path}");
    }
}
