//! SIGKILL while the server stops: the next one starts, and has what was acknowledged.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arauto::HashCost;
use arauto::{Config, Phase, Retention, Server};

use super::durability::{Acknowledged, check};
use super::random::Random;
use crate::support::{
    FrameClient, PASSWORD, Served, Stop, block_on, login, os, text, wait_until, watchdog_for,
};

/// The variables that make this test's own binary a server that stands still when a
/// phase is over.
const FOLDER: &str = "ARAUTO_TEST_FOLDER";
const PHASE: &str = "ARAUTO_TEST_PHASE";

/// Kills of the real binary.
const KILLS: usize = 20;

/// The longest time in microseconds between the signal and the kill: about as long as a stop.
const LATEST: u64 = 20_000;

/// Registers, publishes and asks until the server is gone; what was acknowledged.
fn work(endpoint: &arauto::Endpoint, told: &Mutex<Acknowledged>, tag: &str) {
    for number in 0.. {
        let user = format!("{tag}-{number}");
        let Some(mut client) = registered(endpoint, told, &user) else {
            return;
        };
        for id in 0..5 {
            let said = format!("{user} says {id}");
            let frame = crate::support::publish(id, text(&said)).bytes();
            if client.try_send(&frame).is_err() {
                return;
            }
            let Some(seq) = published(&mut client) else {
                return;
            };
            let mut told = told.lock().expect("nobody panics with it");
            told.published.push((seq, said));
        }
    }
}

/// A client that is logged in for the first time.
fn registered(
    endpoint: &arauto::Endpoint,
    told: &Mutex<Acknowledged>,
    user: &str,
) -> Option<FrameClient> {
    let mut client = FrameClient::local(os::connect(endpoint).ok()?);
    client.try_send(&login(0, user, PASSWORD).bytes()).ok()?;
    loop {
        let frame = client.recv()?;
        if frame.is("logged_in") {
            assert!(frame.flag("registered"), "{user} is new");
            let mut told = told.lock().expect("nobody panics with it");
            told.users.push(user.to_owned());
            told.stream = frame.text("stream").to_owned();
            return Some(client);
        }
    }
}

/// The seq of what was published; `None`: it was refused, or the end came.
fn published(client: &mut FrameClient) -> Option<u64> {
    loop {
        let frame = client.recv()?;
        if frame.is("error") || frame.is("closing") {
            return None;
        }
        if frame.is("published") {
            return Some(frame.num("seq"));
        }
    }
}

/// Has clients at work until the server is killed, which `reach` brings to the place.
fn killed(child: &mut Child, folder: &Path, tag: &str, reach: impl FnOnce(u32)) -> Acknowledged {
    let endpoint = os::endpoint(folder, "s");
    let told = Mutex::new(Acknowledged::default());
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (endpoint, told, tag) = (&endpoint, &told, format!("{tag}{number}"));
            scope.spawn(move || work(endpoint, told, &tag));
        }
        wait_until("something is acknowledged", || {
            told.lock().expect("nobody panics with it").published.len() >= 6
        });
        reach(child.id());
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
    });
    told.into_inner().expect("nobody panicked")
}

/// A server in a process of its own that stands still when `phase` is over.
fn standing_still_after(phase: Phase, folder: &Path) -> Child {
    let (_, module) = module_path!().split_once("::").expect("it is in a crate");
    Command::new(std::env::current_exe().expect("the system knows what it runs"))
        .args(["--ignored", "--exact", "--nocapture"])
        .arg(format!("{module}::child_server_serves_until_killed"))
        .env(FOLDER, folder)
        .env(PHASE, phase.as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it has been run before")
}

#[test]
fn kill_in_any_phase_loses_nothing_acknowledged() {
    let _watchdog = watchdog_for(Duration::from_secs(180));
    for phase in Phase::ALL {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut child = standing_still_after(phase, folder.path());
        let mut stdin = child.stdin.take().expect("it is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut lines = stdout.lines().map(|line| line.expect("it prints utf-8"));
        let mut wait_for = |what: &str| assert!(lines.any(|line| line.contains(what)), "{what}");
        wait_for("serving");
        let told = killed(&mut child, folder.path(), phase.as_str(), |_| {
            stdin.write_all(b"fim\n").expect("it is read");
            wait_for(&format!("over: {phase}"));
        });
        check(folder, &told);
    }
}

#[test]
fn kill_at_random_in_a_stop_loses_nothing_acknowledged() {
    let _watchdog = watchdog_for(Duration::from_secs(180));
    let mut folder = tempfile::tempdir().expect("a folder can be made");
    let mut last_phases: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..KILLS {
        let mut random = Random::new();
        let arguments = ["--journal", "--no-console"];
        let mut served = Served::with_command(folder, &arguments, |mut command| {
            command.env("ARAUTO_LOG", "debug");
            command
        });
        let late = Duration::from_micros(random.below(LATEST));
        let path = served.folder.path().to_owned();
        let told = killed(&mut served.child, &path, &format!("k{number}-"), |pid| {
            os::send_stop(pid, Stop::USUAL);
            let began = Instant::now();
            while began.elapsed() < late {
                std::hint::spin_loop(); // nothing is waited for: the instant is random
            }
        });
        *last_phases.entry(last_phase(&served.log())).or_default() += 1;
        folder = check(served.into_folder(), &told);
    }
    println!("the last phase that was over before the kill: {last_phases:?}");
    let amid = KILLS - last_phases.get("store").copied().unwrap_or_default();
    assert!(amid > 0, "the kills fell into the stops: {last_phases:?}");
}

/// The last phase that its log says is over.
fn last_phase(log: &str) -> String {
    let last = log.rsplit_once("phase over phase=");
    let name = last.and_then(|(_, rest)| rest.split_whitespace().next());
    name.unwrap_or("none").to_owned()
}

#[test]
#[ignore = "tests run it as a server that they kill"]
fn child_server_serves_until_killed() {
    let (Some(folder), Ok(phase)) = (std::env::var_os(FOLDER), std::env::var(PHASE)) else {
        return;
    };
    let folder = Path::new(&folder);
    let mut config = Config::default();
    let endpoint = os::endpoint(folder, "s").to_string();
    config.listen = vec![endpoint.parse().expect("it is an endpoint")];
    config.storage.data = Some(folder.join("data"));
    config.storage.journal = Some(Retention::default());
    config.hash_cost = HashCost::LEAST;
    config.on_phase = Arc::new(move |line| {
        if line.phase.as_str() == phase {
            println!("over: {phase}");
            loop {
                std::thread::park();
            }
        }
    });
    let server = Server::start(config).expect("the server starts");
    let mut line = String::new();
    println!("serving");
    let _ = std::io::stdin().read_line(&mut line); // it is told to stop, or is killed
    block_on(server.stop()).expect("it is there");
    block_on(server.stopped());
}
