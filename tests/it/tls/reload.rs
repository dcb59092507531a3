//! SIGHUP reloads the certificate for new clients, and affects no session.

use std::fs;
use std::process::{Child, Stdio};

use arauto::{Client, Endpoint, Fingerprint, Trust};
use rustix::process::{Pid, Signal, kill_process};
use rustls::version::TLS13;
use tempfile::TempDir;

use crate::support::{
    CertificateFiles, FrameClient, HungDisk, Served, arauto, block_on, os, wait_until, watchdog,
};

/// `arauto serve` with a certificate that can be replaced.
struct Renewed {
    served: Served,
    papers: TempDir,
    now: CertificateFiles,
}

impl Renewed {
    fn new() -> Renewed {
        let papers = tempfile::tempdir().expect("a folder can be made");
        let now = CertificateFiles::of(papers.path(), &["127.0.0.1"]);
        let file = |path: &std::path::Path| path.display().to_string();
        let (certificate, key) = (file(&now.certificate), file(&now.key));
        let served = Served::new(&[
            "--listen",
            "tls:127.0.0.1:0?registration=open",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ]);
        Renewed {
            served,
            papers,
            now,
        }
    }

    /// Where it listens, as its log says.
    fn endpoint(&self) -> Endpoint {
        self.wait_for_log("endpoint=tls:");
        let log = self.served.log();
        let (_, said) = log.split_once("endpoint=tls:").expect("it says so");
        let said = said.split_whitespace().next().unwrap_or_default();
        format!("tls:{said}").parse().expect("it is an endpoint")
    }

    fn hang_up(&self) {
        send_sighup(&self.served.child);
    }

    fn is_shown(&self, fingerprint: Fingerprint) -> bool {
        let trust = Trust::pinned(fingerprint);
        block_on(Client::connect_with(&self.endpoint(), &trust)).is_ok()
    }

    fn wait_for_log(&self, line: &str) {
        wait_until(line, || self.served.log().contains(line));
    }
}

fn send_sighup(server: &Child) {
    let pid = i32::try_from(server.id()).expect("a process has an id");
    let pid = Pid::from_raw(pid).expect("a process has an id");
    kill_process(pid, Signal::HUP).expect("it is still there");
}

#[test]
fn sighup_serves_the_new_certificate_to_new_clients() {
    let _watchdog = watchdog();
    let mut renewed = Renewed::new();
    let mut ana = FrameClient::tls(&renewed.endpoint(), renewed.now.trusting(&TLS13));
    ana.expect("welcome");
    ana.log_in("ana");
    let old = renewed.now.fingerprint();
    assert!(renewed.is_shown(old));

    renewed.now = CertificateFiles::of(renewed.papers.path(), &["127.0.0.1"]);
    let new = renewed.now.fingerprint();
    assert_ne!(new, old);
    assert!(renewed.is_shown(old), "not before it is told");
    renewed.hang_up();
    renewed.wait_for_log(&format!("certificate reloaded fingerprint={new}"));
    assert!(renewed.is_shown(new));
    assert!(!renewed.is_shown(old));
    ana.request(1, "bom dia");
    assert_eq!(ana.skip_to("reply").text("body"), "BOM DIA");

    fs::write(&renewed.now.certificate, "broken").expect("the file is ours");
    renewed.hang_up();
    renewed.wait_for_log("settings not reloaded");
    let log = renewed.served.log();
    let said = log
        .lines()
        .find(|line| line.contains("settings not reloaded"));
    let said = said.expect("it was just there");
    assert!(
        said.contains("ERROR") && said.contains("there is no certificate in it"),
        "{said}"
    );
    assert!(renewed.is_shown(new));
    ana.ping();
    ana.fim();
    drop(ana);
    renewed.served.stop();
}

#[test]
fn sighup_without_tls_changes_nothing() {
    let _watchdog = watchdog();
    let served = Served::with_command(
        tempfile::tempdir().expect("a folder can be made"),
        &["--data", "none"],
        |mut command| {
            command.env("ARAUTO_LOG", "debug");
            command
        },
    );
    send_sighup(&served.child);
    wait_until("it says that there is nothing to do", || {
        served.log().contains("there are no tls endpoints")
    });
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    ana.fim();
    drop(ana);
    served.stop();
}

#[test]
#[cfg(target_os = "linux")] // it preloads a shared object
fn sighup_in_the_start_reloads_once_the_server_serves() {
    let _watchdog = watchdog();
    let disk = HungDisk::new();
    disk.hang();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = os::endpoint(folder.path(), "s");
    let log = fs::File::create(folder.path().join("log")).expect("the folder is ours");
    let mut command = arauto(&["serve", "--no-console"]);
    command.arg("--listen").arg(endpoint.to_string());
    command.arg("--data").arg(folder.path().join("data"));
    command.env("ARAUTO_LOG", "debug");
    let child = disk.under(command).stdin(Stdio::null()).stderr(log).spawn();
    let served = Served::starting(child.expect("the binary is built"), folder, endpoint);
    disk.wait_until_hung();
    send_sighup(&served.child);
    disk.release();
    wait_until("it has reloaded", || {
        served.log().contains("there are no tls endpoints")
    });
    served.stop();
}
