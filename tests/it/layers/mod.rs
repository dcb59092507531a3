//! The crate's layers: which layer may use which, and the shape of the files.
//!
//! - [`table`] is the design's table. The rules here look at paths (`crate::layer`,
//!   `tokio::net`), so `use crate::{…}` and `use tokio::{…}`, which would hide them, are not
//!   allowed either.
//! - [`cycles`] forbids import cycles between files, [`lengths`] long files, and [`root`] unknown
//!   files in the root folder.

mod cycles;
mod lengths;
mod root;
mod source;
mod table;

use std::path::Path;

use self::table::{ACTORS, LAYERS, SOCKETS};

/// Returns what is wrong with a file, each in a sentence.
fn violations(path: &str, source: &str) -> Vec<String> {
    let (name, _) = path.split_once(['/', '.']).unwrap_or((path, ""));
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        return vec![format!("{path}: the table has no layer {name}")];
    };
    let mut wrong = Vec::new();
    for (number, line) in code(path, source) {
        let mut note = |what: String| wrong.push(format!("{path}:{number}: {what}"));
        for word in layer.never.iter().filter(|word| names(line, word)) {
            note(format!("{name} never uses {word}"));
        }
        for other in layers_in(line) {
            if other != name && !layer.layers.contains(&other) {
                note(format!("{name} may not use the layer {other}"));
            }
        }
        if name != "transport" {
            let mut its_own = SOCKETS.to_vec();
            // The command line keeps its system calls in one folder.
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
            .any(|group| names(line, group))
        {
            note("a group of paths hides a layer from this test".to_owned());
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
        let has_more = matches!(after, Some('_' | '-'));
        let goes_on = word.ends_with(|c: char| c.is_alphanumeric()) && has_more;
        // actix_rt is of actix; unsafe_code is not unsafe, and nor is the unsafe-inline of a browser.
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && (!goes_on || word == "actix")
    })
}

fn layers_in(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").filter_map(|(at, prefix)| {
        let rest = &line[at + prefix.len()..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        // `pub(in crate::transport)` names its own layer; `crate::{` is found elsewhere.
        Some(&rest[..end]).filter(|layer| !layer.is_empty())
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
fn source_file_imports_only_its_allowed_layers() {
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
fn layer_rule_breach_is_found() {
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
fn allowed_import_is_not_a_breach() {
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
        ("cli/os.rs", "#[cfg(windows)]"),
        ("admin/x.rs", "\"style-src 'unsafe-inline'\""),
        ("cli/os/windows.rs", "use windows_sys::Win32::Foundation;"),
        (
            "wire/x.rs",
            "//! See crate::log.\nmod tests {\n    use super::*;\n}",
        ),
        ("wire/tests.rs", "use super::*;"),
        ("wire/tests/x.rs", "use super::*;"),
    ];
    for (path, source) in fine {
        assert_eq!(violations(path, source), Vec::<String>::new(), "{path}");
    }
}
