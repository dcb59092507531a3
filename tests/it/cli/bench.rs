//! `arauto bench`: every measurement, small, on a server of its own and on one that runs.
//! The counts are exact, and the JSON has them. No test asserts a time.

use serde_json::Value;

use crate::support::{Served, arauto, finish, wait_until, watchdog};

/// Runs a measurement and returns its JSON. Arguments are divided at the spaces.
fn figures(arguments: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("figures.json");
    let (name, options) = arguments.split_once(' ').expect("it has a name");
    let mut command = arauto(&["bench", name, "--json"]);
    command.arg(&file).args(options.split(' '));
    finish(&mut command, "").expect_success();
    let text = std::fs::read_to_string(&file).expect("--json writes it");
    let json: Value = serde_json::from_str(&text).expect("it is json");
    assert_eq!(json["version"], 1);
    assert_eq!(json["work"], name);
    assert!(
        json["date"]
            .as_str()
            .is_some_and(|date| date.ends_with('Z'))
    );
    assert_eq!(json["machine"]["os"], std::env::consts::OS);
    json
}

/// Measures a server of the bench's own, which exits with 0.
fn own_server(arguments: &str) -> Value {
    let json = figures(arguments);
    assert_eq!(json["server"]["is_own"], true);
    assert_eq!(json["server"]["exit"], 0);
    json
}

/// Measures a server that runs, whose process the bench finds.
fn running_server(served: &Served, arguments: &str) -> Value {
    let endpoint = served.endpoint();
    let json = figures(&format!("{arguments} --endpoint {endpoint}"));
    assert_eq!(json["server"]["is_own"], false);
    assert_eq!(json["server"]["pid"], served.child.id());
    json
}

fn measure_all(run: impl Fn(&str) -> Value) {
    let json = run("fanout --sessions 3 --messages 40");
    assert_eq!(json["figures"]["deliveries"], 120);
    assert_eq!(json["figures"]["gaps"], 0);
    assert_eq!(json["parameters"]["size_bytes"], 128);

    let json = run("request --sessions 3 --messages 20");
    assert_eq!(json["figures"]["requests"], 60);
    assert_eq!(json["figures"]["latency"]["count"], 60);

    let json = run("login --sessions 9 --accounts 2");
    assert_eq!(json["figures"]["logins"], 9);
    assert_eq!(json["figures"]["login"]["count"], 9);

    let json = run("connections --sessions 5 --messages 30 --settle 0s");
    assert_eq!(json["figures"]["deliveries"], 150);
    assert_eq!(json["parameters"]["settle_seconds"], 0.0);
}

#[test]
fn bench_on_its_own_server_counts_exactly() {
    let _watchdog = watchdog();
    measure_all(own_server);
}

#[test]
fn bench_on_a_running_server_counts_exactly() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    measure_all(|arguments| running_server(&served, arguments));
    served.stop();
}

#[test]
fn bench_with_many_escritores_and_threads_loses_nothing() {
    let _watchdog = watchdog();
    let json = own_server(
        "fanout --sessions 5 --messages 103 --escritores 4 --threads 2 --single-writes --stalled 2 --size 3000",
    );
    assert_eq!(json["figures"]["deliveries"], 515);
    assert_eq!(json["figures"]["delivery_latency"], Value::Null);
    assert_eq!(json["parameters"]["stalled"], 2);
}

#[test]
fn fewer_messages_than_escritores_are_all_published() {
    let _watchdog = watchdog();
    let json = own_server("fanout --sessions 2 --messages 3 --escritores 5");
    assert_eq!(json["figures"]["deliveries"], 6);
}

#[test]
fn paced_fanout_times_every_delivery() {
    let _watchdog = watchdog();
    let json = own_server("fanout --sessions 2 --messages 50 --rate 1000 --escritores 2");
    assert_eq!(json["figures"]["delivery_latency"]["count"], 100);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let _watchdog = watchdog();
    let json = own_server("request --sessions 2 --messages 100 --in-flight 16 --threads 2");
    assert_eq!(json["figures"]["requests"], 200);
}

#[test]
fn login_storm_after_a_restart_admits_all() {
    let _watchdog = watchdog();
    let json = own_server("login --restart --sessions 12 --accounts 3 --while-asking 2");
    assert_eq!(json["figures"]["logins"], 12);
    assert!(json["figures"]["asking"]["count"].is_u64(), "{json}");
}

#[test]
fn bench_shutdown_is_received_by_all_to_the_end() {
    let _watchdog = watchdog();
    let arguments = "shutdown --sessions 4 --messages 25";
    let json = own_server(arguments);
    assert_eq!(json["figures"]["closings"], 4);
    assert_eq!(json["figures"]["deliveries"], 100);
    assert_eq!(json["figures"]["phases"].as_array().map(Vec::len), Some(9));

    let mut served = Served::new(&[]);
    let json = running_server(&served, arguments);
    assert_eq!(json["figures"]["closings"], 4);
    assert_eq!(json["figures"]["phases"], Value::Null);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

#[test]
#[cfg(target_os = "linux")]
fn bench_knows_the_servers_resources_on_linux() {
    let _watchdog = watchdog();
    let json = own_server("fanout --sessions 2 --messages 10 -- --arbiters 2");
    assert!(json["figures"]["server_cpu_seconds"].is_f64(), "{json}");
    assert!(
        json["server"]["peak_memory_bytes"].as_u64() > Some(1 << 20),
        "{json}"
    );
    assert_eq!(json["parameters"]["serve_arguments"][1], "2");
}

/// Finds the endpoint in the server's log, coloured or not.
fn tcp_endpoint(served: &Served) -> String {
    let mut log = String::new();
    wait_until("the log names the endpoint", || {
        log = served.log();
        log.contains("tcp:127.0.0.1:")
    });
    let (_, port) = log.split_once("tcp:127.0.0.1:").expect("it was waited for");
    let digits = port.chars().take_while(char::is_ascii_digit);
    format!("tcp:127.0.0.1:{}", digits.collect::<String>())
}

#[test]
fn bench_of_a_server_without_a_pid_has_unknown_figures() {
    let _watchdog = watchdog();
    let served = Served::new(&["--listen", "tcp:127.0.0.1:0"]);
    let endpoint = tcp_endpoint(&served);
    let mut command = arauto(&["bench", "request", "--sessions", "1", "--messages", "3"]);
    command.args(["--endpoint", &endpoint]);
    let done = finish(&mut command, "").expect_success();
    assert!(done.contains("unknown"), "{done}");
    served.stop();
}

#[test]
fn bench_refuses_impossible_options_with_a_reason() {
    let _watchdog = watchdog();
    for (arguments, code, naming) in [
        (&["bench"][..], 64, "fanout"),
        (&["bench", "fanout", "--sessions", "0"], 64, "1 at least"),
        (
            &["bench", "fanout", "--rate", "10", "--size", "8"],
            64,
            "--size 16",
        ),
        (
            &["bench", "fanout", "--sessions", "9999999999"],
            64,
            "at most",
        ),
        (
            &["bench", "fanout", "--json", "/no/such/folder/x"],
            73,
            "/no/such/folder",
        ),
        (
            &["bench", "login", "--restart", "--endpoint", "unix:/x"],
            64,
            "--restart",
        ),
        (
            &["bench", "request", "--endpoint", "unix:/no/such.sock"],
            69,
            "arauto serve",
        ),
        (&["bench", "request", "--", "--nada"], 70, "--nada"),
    ] {
        let done = finish(&mut arauto(arguments), "");
        done.expect_failure(code, &[naming]);
    }
}

#[test]
#[cfg(unix)] // others have no such limit
fn bench_beyond_the_descriptor_limit_is_refused_at_start() {
    let _watchdog = watchdog();
    let mut shell = std::process::Command::new("sh");
    let script = "ulimit -n 100 && exec \"$0\" bench fanout --sessions 100";
    let done = finish(shell.args(["-c", script, env!("CARGO_BIN_EXE_arauto")]), "");
    done.expect_failure(71, &["ulimit -n", "--sessions"]);
}

#[test]
#[cfg(target_os = "linux")] // only Linux ends a child with its parent
fn bench_server_ends_with_its_bench() {
    let _watchdog = watchdog();
    let mut command = arauto(&["bench", "fanout", "--rate", "1", "--messages", "1000"]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut bench = crate::support::spawn(command.env("TMPDIR", folder.path()));
    let socket = || {
        let entries = std::fs::read_dir(folder.path()).expect("it is ours");
        let sockets = entries
            .flatten()
            .map(|entry| entry.path().join("bench.sock"));
        sockets.into_iter().find(|socket| socket.exists())
    };
    let mut found = None;
    wait_until("its server listens", || {
        found = socket();
        found.is_some()
    });
    let socket = found.expect("it was waited for");
    bench.kill().expect("it runs");
    bench.wait().expect("it is a child");
    wait_until("its server is gone", || {
        std::os::unix::net::UnixStream::connect(&socket).is_err()
    });
}

#[test]
fn bench_runs_with_as_many_sessions_as_one_account_may_have() {
    let _watchdog = watchdog();
    for work in [
        "fanout --sessions 3 --messages 40",
        "connections --sessions 3 --messages 30 --settle 0s",
        "shutdown --sessions 3 --messages 40",
    ] {
        let json = own_server(&format!("{work} -- --max-sessions-per-user 3"));
        assert_eq!(json["parameters"]["sessions"], 3, "{work}");
    }
}
