//! `--raw`: the commands without arauto's protocol, for pipes of other programs.

mod escritor;
mod leitor;
mod pedir;

pub(super) use escritor::run as escritor;
pub(super) use leitor::run as leitor;
pub(super) use pedir::run as pedir;

use arauto::wire::raw::{Direction, is_fim};
use arauto::wire::{Charset, Dialect, RawDialect};
use arauto::{Listen, ListenError, Trust};

use super::connect::ConnectArgs;
use super::exit::{Failure, sysexits};

/// The longest line that is sent to a server whose limit is unknown, in bytes.
const LONGEST_LINE: usize = 16 << 20;

#[derive(clap::Args)]
pub(super) struct RawArgs {
    /// Use no protocol and no login: send and receive bare messages, or lines where the
    /// endpoint carries a byte stream. For programs that do not know arauto's protocol.
    #[arg(long)]
    raw: bool,

    /// With --raw: the text encoding; utf-8, utf-16le or windows-1252 [default: utf-8].
    #[arg(long, value_name = "NAME", requires = "raw")]
    encoding: Option<Charset>,
}

impl RawArgs {
    /// Returns the pipe to use; `None` without `--raw`.
    ///
    /// # Errors
    /// The endpoint or its options do not fit a raw pipe in this direction.
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
        if listen.filter.is_some() {
            let endpoint = connect.endpoint_text();
            let message =
                format!("{endpoint}: filter is for the server's endpoint, and not for --raw");
            return Err(wrong(message));
        }
        let Some(raw) = listen
            .dialect
            .raw()
            .filter(|raw| raw.direction == direction)
        else {
            let message = format!(
                "{}: these options are not for --raw with this command; use {}",
                connect.endpoint_text(),
                direction_option(direction)
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

/// A raw pipe with the options that its server uses.
pub(super) struct Pipe {
    listen: Listen,
    charset: Charset,
    trust: Trust,
}

/// Parses an endpoint as `arauto serve --listen` does, and adds the options that --raw implies.
fn listen(text: &str, direction: Direction) -> Result<Listen, ListenError> {
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
