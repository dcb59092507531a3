//! Two hosts: network namespaces, joined by a cable that is a veth pair.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use arauto::Fingerprint;

use crate::support::{arauto, finish, run_by, spawn, wait_until, watchdog};

const PREFIX: &str = "arauto-it-";

/// The server's host and the client's, each with an address.
struct Hosts {
    here: String,
    there: String,
}

const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";

fn ip(arguments: &str) -> bool {
    let done = Command::new("ip").args(arguments.split(' ')).output();
    done.is_ok_and(|done| done.status.success())
}

impl Hosts {
    /// `None`: namespaces cannot be made here.
    fn new() -> Option<Hosts> {
        remove_left_over();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |which| format!("{PREFIX}{}-{number}-{which}", std::process::id());
        let hosts = Hosts {
            here: name("here"),
            there: name("there"),
        };
        hosts.join().then_some(hosts)
    }

    fn join(&self) -> bool {
        let Hosts { here, there } = self;
        ip(&format!("netns add {here}"))
            && ip(&format!("netns add {there}"))
            && ip(&format!(
                "link add cable netns {here} type veth peer name cable netns {there}"
            ))
            && [(here, HERE), (there, THERE)]
                .iter()
                .all(|(host, address)| {
                    ip(&format!("-n {host} address add {address}/24 dev cable"))
                        && ip(&format!("-n {host} link set cable up"))
                        && ip(&format!("-n {host} link set lo up"))
                })
    }

    /// Disconnects the client's host from the network, as a power loss does; no peer is notified.
    fn cut(&self) {
        assert!(ip(&format!("-n {} link set cable down", self.there)));
    }

    fn restore(&self) {
        assert!(ip(&format!("-n {} link set cable up", self.there)));
    }

    /// The same command, on one of them.
    fn on(&self, host: &str, command: Command) -> Command {
        run_by(&["ip", "netns", "exec", host], command)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in [&self.here, &self.there] {
            ip(&format!("netns delete {host}")); // or it was never made
        }
    }
}

/// A test that was killed leaves its namespaces behind.
fn remove_left_over() {
    let listed = Command::new("ip").args(["netns", "list"]).output();
    let listed = listed.map(|done| done.stdout).unwrap_or_default();
    for line in String::from_utf8_lossy(&listed).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        let is_gone = |pid| !std::path::Path::new("/proc").join(pid).exists();
        if owner.is_some_and(is_gone) {
            ip(&format!("netns delete {name}"));
        }
    }
}

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill(); // or it has ended
        let _ = self.0.wait();
    }
}

/// Tells what cannot be tested here.
fn skip() {
    let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
    assert!(
        !required,
        "ip(8) must be allowed to make network namespaces"
    );
    eprintln!("SKIPPED: two hosts, as ip(8) may not make network namespaces here");
}

/// Makes the certificate of the server whose data is in this folder.
fn make_certificate(folder: &Path) -> Fingerprint {
    let mut init = arauto(&["tls", "init", "--name", HERE, "--folder"]);
    finish(init.arg(folder.join("data/tls")), "").expect_success();
    let certificate = folder.join("data/tls/cert.pem");
    Fingerprint::of_file(&certificate).expect("it was just made")
}

#[test]
fn leitor_on_another_host_reads_over_tls_only() {
    let _watchdog = watchdog();
    let Some(hosts) = Hosts::new() else {
        skip();
        return;
    };
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data").display().to_string();
    let fingerprint = make_certificate(folder.path());

    let plain = [
        "serve",
        "--no-console",
        "--data",
        "none",
        "--listen",
        "tcp:192.0.2.1:7443",
    ];
    finish(&mut hosts.on(&hosts.here, arauto(&plain)), "").expect_failure(69, &["not loopback"]);

    let local = format!("unix:{}", folder.path().join("s.sock").display());
    let mut serve = arauto(&["serve", "--console", "--data", &data, "--listen", &local]);
    serve.args(["--listen", "tls:192.0.2.1:7443"]);
    let mut server = Running(spawn(&mut hosts.on(&hosts.here, serve)));
    wait_until("it listens", || folder.path().join("s.sock").exists());
    // TLS endpoints do not register users, so both register at the local endpoint first.
    for user in ["ana", "rui"] {
        let who = arauto(&["who", "--connect", &local, "--user", user]);
        finish(&mut hosts.on(&hosts.here, who), "").expect_success();
    }

    let pinned = fingerprint.to_string();
    let by_tls = |command: &str, user: &str| {
        let mut command = arauto(&[command, "--connect", "tls:192.0.2.1:7443"]);
        command.args(["--tls-fingerprint", &pinned, "--user", user]);
        command
    };
    let mut leitor = Running(spawn(&mut hosts.on(&hosts.there, by_tls("leitor", "ana"))));
    let heard = leitor.0.stdout.take().expect("it is a pipe");
    let mut heard = BufReader::new(heard)
        .lines()
        .map(|line| line.expect("it prints text"));
    let there = || {
        let who = arauto(&["who", "--connect", &local, "--user", "rui"]);
        finish(&mut hosts.on(&hosts.here, who), "")
            .expect_success()
            .contains("ana")
    };
    wait_until("the leitor is logged in", there);

    let mut escritor = by_tls("escritor", "rui");
    escritor.arg("bom dia");
    finish(&mut hosts.on(&hosts.here, escritor), "").expect_success();
    let found = heard.find(|line| line.contains("rui: bom dia"));
    assert!(found.is_some(), "the leitor's output ended");

    let stdin = server.0.stdin.as_mut().expect("it is a pipe");
    stdin.write_all(b"fim\n").expect("it reads");
    assert_eq!(server.0.wait().expect("it is a child").code(), Some(0));
}

#[test]
fn host_without_power_is_noticed_by_both_sides() {
    let _watchdog = watchdog();
    let Some(hosts) = Hosts::new() else {
        skip();
        return;
    };
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data").display().to_string();
    let fingerprint = make_certificate(folder.path()).to_string();
    let local = format!("unix:{}", folder.path().join("s.sock").display());
    let mut serve = arauto(&["serve", "--console", "--data", &data, "--listen", &local]);
    serve.args(["--listen", "tls:192.0.2.1:7443"]);
    serve.args(["--keepalive-idle", "1s", "--keepalive-interval", "1s"]);
    serve.args(["--keepalive-count", "2", "--tcp-user-timeout", "3s"]);
    let mut server = Running(spawn(&mut hosts.on(&hosts.here, serve)));
    wait_until("it listens", || folder.path().join("s.sock").exists());
    let is_there = |user: &str| {
        let who = arauto(&["who", "--connect", &local, "--user", "rui"]);
        let there = finish(&mut hosts.on(&hosts.here, who), "").expect_success();
        there.lines().any(|line| line == user)
    };
    // TLS endpoints do not register users, so both register at the local endpoint first.
    let register = arauto(&["who", "--connect", &local, "--user", "ana"]);
    finish(&mut hosts.on(&hosts.here, register), "").expect_success();
    assert!(!is_there("ana"));

    let mut leitor = arauto(&["leitor", "--connect", "tls:192.0.2.1:7443", "--user", "ana"]);
    leitor.args(["--tls-fingerprint", &fingerprint, "--server-timeout", "3s"]);
    let mut leitor = Running(spawn(&mut hosts.on(&hosts.there, leitor)));
    wait_until("the leitor is logged in", || is_there("ana"));
    let told = leitor.0.stderr.take().expect("it is a pipe");
    let mut told = BufReader::new(told).lines().map_while(Result::ok);

    // Neither side sends data, so only keepalive probes and pings detect it.
    hosts.cut();
    wait_until("the server has noticed", || !is_there("ana"));
    let said = told.next().expect("the leitor goes on");
    assert!(said.contains("connecting again"), "{said}");

    hosts.restore();
    wait_until("the leitor is logged in again", || is_there("ana"));
    let escritor = arauto(&["escritor", "--connect", &local, "--user", "rui", "bom dia"]);
    finish(&mut hosts.on(&hosts.here, escritor), "").expect_success();
    let heard = leitor.0.stdout.take().expect("it is a pipe");
    let mut heard = BufReader::new(heard).lines().map_while(Result::ok);
    assert!(heard.any(|line| line.ends_with("rui: bom dia")));

    // The data in flight is not acknowledged, so TCP_USER_TIMEOUT detects it.
    hosts.cut();
    let escritor = arauto(&["escritor", "--connect", &local, "--user", "rui", "alguém?"]);
    finish(&mut hosts.on(&hosts.here, escritor), "").expect_success();
    wait_until("the server has noticed again", || !is_there("ana"));
    let stdin = server.0.stdin.as_mut().expect("it is a pipe");
    stdin.write_all(b"fim\n").expect("it reads");
    // A session that is still listed would make it 3.
    assert_eq!(server.0.wait().expect("it is a child").code(), Some(0));
}
