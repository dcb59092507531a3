//! `arauto offer` ends, loses its server, or loses its right.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use super::{Offer, in_work, offers, pedir};
use crate::support::{Served, finish, spawn, wait_until, watchdog};

/// Longer than the time within which two signals count as one.
const APART: Duration = Duration::from_millis(250);

/// A command that notes its process and one that it has started, and waits for the gate.
struct Gated {
    offer: Offer,
    gate: PathBuf,
    pids: PathBuf,
}

impl Gated {
    fn start(served: &Served) -> Gated {
        let folder = served.folder.path();
        let (gate, pids) = (folder.join("gate"), folder.join("pids"));
        let script = format!(
            "sleep 1000 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; \
             while test -d {folder} -a ! -e {gate}; do sleep 0.01; done; kill $!; cat",
            folder = folder.display(),
            pids = pids.display(),
            gate = gate.display()
        );
        let offer = Offer::start(served, &["s", "--exec", "sh", "-c", &script]);
        Gated { offer, gate, pids }
    }

    /// Starts a request, and waits until the command has it.
    fn ask(&self, served: &Served, arguments: &[&str]) -> Child {
        let mut command = served.command(&["pedir", "--service", "s"]);
        let child = spawn(command.args(arguments));
        wait_until("the command runs", || self.pids.exists());
        child
    }

    fn open(&self) {
        std::fs::write(&self.gate, "").expect("the folder is ours");
    }

    /// Waits until the command, and the process that it has started, have ended.
    fn wait_for_the_command(&self) {
        let pids = std::fs::read_to_string(&self.pids).expect("it is there");
        let pids: Vec<String> = pids.split_whitespace().map(str::to_owned).collect();
        assert_eq!(pids.len(), 2);
        for pid in pids {
            wait_until("it has ended", || has_ended(&pid));
        }
    }
}

/// Returns whether a process has ended; a zombie has.
fn has_ended(pid: &str) -> bool {
    let proc = Path::new("/proc");
    if !proc.join("self/stat").exists() {
        // A system without /proc has no zombies here: init waits for them.
        let mut kill = std::process::Command::new("kill");
        return !kill
            .args(["-0", pid])
            .status()
            .expect("it is there")
            .success();
    }
    let stat = std::fs::read_to_string(proc.join(pid).join("stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

#[test]
fn call_that_nobody_waits_for_kills_its_command_with_its_children() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let gated = Gated::start(&served);
    let late = gated.ask(&served, &["--timeout", "2", "olá"]);
    let late = late.wait_with_output().expect("it is a child");
    assert_eq!(late.status.code(), Some(75), "{late:?}");
    gated.wait_for_the_command();

    // The caller has gone.
    std::fs::remove_file(&gated.pids).expect("it is there");
    let mut child = gated.ask(&served, &["olá"]);
    child.kill().expect("it runs");
    child.wait().expect("it is a child");
    gated.wait_for_the_command();
    gated.offer.stop();
    served.stop();
}

#[test]
fn first_signal_answers_the_calls_in_work_and_takes_no_others() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut gated = Gated::start(&served);
    let child = gated.ask(&served, &["olá"]);
    gated.offer.send_stop();
    let is_withdrawn = || pedir(&served, &["--timeout", "1", "outra"], "").code == Some(69);
    wait_until("it takes no others", is_withdrawn);
    gated.open();
    let done = child.wait_with_output().expect("it is a child");
    assert_eq!(
        (done.status.code(), &*done.stdout),
        (Some(0), "olá\n".as_bytes())
    );
    assert_eq!(gated.offer.wait(), Some(0));
    served.stop();
}

#[test]
fn second_signal_kills_the_commands_and_exits_75() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut gated = Gated::start(&served);
    let child = gated.ask(&served, &["olá"]);
    // On a busy machine the first signals may be noticed together, and count as one.
    let mut sent = std::time::Instant::now();
    gated.offer.send_stop();
    wait_until("it has ended", || {
        if sent.elapsed() > APART {
            sent = std::time::Instant::now();
            gated.offer.send_stop();
        }
        let status = gated.offer.child.try_wait();
        status.expect("it is a child").is_some()
    });
    assert_eq!(gated.offer.wait(), Some(75));
    gated.wait_for_the_command();
    let done = child.wait_with_output().expect("it is a child");
    assert_eq!(done.status.code(), Some(69), "it is unavailable");
    served.stop();
}

#[test]
fn stop_of_the_server_waits_for_the_calls_in_work() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--no-console"]);
    let gated = Gated::start(&served);
    let child = gated.ask(&served, &["olá"]);
    served.send_stop(crate::support::Stop::USUAL);
    wait_until("the stop has begun", || served.log().contains("stop"));
    gated.open();
    let done = child.wait_with_output().expect("it is a child");
    assert_eq!(
        (done.status.code(), &*done.stdout),
        (Some(0), "olá\n".as_bytes())
    );
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

#[test]
fn offer_is_made_again_at_the_next_server() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--no-console"]);
    let offer = Offer::start(&served, &["s", "--exec", "cat"]);
    for round in 0..2 {
        if round == 0 {
            served.child.kill().expect("it runs");
        } else {
            served.send_stop(crate::support::Stop::USUAL);
        }
        served = Served::within(served.into_folder(), &["--no-console"]);
        wait_until("the service is offered", || !offers(&served).is_empty());
        assert_eq!(pedir(&served, &["olá"], "").expect_success(), "olá\n");
    }
    offer.stop();
    served.stop();
}

#[test]
fn offer_that_a_rule_no_longer_allows_exits_77() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut gated = Gated::start(&served);
    let child = gated.ask(&served, &["olá"]);
    assert_eq!(in_work(&served), 1);
    let deny = ["deny", "rui", "offer", "s"];
    finish(&mut served.users(&deny), "").expect_success();
    let is_withdrawn = || pedir(&served, &["--timeout", "1", "outra"], "").code == Some(69);
    wait_until("it takes no others", is_withdrawn);
    gated.open();
    let done = child.wait_with_output().expect("it is a child");
    assert_eq!(
        (done.status.code(), &*done.stdout),
        (Some(0), "olá\n".as_bytes())
    );
    assert_eq!(gated.offer.wait(), Some(77));
    let mut again = served.command(&["offer"]);
    again.env("ARAUTO_USER", "rui").args(["s", "--exec", "cat"]);
    finish(&mut again, "").expect_failure(77, &["(forbidden)"]);
    served.stop();
}
