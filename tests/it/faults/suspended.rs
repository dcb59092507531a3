//! The server's process is suspended and resumed, as on a suspended laptop or a paused virtual
//! machine: its timers are overdue, and what its clients sent meanwhile lies in the sockets.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{CertificateFiles, FrameClient, Served, wait_until, watchdog};

/// Each limit that passes while the server is stopped.
const LIMIT: Duration = Duration::from_secs(5);

const CLIENTS: usize = 5;

fn signal(served: &Served, signal: Signal) {
    let pid = i32::try_from(served.child.id())
        .ok()
        .and_then(Pid::from_raw);
    kill_process(pid.expect("a process has an id"), signal).expect("it is still there");
}

/// Stops the server, and returns once each of its threads has stopped.
fn suspend(served: &Served) {
    signal(served, Signal::STOP);
    let tasks = format!("/proc/{}/task", served.child.id());
    let is_stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // `PID (NAME) STATE …`, proc_pid_stat(5).
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('T'))
    };
    wait_until("every thread has stopped", || {
        let tasks = std::fs::read_dir(&tasks).expect("it runs");
        tasks.flatten().all(is_stopped)
    });
}

/// Resumes the server's process after its time limits have passed.
fn resume_overdue(served: &Served, suspended: Instant) {
    wait_until("the limits have passed", || suspended.elapsed() > LIMIT * 2);
    signal(served, Signal::CONT);
}

#[test]
fn suspended_server_reads_waiting_input_before_deadlines() {
    let _watchdog = watchdog();
    let served = Served::new(&[
        "--data",
        "none",
        "--idle-timeout",
        "5s",
        "--login-timeout",
        "5s",
    ]);
    let mut members: Vec<FrameClient> = Vec::new();
    for number in 0..CLIENTS {
        let mut member = served.unauthenticated();
        member.log_in(&format!("m{number}"));
        members.push(member);
        for member in &mut members {
            member.ping(); // a login takes a hash, and time
        }
    }
    let mut visitors: Vec<FrameClient> = (0..CLIENTS).map(|_| served.unauthenticated()).collect();
    for member in &mut members {
        member.ping();
    }

    suspend(&served);
    let suspended = Instant::now();
    for member in &mut members {
        member.ask("ping", 3);
    }
    for (number, unauthenticated_client) in visitors.iter_mut().enumerate() {
        let user = format!("v{number}");
        unauthenticated_client.send(&crate::support::login(0, &user, crate::support::PASSWORD));
    }
    resume_overdue(&served, suspended);

    for member in &mut members {
        member.skip_to("pong");
    }
    for unauthenticated_client in &mut visitors {
        unauthenticated_client.expect("logged_in");
    }
    for client in members.iter_mut().chain(&mut visitors) {
        client.fim();
    }
    served.stop();
}

#[test]
fn suspended_server_ends_clients_that_stay_silent() {
    let _watchdog = watchdog();
    let served = Served::new(&[
        "--data",
        "none",
        "--idle-timeout",
        "5s",
        "--login-timeout",
        "5s",
    ]);
    let mut member = served.unauthenticated();
    member.log_in("ana");
    let mut unauthenticated_client = served.unauthenticated();
    member.ping();
    suspend(&served);
    resume_overdue(&served, Instant::now());
    assert_eq!(member.skip_to("error").text("code"), "idle-timeout");
    member.expect_closing("idle-timeout");
    unauthenticated_client.expect_error("login-timeout");
    unauthenticated_client.expect_closing("login-timeout");
    served.stop();
}

#[test]
fn suspended_server_goes_on_with_a_tls_handshake() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let paper = CertificateFiles::of(folder.path(), &["127.0.0.1"]);
    let config = paper.trusting(&rustls::version::TLS13);
    let [certificate, key] =
        [&paper.certificate, &paper.key].map(|path| path.display().to_string());
    let served = Served::within(
        folder,
        &[
            "--data",
            "none",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
            "--listen",
            "tls:127.0.0.1:0",
            "--handshake-timeout",
            "5s",
            "--login-timeout",
            "5s",
        ],
    );
    let port = || {
        let log = served.log();
        let (_, line) = log.split_once("endpoint=tls:127.0.0.1:")?;
        line.split_once('\n')?.0.trim().parse::<u16>().ok()
    };
    wait_until("the log names the port", || port().is_some());
    let stream = TcpStream::connect(("127.0.0.1", port().expect("it was waited for")));
    let stream = stream.expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(50)))
        .expect("it is a socket");
    drop(served.unauthenticated()); // meanwhile the stream is accepted

    suspend(&served);
    let suspended = Instant::now();
    let shaken = std::thread::spawn(move || {
        let mut client = FrameClient::tls_on(stream, config);
        client.expect("welcome");
        client.ping();
    });
    resume_overdue(&served, suspended);
    shaken.join().expect("the handshake is made");
    served.stop();
}
