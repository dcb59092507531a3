//! Starts servers and connects to them.

mod settings;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use settings::Settings;
use tempfile::TempDir;

use crate::engine::server_process::ServerProcess;
use crate::net::{self, Address, Socket};
use crate::peer::{System, jetstream};
use crate::tls::{Connector, Pair};

/// How long to wait between two attempts to connect to a server that starts.
const RETRY: Duration = Duration::from_micros(200);

/// The programs that are not the first of their name in PATH.
#[derive(Debug)]
pub struct Programs {
    /// arauto.
    pub arauto: PathBuf,
    /// The current nats-server.
    pub nats: PathBuf,
}

/// The data that a server keeps on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Nothing.
    Nothing,
    /// A data folder, which is empty at first. Only arauto has one.
    Folder,
    /// All messages: arauto with `--journal`, nats-server with JetStream.
    Messages,
}

/// How a server is started, as far as rows differ in it.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The only processor that it may use.
    pub cpu: Option<usize>,
    /// Whether its clients use TCP with TLS.
    pub tls: bool,
    /// The data that it keeps on disk.
    pub storage: Storage,
    /// The folder in which its data folder is created.
    pub disk: &'a Path,
}

/// A server that is up, in a folder of its own.
#[derive(Debug)]
pub struct Running {
    /// Which one it is.
    pub system: System,
    /// Where it listens.
    address: Address,
    /// For a server with TLS.
    tls: Option<Connector>,
    /// Its process. Declared before the folder so that it is killed first.
    pub server: ServerProcess,
    /// When its process was started.
    pub begin: Instant,
    _folder: TempDir,
    _data: TempDir,
}

impl Running {
    /// Connects a client. Its reads and writes block.
    pub fn connect(&self) -> Result<Socket> {
        let socket = net::connect(&self.address)?;
        Ok(match &self.tls {
            None => Socket::Plain(socket),
            Some(connector) => {
                self.system.before_tls(&socket)?;
                Socket::Tls(Box::new(connector.connect(socket)?))
            }
        })
    }
}

/// Starts a system's server and waits until it takes connections.
pub fn start(system: System, setup: Setup<'_>, programs: &Programs) -> Result<Running> {
    let folder = tempfile::Builder::new().prefix("arauto-peers-").tempdir()?;
    let data = tempfile::Builder::new()
        .prefix("arauto-peers-")
        .tempdir_in(setup.disk)?;
    let pair = match setup.tls {
        true => Some(Pair::create(&programs.arauto, folder.path())?),
        false => None,
    };
    let settings = Settings {
        programs,
        folder: folder.path(),
        storage: setup.storage,
        data: data.path(),
        tls: pair.as_ref(),
    };
    let (words, address) = settings.words_and_address(system)?;
    let mut command = command(&words, setup.cpu);
    command.current_dir(folder.path());
    let begin = Instant::now();
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
    let running = Running {
        system,
        address,
        tls: pair.as_ref().map(Connector::trusting).transpose()?,
        server,
        begin,
        _folder: folder,
        _data: data,
    };
    if system == System::Nats && setup.storage == Storage::Messages {
        jetstream::create_stream(&mut running.connect()?)?;
    }
    Ok(running)
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
