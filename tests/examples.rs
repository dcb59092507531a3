//! Every file in examples/ runs here as a person runs it, against a real server.
#![cfg(unix)]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use arauto::{Body, Client, Endpoint, Event, Events, Evidence, Incoming, Report};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

const PASSWORD: &str = "segredo";

// The helpers

/// Nothing here takes longer than seconds; what hangs is a failure, and its processes
/// are killed on drop.
async fn within<T>(test: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, test)
        .await
        .expect("it is over in 60 s")
}

/// How to run a file of examples/. `None`, told on stderr: a tool is missing here.
async fn example(name: &str) -> Option<Command> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    let (stem, kind) = name
        .rsplit_once('.')
        .expect("an example's name has an extension");
    let mut command = match kind {
        "rs" => Command::new(built(stem)),
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
    command
        .env("ARAUTO_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Some(command)
}

/// Cargo builds the examples beside the tests, in `target/PROFILE/examples`.
fn built(stem: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the system knows what it runs");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("it is target/PROFILE/deps/TEST");
    let built = profile.join("examples").join(stem);
    let what_to_do = "is not there: run `cargo build --examples`, or `cargo test` without --test";
    assert!(built.exists(), "{} {what_to_do}", built.display());
    built
}

fn missing(name: &str, tool: &str) -> Option<Command> {
    let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{name} needs {tool}, and ARAUTO_REQUIRE_TOOLS is 1"
    );
    // Not eprintln, which the test runner hides where the test passes.
    let _ = writeln!(io::stderr(), "not run: {name} needs {tool}");
    None
}

/// Runs it to its end, with something on stdin.
async fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may end without reading all, or anything: that is no failure of itself.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    child
        .wait_with_output()
        .await
        .expect("it can be waited for")
}

async fn run_with(mut command: Command, args: &[&str]) -> Output {
    command.args(args);
    run(command, "").await
}

/// What it printed; it must have succeeded.
fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// What it complained of, as the exit code that it must have given says.
fn complaint(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr).expect("it complains in text")
}

fn interrupt(child: &Child) {
    let id = child.id().expect("it runs");
    let pid = Pid::from_raw(i32::try_from(id).expect("a pid is an i32"));
    kill_process(pid.expect("it is no 0"), Signal::INT).expect("it takes signals");
}

/// `arauto serve` on a cbor and on a text endpoint.
struct Served {
    child: Child,
    folder: TempDir,
}

impl Served {
    async fn start() -> Served {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let mut command = Command::new(env!("CARGO_BIN_EXE_arauto"));
        command.args(["serve", "--data", "none", "--no-console"]);
        for socket in ["cbor.sock", "text.sock?dialect=text"] {
            command.arg("--listen").arg(url(folder.path(), socket));
        }
        command.arg("--report").arg(folder.path().join("report"));
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("arauto starts");
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

    fn cbor(&self) -> String {
        url(self.folder.path(), "cbor.sock")
    }

    fn text(&self) -> String {
        url(self.folder.path(), "text.sock")
    }

    async fn witness(&self) -> Witness {
        let endpoint: Endpoint = self.cbor().parse().expect("it is an endpoint");
        let visitor = Client::connect(&endpoint)
            .await
            .expect("the server listens");
        let session = visitor
            .login("witness", PASSWORD)
            .await
            .expect("the name is free");
        let (client, events) = session;
        Witness { client, events }
    }

    /// Waits for the end that somebody has asked for.
    async fn report(mut self) -> Report {
        let status = self.child.wait().await.expect("it can be waited for");
        assert_eq!(status.code(), Some(0));
        let report = fs::read(self.folder.path().join("report")).expect("it is written");
        serde_json::from_slice(&report).expect("it is a report")
    }
}

fn url(folder: &Path, socket: &str) -> String {
    format!("unix:{}", folder.join(socket).display())
}

/// Another client, which hears what the examples do.
struct Witness {
    client: Client,
    events: Events,
}

impl Witness {
    /// Waits for a broadcast, written as `joined NAME`, `left NAME` or the message's text.
    async fn hear(&mut self, expected: &str) {
        loop {
            let incoming = self.events.next().await;
            let Some(Incoming::Event(event)) = incoming else {
                panic!("{expected} was to be heard, and not {incoming:?}");
            };
            let heard = match event {
                Event::Joined { user, .. } => format!("joined {user}"),
                Event::Left { user, .. } => format!("left {user}"),
                Event::Message { body, .. } => body.as_text().unwrap_or("(bytes)").to_owned(),
                other => panic!("{expected} was to be heard, and not {other:?}"),
            };
            if heard == expected {
                return;
            }
        }
    }

    /// Runs a client until the others have heard that it left: the next event's seq is
    /// then certain.
    async fn run(&mut self, user: &str, command: Command, input: &str) -> String {
        let output = printed(run(command, input).await);
        self.hear(&format!("left {user}")).await;
        output
    }

    async fn stop(&self) {
        let stopping = self.client.shutdown(false).await;
        stopping.expect("the same OS user may stop the server");
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

// leitor, escritor, pedir

#[tokio::test]
async fn leitor_prints_and_acknowledges_what_escritor_publishes() {
    let test = async {
        let server = Served::start().await;
        let endpoint = server.cbor();
        let mut witness = server.witness().await;
        let mut leitor = example("leitor.rs").await.expect("it needs no tools");
        let leitor = leitor.args([&endpoint, "leo"]).spawn().expect("it starts");
        witness.hear("joined leo").await;

        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        escritor.args([&endpoint, "eva", "bom dia", "a\n\u{1b}[31m\\"]);
        let output = witness.run("eva", escritor, "").await;
        assert_eq!(output, "published 4\npublished 5\n");

        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        escritor.args([&endpoint, "eva"]);
        let output = witness
            .run("eva", escritor, "uma linha\r\n\nfim\ntarde demais\n")
            .await;
        assert_eq!(output, "published 8\npublished 9\n");

        witness.stop().await;
        let output = leitor
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(complaints.contains("closed: shutdown"), "{complaints}");
        let expected = [
            "3 * eva joined",
            "4 eva: bom dia",
            r"5 eva: a\n\u{1b}[31m\\",
            "6 * eva left",
            "7 * eva joined",
            "8 eva: uma linha",
            "9 eva: ",
            "10 * eva left",
        ];
        assert_eq!(lines(&printed(output)), expected);
        assert_eq!(evidence(&server.report().await, "leo"), Evidence::Acked);
    };
    within(test).await;
}

fn evidence(report: &Report, user: &str) -> Evidence {
    let mut sessions = report.sessions.iter();
    let session = sessions.find(|session| session.user.as_deref() == Some(user));
    session
        .unwrap_or_else(|| panic!("{user} was there: {report:?}"))
        .evidence
}

#[tokio::test]
async fn leitor_ends_in_order_on_ctrl_c() {
    let test = async {
        let server = Served::start().await;
        let mut witness = server.witness().await;
        let mut leitor = example("leitor.rs").await.expect("it needs no tools");
        let mut leitor = leitor
            .args([&server.cbor(), "leo"])
            .spawn()
            .expect("it starts");
        witness.hear("joined leo").await;
        witness
            .client
            .publish("olá")
            .await
            .expect("the server runs");
        let stdout = leitor.stdout.take().expect("it is piped");
        let line = BufReader::new(stdout).lines().next_line().await;
        assert_eq!(line.expect("it is text").as_deref(), Some("3 witness: olá"));
        interrupt(&leitor);
        let status = leitor.wait().await.expect("it can be waited for");
        assert_eq!(status.code(), Some(0));
        witness.hear("left leo").await;
    };
    within(test).await;
}

#[tokio::test]
async fn escritor_hears_of_the_end_while_nobody_types() {
    let test = async {
        let server = Served::start().await;
        let mut witness = server.witness().await;
        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        let escritor = escritor.args([&server.cbor(), "eva"]).stdin(Stdio::piped());
        let mut escritor = escritor.spawn().expect("it starts");
        let typed = escritor.stdin.take(); // open, and silent
        witness.hear("joined eva").await;
        witness.stop().await;
        let output = escritor
            .wait_with_output()
            .await
            .expect("it can be waited for");
        drop(typed);
        assert_eq!(complaint(output, 1), "escritor: closed: shutdown\n");
    };
    within(test).await;
}

#[tokio::test]
async fn the_python_clients_and_the_rust_ones_understand_each_other() {
    let test = async {
        let (Some(mut leitor), Some(mut escritor), Some(mut from_stdin)) = (
            example("leitor.py").await,
            example("escritor.py").await,
            example("escritor.py").await,
        ) else {
            return;
        };
        let server = Served::start().await;
        let endpoint = server.cbor();
        let mut witness = server.witness().await;
        let leitor = leitor.args([&endpoint, "lia"]).spawn().expect("it starts");
        witness.hear("joined lia").await;
        let mut rust = example("leitor.rs").await.expect("it needs no tools");
        let rust = rust.args([&endpoint, "leo"]).spawn().expect("it starts");
        witness.hear("joined leo").await;

        escritor.args([&endpoint, "edu", "saudações", "a\n\u{1b}[31m\\"]);
        let output = witness.run("edu", escritor, "").await;
        assert_eq!(output, "published 5\npublished 6\n");
        from_stdin.args([&endpoint, "edu"]);
        let output = witness
            .run("edu", from_stdin, "uma linha\r\n\nfim\ntarde demais\n")
            .await;
        assert_eq!(output, "published 9\npublished 10\n");
        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        escritor.args([&endpoint, "eva", "de rust"]);
        witness.run("eva", escritor, "").await;
        let bytes = witness.client.publish(Body::bytes(&[0, 0xff])).await;
        bytes.expect("the server runs");

        witness.stop().await;
        let output = leitor
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let expected = [
            "3 * leo joined",
            "4 * edu joined",
            "5 edu: saudações",
            r"6 edu: a\n\u{1b}[31m\\",
            "7 * edu left",
            "8 * edu joined",
            "9 edu: uma linha",
            "10 edu: ",
            "11 * edu left",
            "12 * eva joined",
            "13 eva: de rust",
            "14 * eva left",
            r"15 witness: \x00\xff",
        ];
        let python = printed(output);
        assert_eq!(lines(&python), expected);
        let rust = rust.wait_with_output().await.expect("it can be waited for");
        assert_eq!(lines(&printed(rust)), expected[1..]);
        assert_eq!(evidence(&server.report().await, "lia"), Evidence::Acked);
    };
    within(test).await;
}

#[tokio::test]
async fn pedir_prints_the_replies_in_the_order_of_the_requests() {
    let test = async {
        let server = Served::start().await;
        let pedir = example("pedir.rs").await.expect("it needs no tools");
        let numbers: Vec<String> = (0..500).map(|n| format!("n{n}")).collect();
        let endpoint = server.cbor();
        let mut args = vec![endpoint.as_str(), "ana", "straße", "a\nb"];
        args.extend(numbers.iter().map(String::as_str));
        let replies = printed(run_with(pedir, &args).await);
        let mut expected = vec!["STRASSE".to_owned(), r"A\nB".to_owned()];
        expected.extend(numbers.iter().map(|number| number.to_uppercase()));
        assert_eq!(lines(&replies), expected);
    };
    within(test).await;
}

#[tokio::test]
async fn a_client_that_gets_nowhere_says_why() {
    let test = async {
        let server = Served::start().await;
        let _witness = server.witness().await; // whose name is now taken
        let (cbor, nowhere) = (server.cbor(), url(server.folder.path(), "nobody.sock"));
        let clients = [
            "leitor.rs",
            "escritor.rs",
            "pedir.rs",
            "leitor.py",
            "escritor.py",
        ];
        for name in clients {
            for (args, why) in [
                (vec![&*nowhere, "ana"], "No such file"),
                (vec!["nonsense", "ana"], "nonsense"),
                (vec![&*cbor, "a b"], "bad-name"),
                (vec![&*cbor, "witness"], "bad-credentials"),
                (vec![], "ENDPOINT USER"),
            ] {
                let Some(mut client) = example(name).await else {
                    break;
                };
                client.env("ARAUTO_PASSWORD", "another");
                let complaint = complaint(run_with(client, &args).await, 1);
                assert!(complaint.contains(why), "{name} {args:?}: {complaint}");
                assert!(
                    !complaint.contains("panicked"),
                    "{name} {args:?}: {complaint}"
                );
                assert!(
                    !complaint.contains("Traceback"),
                    "{name} {args:?}: {complaint}"
                );
            }
        }
    };
    within(test).await;
}

// text.sh

#[tokio::test]
async fn a_shell_script_speaks_the_text_dialect() {
    let test = async {
        let Some(script) = example("text.sh").await else {
            return;
        };
        let server = Served::start().await;
        let output = printed(run_with(script, &[&server.text(), "tia"]).await);
        let (told, unasked): (Vec<_>, Vec<_>) =
            output.lines().partition(|line| !line.starts_with('*'));
        let expected = [
            "+ arauto 1",
            "+ tia registered",
            "= BOM DIA",
            "+ present tia",
            "+ published 2",
            ". fim",
        ];
        assert_eq!(told, expected);
        // It may come before or after the answer to /publish.
        assert_eq!(unasked, ["* message 2 tia saudações de um shell script"]);
    };
    within(test).await;
}

#[tokio::test]
async fn the_shell_script_tells_an_error_by_its_exit_code() {
    let test = async {
        let (Some(mut wrong), Some(nowhere)) = (example("text.sh").await, example("text.sh").await)
        else {
            return;
        };
        let server = Served::start().await;
        let _witness = server.witness().await;
        wrong.env("ARAUTO_PASSWORD", "another");
        let output = run_with(wrong, &[&server.text(), "witness"]).await;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        complaint(output, 1);
        assert!(told.contains("\n- bad-credentials "), "{told}");
        let endpoint = url(server.folder.path(), "nobody.sock");
        let complaint = complaint(run_with(nowhere, &[&endpoint, "tia"]).await, 1);
        assert!(complaint.contains("text.sh: no line from"), "{complaint}");
    };
    within(test).await;
}

// embed

#[tokio::test]
async fn a_server_inside_another_program_answers_with_its_handler() {
    let test = async {
        let embed = example("embed.rs").await.expect("it needs no tools");
        let output = printed(run(embed, "").await);
        let expected = [
            "get café: unknown",
            "set café: done",
            "wait café: 3.50",
            "1 * ana joined",
            "2 * rui joined",
            "3 consola: the bakery closes",
            "4 * ana left",
            "exit 0, head 4",
        ];
        assert_eq!(lines(&output), expected);
    };
    within(test).await;
}

// mycopy

/// A folder with a file `from` of these bytes and this mode.
fn folder_with(bytes: &[u8], mode: u32) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::write(&from, bytes).expect("the folder is ours");
    fs::set_permissions(&from, fs::Permissions::from_mode(mode)).expect("the file is ours");
    (folder, from, to)
}

async fn mycopy(args: &[&Path]) -> Command {
    let mut command = example("mycopy.rs").await.expect("it needs no tools");
    command.args(args);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is a folder");
    let names = entries.map(|entry| entry.expect("it can be listed").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[tokio::test]
async fn mycopy_copies_the_bytes_and_the_mode() {
    let test = async {
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| (n % 251) as u8).collect();
        for (source, copy) in [
            (0o640, 0o640),
            (0o755, 0o755),
            (0o4755, 0o755),
            (0o400, 0o400),
        ] {
            let (folder, from, to) = folder_with(&bytes, source);
            let output = printed(run(mycopy(&[&from, &to]).await, "").await);
            assert_eq!(output, "");
            assert!(fs::read(&to).expect("it is there") == bytes);
            assert_eq!(mode(&to), copy);
            assert_eq!(names(folder.path()), ["from", "to"]);
        }
        let (_folder, from, to) = folder_with(b"", 0o600);
        printed(run(mycopy(&[&from, &to]).await, "").await);
        assert_eq!(fs::read(&to).expect("it is there"), b"");
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_replaces_a_file_only_with_force() {
    let test = async {
        let (folder, from, to) = folder_with(b"new", 0o640);
        fs::write(&to, b"old").expect("the folder is ours");
        let complaint = complaint(run(mycopy(&[&from, &to]).await, "").await, 73);
        assert!(
            complaint.contains("exists") && complaint.contains("--force"),
            "{complaint}"
        );
        assert_eq!(fs::read(&to).expect("it is there"), b"old");
        printed(run(mycopy(&[Path::new("--force"), &from, &to]).await, "").await);
        assert_eq!(fs::read(&to).expect("it is there"), b"new");
        assert_eq!(mode(&to), 0o640);
        assert_eq!(names(folder.path()), ["from", "to"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_refuses_what_it_cannot_copy() {
    let test = async {
        let (folder, from, to) = folder_with(b"x", 0o600);
        let (path, none) = (folder.path(), folder.path().join("none"));
        let beyond = none.join("to");
        let cases: [(&[&Path], i32); 8] = [
            (&[], 64),
            (&[&from], 64),
            (&[&from, &to, &to], 64),
            (&[Path::new("--what"), &from, &to], 64),
            (&[&none, &to], 66),
            (&[path, &to], 66),
            (&[&from, path], 73),
            (&[&from, &beyond], 73),
        ];
        for (args, code) in cases {
            let complaint = complaint(run(mycopy(args).await, "").await, code);
            assert!(complaint.starts_with("mycopy: "), "{complaint}");
        }
        let force = [Path::new("--force"), &from, &from];
        let complaint = complaint(run(mycopy(&force).await, "").await, 73);
        assert!(complaint.contains("the very file"), "{complaint}");
        assert_eq!(names(path), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_leaves_no_half_file_when_it_is_interrupted() {
    let test = async {
        let (folder, from, to) = folder_with(b"", 0o600);
        let sparse = fs::File::options()
            .write(true)
            .open(&from)
            .expect("it is ours");
        sparse.set_len(16 << 30).expect("holes take no room");
        let mut mycopy = mycopy(&[&from, &to]).await.spawn().expect("it starts");
        // Its temporary file shows that it is at work.
        while names(folder.path()).len() < 2 {
            let ended = mycopy.try_wait().expect("it can be waited for");
            assert_eq!(ended, None, "it did not wait for us");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        interrupt(&mycopy);
        let output = mycopy
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let complaint = complaint(output, 130);
        assert!(complaint.contains("interrupted"), "{complaint}");
        assert_eq!(names(folder.path()), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_leaves_no_half_file_when_the_disk_takes_no_more() {
    let test = async {
        let (folder, from, to) = folder_with(&vec![7; 3 << 20], 0o600);
        // A limit on the size of files stands for a full disk.
        let mut shell = Command::new("bash");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "bash"]);
        shell.arg(built("mycopy")).args([&from, &to]);
        shell
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let complaint = complaint(run(shell, "").await, 74);
        assert!(complaint.contains("was not copied"), "{complaint}");
        assert_eq!(names(folder.path()), ["from"]);
    };
    within(test).await;
}

#[tokio::test]
async fn mycopy_shows_its_progress_on_a_terminal_and_nowhere_else() {
    let test = async {
        let (folder, from, to) = folder_with(&vec![7; 3 << 20], 0o600);
        let output = run(mycopy(&[&from, &to]).await, "").await;
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );

        let (terminal, its_end) = terminal();
        let other = folder.path().join("other");
        let mut mycopy = mycopy(&[&from, &other]).await;
        let status = mycopy.stderr(its_end).status().await.expect("it starts");
        drop(mycopy); // and with it the last copy of the terminal's other end
        assert!(status.success());
        let mut drawn = Vec::new();
        // The end of a terminal that nobody holds any more is an error, on Linux.
        let _ = tokio::fs::File::from_std(terminal)
            .read_to_end(&mut drawn)
            .await;
        let drawn = String::from_utf8_lossy(&drawn);
        assert!(drawn.contains("3.00 MiB"), "{drawn:?}");
    };
    within(test).await;
}

/// A terminal as a program that draws one holds it, and the end that another program
/// is run in.
fn terminal() -> (fs::File, fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&terminal).expect("it is ours");
    unlockpt(&terminal).expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let name = name.to_str().expect("the name is ascii");
    let its_end = fs::File::options().read(true).write(true).open(name);
    (terminal.into(), its_end.expect("it is unlocked"))
}

// the folder

#[test]
fn every_example_is_run_by_a_test_and_named_in_the_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let readme = fs::read_to_string(folder.join("README.md")).expect("it has a README");
    let tests = include_str!("examples.rs");
    for name in names(&folder).iter().filter(|name| *name != "README.md") {
        let call = format!("example(\"{name}\").await");
        assert!(tests.contains(&call), "no test runs examples/{name}");
        assert!(
            readme.contains(name),
            "examples/README.md does not name {name}"
        );
        let file = folder.join(name);
        let text = fs::read_to_string(&file).expect("an example is a text");
        assert_eq!(
            text.starts_with("#!/"),
            mode(&file) & 0o111 != 0,
            "the mode of {name}"
        );
    }
}
