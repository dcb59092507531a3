//! Runs examples, and servers for them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use arauto::{Client, Endpoint, Event, Events, Evidence, Incoming, Report};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

#[allow(dead_code, reason = "shared with tests/it, which needs all of it")]
#[path = "../it/support/os/mod.rs"]
mod os;

pub(crate) const PASSWORD: &str = "segredo";

/// Runs a test with a time limit. A test that hangs fails, and its processes are killed on drop.
pub(crate) async fn within<T>(test: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, test)
        .await
        .expect("it is over in 60 s")
}

/// Makes a command that runs a file of examples/. `None`: a tool is missing, which is printed.
pub(crate) async fn example(name: &str) -> Option<Command> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    let (stem, kind) = name
        .rsplit_once('.')
        .expect("an example's name has an extension");
    let mut command = match kind {
        // A main.rs in a folder is built under the folder's name.
        "rs" => Command::new(built(stem.strip_suffix("/main").unwrap_or(stem))),
        _ if cfg!(windows) => return None, // they use sockets only
        "py" => {
            let python = std::env::var_os("ARAUTO_PYTHON").unwrap_or_else(|| "python3".into());
            let check = "import cbor2, sys; sys.exit(sys.version_info < (3, 11))";
            let check = Command::new(&python).args(["-c", check]).output().await;
            if !check.is_ok_and(|check| check.status.success()) {
                return missing(
                    name,
                    "python3 (3.11) with cbor2; ARAUTO_PYTHON names another",
                );
            }
            let mut command = Command::new(python);
            command.arg(source);
            command
        }
        _ => {
            let check = Command::new("socat").arg("-V").output().await;
            if !check.is_ok_and(|check| check.status.success()) {
                return missing(name, "socat");
            }
            Command::new(source)
        }
    };
    os::can_get_stop_signals(command.as_std_mut());
    command
        .env("ARAUTO_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Some(command)
}

/// Returns the path of a built example: cargo builds them in `target/PROFILE/examples`.
pub(crate) fn built(stem: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the system knows what it runs");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("it is target/PROFILE/deps/TEST");
    let program = format!("{stem}{}", std::env::consts::EXE_SUFFIX);
    let built = profile.join("examples").join(program);
    let what_to_do = "is not there: run `cargo build --examples`, or `cargo test` without --test";
    assert!(built.exists(), "{} {what_to_do}", built.display());
    built
}

pub(crate) fn missing(name: &str, tool: &str) -> Option<Command> {
    let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{name} needs {tool}, and ARAUTO_REQUIRE_TOOLS is 1"
    );
    // Not eprintln, whose output the test runner hides if the test passes.
    let _ = writeln!(io::stderr(), "not run: {name} needs {tool}");
    None
}

/// Starts a command.
pub(crate) fn start(command: &mut Command) -> Child {
    os::start_process(|| command.spawn()).expect("it starts")
}

/// Runs a command to its end, with this input.
pub(crate) async fn run(mut command: Command, input: &str) -> Output {
    let mut child = start(command.stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may end without reading all input, which is not a failure.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    child
        .wait_with_output()
        .await
        .expect("it can be waited for")
}

pub(crate) async fn run_with(mut command: Command, args: &[&str]) -> Output {
    command.args(args);
    run(command, "").await
}

/// Asserts success, and returns stdout.
pub(crate) fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Asserts the exit code, and returns stderr.
pub(crate) fn complaint(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr).expect("it complains in text")
}

pub(crate) fn interrupt(child: &Child) {
    os::send_stop(child.id().expect("it runs"), os::Stop::Interrupt);
}

/// `arauto serve` with a cbor and a text endpoint.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) folder: TempDir,
}

impl Served {
    pub(crate) async fn start() -> Served {
        Served::start_with(&[]).await
    }

    /// As [`Served::start`], with further arguments.
    pub(crate) async fn start_with(arguments: &[&str]) -> Served {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        Served::start_within(folder, arguments).await
    }

    /// Starts a server in a folder, which may be that of an earlier one.
    pub(crate) async fn start_within(folder: TempDir, arguments: &[&str]) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arauto"));
        command.args(["serve", "--data", "none", "--no-console"]);
        command.args(arguments);
        for (name, options) in [("cbor", ""), ("text", "?dialect=text")] {
            let endpoint = url(folder.path(), name);
            command.arg("--listen").arg(format!("{endpoint}{options}"));
        }
        command.arg("--report").arg(folder.path().join("report"));
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = start(command.kill_on_drop(true));
        let stderr = child.stderr.take().expect("it is piped");
        let mut log = BufReader::new(stderr).lines();
        let mut listening = 0;
        while listening < 2 {
            let line = log.next_line().await.expect("the log is text");
            let line = line.expect("the server listens before it ends");
            listening += usize::from(line.contains(" listening "));
        }
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Served { child, folder }
    }

    pub(crate) fn cbor(&self) -> String {
        url(self.folder.path(), "cbor")
    }

    #[cfg(unix)]
    pub(crate) fn text(&self) -> String {
        url(self.folder.path(), "text")
    }

    pub(crate) async fn witness(&self) -> Witness {
        let endpoint: Endpoint = self.cbor().parse().expect("it is an endpoint");
        let handshake = Client::connect(&endpoint)
            .await
            .expect("the server listens");
        let session = handshake
            .login("witness", PASSWORD)
            .await
            .expect("the name is free");
        let (client, events) = session;
        Witness { client, events }
    }

    /// Waits for the end of a stop that has begun, and returns its report.
    pub(crate) async fn report(mut self) -> Report {
        let status = self.child.wait().await.expect("it can be waited for");
        assert_eq!(status.code(), Some(0));
        let report = fs::read(self.folder.path().join("report")).expect("it is written");
        serde_json::from_slice(&report).expect("it is a report")
    }
}

/// Returns a local endpoint in this folder.
pub(crate) fn url(folder: &Path, name: &str) -> String {
    os::endpoint(folder, name).to_string()
}

/// Another client, which observes the broadcasts of the examples.
pub(crate) struct Witness {
    pub(crate) client: Client,
    pub(crate) events: Events,
}

impl Witness {
    /// Waits for a broadcast, written as `joined NAME`, `left NAME` or the message's text.
    pub(crate) async fn hear(&mut self, expected: &str) {
        loop {
            let incoming = self.events.next().await;
            let Some(Incoming::Event(event)) = incoming else {
                panic!("expected {expected}, got {incoming:?}");
            };
            let heard = match event {
                Event::Joined { user, .. } => format!("joined {user}"),
                Event::Left { user, .. } => format!("left {user}"),
                Event::Message { body, .. } => body.as_text().unwrap_or("(bytes)").to_owned(),
                other => panic!("expected {expected}, got {other:?}"),
            };
            if heard == expected {
                return;
            }
        }
    }

    /// Runs a client until its `left` has arrived: the seq of the next event is certain then.
    pub(crate) async fn run(&mut self, user: &str, command: Command, input: &str) -> String {
        let output = printed(run(command, input).await);
        self.hear(&format!("left {user}")).await;
        output
    }

    pub(crate) async fn stop(&self) {
        let stopping = self.client.shutdown(false).await;
        stopping.expect("the same OS user may stop the server");
    }
}

pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Returns the evidence that the report has for the user's session.
pub(crate) fn evidence(report: &Report, user: &str) -> Evidence {
    let mut sessions = report.sessions.iter();
    let session = sessions.find(|session| session.user.as_deref() == Some(user));
    session
        .unwrap_or_else(|| panic!("{user} was there: {report:?}"))
        .evidence
}
