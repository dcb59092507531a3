//! Runs the real binary, as a shell does.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use arauto::{Endpoint, Report};
use tempfile::TempDir;

use super::os::{self, Readiness, Stop};
use super::{FrameClient, PASSWORD, wait_until};

/// The exit code and the output of a command that has ended.
#[derive(Debug)]
pub struct CommandResult {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl CommandResult {
    /// Asserts the exit code, and that stderr contains each of these texts.
    #[track_caller]
    pub fn expect_failure(&self, code: i32, naming: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for name in naming {
            assert!(self.err.contains(name), "{name:?} is not in {:?}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    /// Asserts the exit code 0, and returns stdout.
    #[track_caller]
    pub fn expect_success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }
}

/// Makes a command that runs `arauto` with these arguments, without the caller's settings.
pub fn arauto(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arauto"));
    for variable in ["RUST_LOG", "STATE_DIRECTORY", "NOTIFY_SOCKET"] {
        command.env_remove(variable);
    }
    let own = std::env::vars_os().map(|(name, _)| name);
    let is_setting = |name: &OsString| name.to_string_lossy().starts_with("ARAUTO_");
    for variable in own.filter(|name| is_setting(name) && name != "ARAUTO_LOG") {
        command.env_remove(variable);
    }
    command.env("ARAUTO_PASSWORD", PASSWORD).args(arguments);
    command
}

/// Starts a command with its three streams as pipes.
pub fn spawn(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    os::start_process(|| command.spawn()).expect("the binary is built")
}

/// Runs a command to its end, with this input.
pub fn finish(command: &mut Command, input: &str) -> CommandResult {
    let mut child = spawn(command);
    let mut stdin = child.stdin.take().expect("it is a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes()); // it may have ended
    });
    let output = child.wait_with_output().expect("it is a child");
    writer.join().expect("it does not panic");
    let text = |bytes| String::from_utf8(bytes).expect("it prints utf-8");
    CommandResult {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// `arauto serve` on a fresh endpoint; dropping it kills the server.
pub struct Served {
    pub child: Child,
    pub folder: TempDir,
    endpoint: Endpoint,
    told: Mutex<Option<Instant>>,
    /// Kept, as the server also notifies of its stop.
    readiness: Option<Readiness>,
}

/// Longer than the time within which two signals count as one.
const APART: Duration = Duration::from_millis(250);

impl Served {
    pub fn new(arguments: &[&str]) -> Served {
        Served::within(
            tempfile::tempdir().expect("a folder can be made"),
            arguments,
        )
    }

    /// Starts a server with the data of an earlier server in this folder.
    pub fn within(folder: TempDir, arguments: &[&str]) -> Served {
        Served::with_command(folder, arguments, |command| command)
    }

    /// As [`Served::within`], with a change to the command before it is started.
    pub fn with_command(
        folder: TempDir,
        arguments: &[&str],
        alter: impl FnOnce(Command) -> Command,
    ) -> Served {
        let endpoint = os::endpoint(folder.path(), "s");
        let mut command = arauto(&["serve"]);
        command.arg("--listen").arg(endpoint.to_string());
        if !arguments.contains(&"--data") {
            command.arg("--data").arg(folder.path().join("data"));
        }
        command
            .arg("--report")
            .arg(folder.path().join("report.json"));
        let log_path = folder.path().join("log");
        let log = std::fs::File::create(&log_path).expect("the folder is ours");
        command.args(arguments);
        let readiness = Readiness::new(&mut command);
        let mut command = alter(command);
        os::can_get_stop_signals(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        let child = os::start_process(|| command.spawn()).expect("the binary is built");
        let mut served = Served::starting(child, folder, endpoint);
        wait_until("the server is ready", || readiness.is_told(&log_path));
        served.readiness = Some(readiness);
        served
    }

    /// Wraps a server that may never listen.
    pub fn starting(child: Child, folder: TempDir, endpoint: Endpoint) -> Served {
        Served {
            child,
            folder,
            endpoint,
            told: Mutex::new(None),
            readiness: None,
        }
    }

    /// Wraps a server with one endpoint that has just been started, and waits until it listens.
    #[cfg(unix)] // it has the tests that start the command themselves
    pub fn once_listening(child: Child, folder: TempDir, endpoint: Endpoint) -> Served {
        let served = Served::starting(child, folder, endpoint);
        wait_until("the server listens", || {
            os::connect(&served.endpoint).is_ok()
        });
        served
    }

    /// Returns the endpoint of the server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Makes a client's command for this server.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = arauto(arguments);
        command.env("ARAUTO_ENDPOINT", self.endpoint.to_string());
        command.env("ARAUTO_USER", "ana");
        command
    }

    /// Makes a command of `arauto users` for the server's data folder.
    pub fn users(&self, arguments: &[&str]) -> Command {
        let mut command = arauto(&["users", "--data"]);
        command.arg(self.folder.path().join("data")).args(arguments);
        command
    }

    /// Reads the report of the server's stop.
    #[track_caller]
    pub fn report(&self) -> Report {
        let path = self.folder.path().join("report.json");
        let text = std::fs::read_to_string(path).expect("--report writes it");
        serde_json::from_str(&text).expect("the report is json, with the names of the design")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("it is there")
    }

    /// Connects a client and reads its welcome; it has not logged in.
    pub fn unauthenticated(&self) -> FrameClient {
        let mut client = self.connected();
        client.expect("welcome");
        client
    }

    /// Connects a client, without reading its welcome.
    pub fn connected(&self) -> FrameClient {
        FrameClient::local(os::connect(&self.endpoint).expect("the server listens"))
    }

    /// Sends the server a stop signal.
    pub fn send_stop(&self, stop: Stop) {
        os::send_stop(self.child.id(), stop);
        *self.told.lock().expect("no test panics here") = Some(Instant::now());
    }

    /// Sends another stop signal, late enough to count as a second one.
    pub fn send_another_stop(&self, stop: Stop) {
        let told = *self.told.lock().expect("no test panics here");
        let told = told.expect("it was told before");
        wait_until("a signal is another one", || told.elapsed() > APART);
        self.send_stop(stop);
    }

    /// Waits for the end of the server, and returns its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it is a child").code()
    }

    /// Waits for the end of the server, and returns its folder, for the next server.
    pub fn into_folder(mut self) -> TempDir {
        self.wait();
        let empty = tempfile::tempdir().expect("a folder can be made");
        std::mem::replace(&mut self.folder, empty)
    }

    /// Stops the server, and asserts exit 0.
    #[track_caller]
    pub fn stop(mut self) {
        self.send_stop(Stop::USUAL);
        assert_eq!(self.wait(), Some(0), "{}", self.log());
    }

    /// Reads the server's stdout to its end.
    pub fn printed(&mut self) -> String {
        let mut printed = String::new();
        let mut stdout = self.child.stdout.take().expect("it is a pipe");
        stdout
            .read_to_string(&mut printed)
            .expect("it prints utf-8");
        printed
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

/// Returns whether this process can mount a file system in a namespace. Prints if it cannot.
#[cfg(unix)]
pub fn can_mount() -> bool {
    let tried = Command::new("unshare").args(["-rm", "true"]).output();
    let can = tried.is_ok_and(|done| done.status.success());
    if !can {
        let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
        assert!(!required, "unshare(1) must be allowed to make namespaces");
        eprintln!("SKIPPED: a full disk, as unshare(1) may not make namespaces here");
    }
    can
}

/// Wraps a command so that a shell runs it after `preparation`, with these redirections.
#[cfg(unix)]
pub fn by_shell(preparation: &str, command: Command, redirections: &str) -> Command {
    let script = format!("{preparation}; exec \"$0\" \"$@\" {redirections}");
    run_by(&["sh", "-c", &script], command)
}

/// Wraps a command as the arguments of another command. The streams are not copied.
#[cfg(unix)]
pub fn run_by(outer: &[&str], command: Command) -> Command {
    let mut outside = Command::new(outer[0]);
    outside.args(&outer[1..]).arg(command.get_program());
    outside.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outside.env(name, value),
            None => outside.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        outside.current_dir(folder);
    }
    outside
}
