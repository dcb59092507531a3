//! The system calls of a server, and those that arauto.service allows.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Command;

use arauto::Endpoint;
use rustix::process::geteuid;

use super::passing::{seqpacket_listener, serve_passing, served};
use super::unit_file::UnitFile;
use crate::support::{BareClient, Stop, arauto, has_tool, run_by, wait_until, watchdog};

/// Adds the system calls of a word of SystemCallFilter=: a call, or a set of them.
fn add(calls: &mut BTreeSet<String>, word: &str) {
    if !word.starts_with('@') {
        calls.insert(word.to_owned());
        return;
    }
    let mut command = Command::new("systemd-analyze");
    let listed = command
        .args(["syscall-filter", word])
        .output()
        .expect("it is installed");
    let text = String::from_utf8(listed.stdout).expect("it prints utf-8");
    let mut words = text
        .lines()
        .map(str::trim)
        .filter(|word| !word.starts_with('#'));
    assert_eq!(words.next(), Some(word), "it begins with its name");
    words
        .filter(|word| !word.is_empty())
        .for_each(|word| add(calls, word));
}

/// Returns the system calls that the unit allows.
fn allowed() -> BTreeSet<String> {
    let service = UnitFile::read("arauto.service");
    let mut allowed = BTreeSet::new();
    for filter in service.values("SystemCallFilter") {
        let mut named = BTreeSet::new();
        let words = filter.trim_start_matches('~').split_whitespace();
        words.for_each(|word| add(&mut named, word));
        match filter.starts_with('~') {
            true => allowed.retain(|call| !named.contains(call)),
            false => allowed.append(&mut named),
        }
    }
    add(&mut allowed, "@default"); // systemd allows these always
    allowed
}

/// Returns the names in the table of `strace -c`.
fn counted(table: &str) -> BTreeSet<String> {
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| !line.starts_with("---"));
    let names = rows.filter_map(|row| row.split_whitespace().last());
    names.map(str::to_owned).collect()
}

#[test]
fn server_uses_only_system_calls_that_the_unit_allows() {
    let _watchdog = watchdog();
    if !has_tool("systemd-analyze") || !has_tool("strace") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (path, table) = (folder.path().join("a.sock"), folder.path().join("calls"));
    let local = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = local.local_addr().expect("it is bound");
    let sockets = [
        ("raw", seqpacket_listener(&folder.path().join("raw.sock"))),
        ("raw", local.into()),
    ];
    let mut command = arauto(&[
        "serve",
        "--no-console",
        "--journal",
        "--listen",
        "systemd:raw?dialect=raw",
    ]);
    command.args(["--listen", &format!("unix:{}", path.display()), "--data"]);
    command.arg(folder.path().join("data")).arg("--report");
    command.arg(folder.path().join("report.json"));
    // The server keeps the process id of strace, which LISTEN_PID names.
    let output = format!("--output={}", table.display());
    let strace = [
        "strace",
        "--daemonize",
        "--follow-forks",
        "--summary-only",
        &output,
    ];
    let command = run_by(&strace, command);
    let child = serve_passing(command, folder.path(), &sockets);
    let mut server = served(child, folder, &path);

    let (host, port) = (address.ip().to_string(), address.port());
    let mut raw = [
        BareClient::connect(&Endpoint::SeqPacket(server.folder.path().join("raw.sock"))),
        BareClient::connect(&Endpoint::Tcp { host, port }),
    ];
    for client in &mut raw {
        client.send_text("bom dia");
        client.expect("BOM DIA");
    }
    // So many readers that a large broadcast is sent from a file in memory.
    let mut readers: Vec<_> = (0..13).map(|_| server.unauthenticated()).collect();
    for reader in &mut readers {
        reader.log_in("ana");
    }
    readers[0].publish(7, &"x".repeat(100_000));
    for reader in &mut readers {
        reader.skip_to("message");
    }
    readers[0].fim();
    drop((raw, readers));
    server.send_stop(Stop::USUAL);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    wait_until("strace has written its table", || {
        std::fs::read_to_string(&table).is_ok_and(|table| table.contains("total"))
    });

    let table = std::fs::read_to_string(table).expect("strace wrote it");
    let (used, allowed) = (counted(&table), allowed());
    for expected in ["sendfile", "memfd_create", "fsync", "accept4", "prlimit64"] {
        assert!(used.contains(expected), "{expected} is not in {table}");
    }
    let mut refused: Vec<_> = used.difference(&allowed).collect();
    // Of root SQLite gives its files to the owner of the database; the unit's user is another.
    refused.retain(|call| *call != "fchown" || !geteuid().is_root());
    assert!(refused.is_empty(), "{refused:?}");
}
