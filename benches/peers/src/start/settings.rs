//! The settings of each server.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Result, bail};

use super::{Programs, Storage};
use crate::net::Address;
use crate::peer::System;
use crate::tls::Pair;

/// The values that the settings of one server are made from.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub(super) programs: &'a Programs,
    /// The server's own folder.
    pub(super) folder: &'a Path,
    pub(super) storage: Storage,
    /// Its data folder, for `storage`.
    pub(super) data: &'a Path,
    /// Its certificate, if clients use TCP with TLS.
    pub(super) tls: Option<&'a Pair>,
}

impl Settings<'_> {
    /// Returns the command that starts the server, and where it will listen.
    pub(super) fn words_and_address(&self, system: System) -> Result<(Vec<String>, Address)> {
        if let Some(pair) = self.tls {
            let address = free_address()?;
            return Ok((self.with_tls(system, pair, address)?, Address::Tcp(address)));
        }
        let socket = self.folder.join("socket");
        let path = socket.display().to_string();
        let unix = Address::Unix(socket);
        Ok(match system {
            System::Arauto | System::ArautoUnfiltered | System::ArautoNoTopic => {
                (self.arauto(&format!("unix:{path}?handler=echo")), unix)
            }
            System::ArautoUpper => (self.arauto(&format!("unix:{path}")), unix),
            System::Bare | System::BareFramed => (own("fan-out", &path)?, unix),
            System::EpollEcho => (own("epoll-echo", &path)?, unix),
            System::TokioEcho => (own("tokio-echo", &path)?, unix),
            System::Relay => (own("relay", &path)?, unix),
            System::Redis => (self.redis(&["--unixsocket", &path]), unix),
            System::Nats | System::NatsDebian => {
                let address = free_address()?;
                (self.nats(system, address)?, Address::Tcp(address))
            }
            System::Mosquitto => (self.mosquitto(&path)?, unix),
            System::Sqlite => bail!("{} has no server", system.name()),
        })
    }

    fn with_tls(&self, system: System, pair: &Pair, address: SocketAddr) -> Result<Vec<String>> {
        let certificate = pair.certificate.display().to_string();
        let key = pair.key.display().to_string();
        let port = address.port().to_string();
        let (mut words, more) = match system {
            System::Arauto => {
                let listen = format!("tls:{address}?handler=echo&registration=open");
                (
                    self.arauto(&listen),
                    vec!["--tls-cert", &certificate, "--tls-key", &key],
                )
            }
            System::Redis => {
                let listen = [
                    "--tls-port",
                    &port,
                    "--bind",
                    "127.0.0.1",
                    "--tls-auth-clients",
                    "no",
                ];
                let files = vec![
                    "--tls-cert-file",
                    &certificate,
                    "--tls-key-file",
                    &key,
                    "--tls-ca-cert-file",
                    &certificate,
                ];
                (self.redis(&listen), files)
            }
            System::Nats | System::NatsDebian => {
                let files = vec!["--tls", "--tlscert", &certificate, "--tlskey", &key];
                (self.nats(system, address)?, files)
            }
            _ => bail!("{} is not measured with TLS", system.name()),
        };
        words.extend(more.into_iter().map(str::to_owned));
        Ok(words)
    }

    fn arauto(&self, listen: &str) -> Vec<String> {
        let arauto = self.programs.arauto.display().to_string();
        let data = self.data.display().to_string();
        let mut words = owned(&[&arauto, "serve", "--listen", listen, "--no-console"]);
        words.extend(match self.storage {
            Storage::Nothing => owned(&["--data", "none"]),
            Storage::Folder => owned(&["--data", &data]),
            Storage::Messages => owned(&["--data", &data, "--journal"]),
        });
        words
    }

    /// Nothing on disk, no plain tcp; and readers are not cut off for what waits for them,
    /// as the default would do to healthy ones under saturation.
    fn redis(&self, listen: &[&str]) -> Vec<String> {
        let folder = self.folder.display().to_string();
        let mut words = owned(&["redis-server", "--port", "0", "--maxclients", "20000"]);
        words.extend(owned(listen));
        words.extend(owned(&[
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            &folder,
        ]));
        words.extend(owned(&["--client-output-buffer-limit", "pubsub 0 0 0"]));
        words
    }

    /// It has no unix sockets. With a stream on disk each publish is synced before it is
    /// answered; by default that happens every two minutes.
    fn nats(&self, system: System, address: SocketAddr) -> Result<Vec<String>> {
        let program = match system {
            System::NatsDebian => Path::new("nats-server"),
            _ => &self.programs.nats,
        };
        let (program, port) = (program.display().to_string(), address.port().to_string());
        let mut words = owned(&[&program, "-a", "127.0.0.1", "-p", &port]);
        if self.storage == Storage::Messages {
            let file = self.folder.join("nats.conf");
            let data = self.data.display();
            let settings =
                format!("jetstream {{ store_dir: \"{data}\", sync_interval: always }}\n");
            std::fs::write(&file, settings)?;
            words.extend(owned(&["-c", &file.display().to_string()]));
        }
        Ok(words)
    }

    /// Its queue for one client is without limit, as by default it throws away what
    /// is more than 1,000 messages behind. As root it would become another user, who
    /// may not write into the folder.
    fn mosquitto(&self, path: &str) -> Result<Vec<String>> {
        let file = self.folder.join("mosquitto.conf");
        let settings = format!(
            "listener 0 {path}\nallow_anonymous true\nmax_queued_messages 0\nuser root\nlog_type error\n"
        );
        std::fs::write(&file, settings)?;
        Ok(owned(&["mosquitto", "-c", &file.display().to_string()]))
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Returns the command of a bare loop: this very program.
fn own(server: &str, path: &str) -> Result<Vec<String>> {
    let program = std::env::current_exe()?.display().to_string();
    Ok(owned(&[&program, "bare", server, path]))
}

/// Returns an address of this machine that nobody uses now.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
