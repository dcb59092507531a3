//! `--raw`: the commands without a protocol, for pipes that know nothing of arauto.

mod escritor;
mod leitor;
mod pedir;

pub(super) use escritor::run as escritor;
pub(super) use leitor::run as leitor;
pub(super) use pedir::run as pedir;

use arauto::wire::raw::{Direction, is_fim};
use arauto::wire::{Charset, Dialect, RawDialect};
use arauto::{ConfigError, Listen, Trust};

use super::connect::ConnectArgs;
use super::exit::{Failure, sysexits};

/// The longest line that is sent to a server of which nothing is known, in bytes.
const LONGEST_LINE: usize = 16 << 20;

#[derive(clap::Args)]
pub(super) struct RawArgs {
    /// Speak no protocol and log in nowhere: bare messages (or lines, where the
    /// endpoint has no messages), as programs do that know nothing of arauto.
    #[arg(long)]
    raw: bool,

    /// With --raw: utf-8, utf-16le or windows-1252 [default: utf-8].
    #[arg(long, value_name = "NAME", requires = "raw")]
    encoding: Option<Charset>,
}

impl RawArgs {
    /// The pipe that is meant, where `--raw` is given.
    pub(super) fn pipe(
        &self,
        connect: &ConnectArgs,
        direction: Direction,
    ) -> Result<Option<Pipe>, Failure> {
        if !self.raw {
            return Ok(None);
        }
        let wrong = |problem| Failure::new(sysexits::USAGE, problem);
        let listen = listen(connect.endpoint_text(), direction);
        let listen = listen.map_err(|error| wrong(error.to_string()))?;
        let Some(raw) = listen
            .dialect
            .raw()
            .filter(|raw| raw.direction == direction)
        else {
            let message = format!(
                "{}: its options are not those of the pipe that this command is an end of",
                connect.endpoint_text()
            );
            return Err(wrong(message));
        };
        let raw = RawDialect {
            charset: self.encoding.unwrap_or(raw.charset),
            ..raw
        };
        let dialect = Dialect::Raw(raw);
        Ok(Some(Pipe {
            charset: raw.charset,
            trust: connect.trust()?,
            listen: Listen { dialect, ..listen },
        }))
    }
}

/// A raw pipe, as the server that listens there has it.
pub(super) struct Pipe {
    listen: Listen,
    charset: Charset,
    trust: Trust,
}

/// The server's own spelling is taken, and what it need not say is added.
fn listen(text: &str, direction: Direction) -> Result<Listen, ConfigError> {
    let (endpoint, options) = text.split_once('?').unwrap_or((text, ""));
    let mut options: Vec<_> = options.split('&').filter(|o| !o.is_empty()).collect();
    for (name, option) in [
        ("dialect=", "dialect=raw"),
        ("direction=", direction_option(direction)),
    ] {
        if !options.iter().any(|given| given.starts_with(name)) {
            options.push(option);
        }
    }
    format!("{endpoint}?{}", options.join("&")).parse()
}

fn direction_option(direction: Direction) -> &'static str {
    match direction {
        Direction::Duplex => "direction=duplex",
        Direction::Outbound => "direction=outbound",
    }
}
