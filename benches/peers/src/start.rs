//! How each server is started: its settings, and nothing else.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::engine::server_process::ServerProcess;
use crate::net::{self, Address};
use crate::peer::System;

/// How long to wait between two attempts to connect to a server that starts.
const RETRY: Duration = Duration::from_millis(10);

/// The programs that are not the first of their name in PATH.
#[derive(Debug)]
pub struct Programs {
    /// arauto.
    pub arauto: PathBuf,
    /// The current nats-server.
    pub nats: PathBuf,
}

/// A server that is up, in a folder of its own.
#[derive(Debug)]
pub struct Running {
    /// Which one it is.
    pub system: System,
    /// Where it listens.
    pub address: Address,
    /// Its process. Declared before the folder so that it is killed first.
    pub server: ServerProcess,
    _folder: TempDir,
}

/// Starts a system's server and waits until it takes connections.
pub fn start(system: System, programs: &Programs, cpu: Option<usize>) -> Result<Running> {
    let folder = tempfile::Builder::new().prefix("arauto-peers-").tempdir()?;
    let (words, address) = words_and_address(system, programs, folder.path())?;
    let mut command = command(&words, cpu);
    command.current_dir(folder.path());
    let mut server = ServerProcess::start(&mut command, &folder.path().join("output"))
        .with_context(|| format!("start {}", system.name()))?;
    while let Err(error) = net::connect(&address) {
        if let Some(failure) = server.start_failure() {
            bail!(
                "{}: {failure} ({error:#}):{}",
                system.name(),
                server.last_lines()
            );
        }
        std::thread::sleep(RETRY);
    }
    Ok(Running {
        system,
        address,
        server,
        _folder: folder,
    })
}

/// Returns the command that runs `words`, on one cpu only if that is said, as a process
/// that ends with this one, whatever ends this one.
fn command(words: &[String], cpu: Option<usize>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(cpu) = cpu {
        command.args(["taskset", "--cpu-list", &cpu.to_string()]);
    }
    command.args(words);
    command
}

fn words_and_address(
    system: System,
    programs: &Programs,
    folder: &Path,
) -> Result<(Vec<String>, Address)> {
    let socket = folder.join("socket");
    let path = socket.display().to_string();
    let unix = Address::Unix(socket);
    let arauto = &programs.arauto;
    Ok(match system {
        System::Arauto => (serve(arauto, &format!("unix:{path}?handler=echo")), unix),
        System::ArautoUpper => (serve(arauto, &format!("unix:{path}")), unix),
        System::Bare | System::BareFramed => (own("fan-out", &path)?, unix),
        System::EpollEcho => (own("epoll-echo", &path)?, unix),
        System::TokioEcho => (own("tokio-echo", &path)?, unix),
        System::Redis => (redis(&path, folder), unix),
        System::Nats => nats(&programs.nats)?,
        System::NatsDebian => nats(Path::new("nats-server"))?,
        System::Mosquitto => (mosquitto(&path, folder)?, unix),
    })
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn serve(arauto: &Path, listen: &str) -> Vec<String> {
    let arauto = arauto.display().to_string();
    let words = [
        &arauto,
        "serve",
        "--listen",
        listen,
        "--data",
        "none",
        "--no-console",
    ];
    owned(&words)
}

/// One of the bare loops: this very program.
fn own(server: &str, path: &str) -> Result<Vec<String>> {
    let program = std::env::current_exe()?.display().to_string();
    Ok(owned(&[&program, "bare", server, path]))
}

/// Nothing on disk, no tcp; and readers are not cut off for what waits for them,
/// as the default would do to healthy ones under saturation.
fn redis(path: &str, folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let words = [
        "redis-server",
        "--port",
        "0",
        "--unixsocket",
        path,
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        &folder,
        "--client-output-buffer-limit",
        "pubsub 0 0 0",
    ];
    owned(&words)
}

/// It has no unix sockets.
fn nats(program: &Path) -> Result<(Vec<String>, Address)> {
    let program = program.display().to_string();
    let port = free_port()?;
    let words = [&program, "-a", "127.0.0.1", "-p", &port.to_string()];
    Ok((owned(&words), Address::Tcp(([127, 0, 0, 1], port).into())))
}

/// Its queue for one client is without limit, as by default it throws away what
/// is more than 1,000 messages behind. As root it would become another user, who
/// may not write into the folder.
fn mosquitto(path: &str, folder: &Path) -> Result<Vec<String>> {
    let file: PathBuf = folder.join("mosquitto.conf");
    let settings = format!(
        "listener 0 {path}\nallow_anonymous true\nmax_queued_messages 0\nuser root\nlog_type error\n"
    );
    std::fs::write(&file, settings)?;
    Ok(owned(&["mosquitto", "-c", &file.display().to_string()]))
}

/// Returns a port that nobody uses now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
