//! Endpoints, and their form as text.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::framing::Framing;

/// The address where a server listens and a client connects.
///
/// ```
/// let endpoint: arauto::Endpoint = "unix:/run/arauto.sock".parse()?;
/// assert_eq!(endpoint.to_string(), "unix:/run/arauto.sock");
/// # Ok::<_, arauto::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `pipe:NAME`: a named pipe, on unix a socket in the user's runtime folder.
    Pipe(String),
    /// `unix:PATH`: a stream socket in the file system.
    Unix(PathBuf),
    /// `unix:@NAME`: a stream socket in Linux's abstract namespace.
    Abstract(String),
    /// `seqpacket:PATH`: a socket in the file system that keeps the boundaries of
    /// messages (SOCK_SEQPACKET).
    SeqPacket(PathBuf),
    /// `pipe://HOST/NAME`: a named pipe of another host, for Windows clients.
    RemotePipe {
        /// The other host's name.
        host: String,
        /// The pipe's name there.
        name: String,
    },
    /// `tcp:HOST:PORT`, loopback only.
    Tcp {
        /// A name or an address.
        host: String,
        /// 0 lets the system choose.
        port: u16,
    },
    /// `tls:HOST:PORT`, anywhere.
    Tls {
        /// A name or an address.
        host: String,
        /// 0 lets the system choose.
        port: u16,
    },
    /// `systemd:NAME`: the listening sockets that systemd, or the program around the server, passes
    /// under this name. Only servers listen there; clients use the sockets' own addresses.
    Systemd(String),
}

/// The error of a text that is not an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("endpoint {endpoint:?}: {problem}")]
pub struct EndpointError {
    endpoint: String,
    problem: String,
}

const KINDS: &str = "it begins with pipe:, unix:, seqpacket:, tcp:, tls: or systemd:, as in \
                     pipe:arauto, unix:/run/x.sock, unix:@x, seqpacket:/run/x.sock, \
                     tcp:127.0.0.1:7000, tls:0.0.0.0:7443 or systemd:arauto";

impl Endpoint {
    /// Returns whether the endpoint carries a stream or messages. A Windows pipe can be of either
    /// type, and is of type `pipe`.
    pub fn framing(&self, pipe: Framing) -> Framing {
        match self {
            Endpoint::SeqPacket(_) => Framing::Messages,
            Endpoint::Pipe(_) | Endpoint::RemotePipe { .. } if cfg!(windows) => pipe,
            _ => Framing::Stream,
        }
    }

    /// Returns whether the system can accept clients of other hosts there too.
    pub fn may_have_remote_clients(&self) -> bool {
        cfg!(windows) && matches!(self, Endpoint::Pipe(_))
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|problem| EndpointError {
            endpoint: text.to_owned(),
            problem,
        })
    }
}

fn parse(text: &str) -> Result<Endpoint, String> {
    if text.contains('\0') {
        return Err("it holds a NUL".to_owned());
    }
    let (kind, rest) = text.split_once(':').ok_or(KINDS)?;
    match kind {
        "pipe" => pipe(rest),
        "unix" => unix(rest),
        "seqpacket" if rest.is_empty() => {
            Err("it names no file, as in seqpacket:/run/x.sock".to_owned())
        }
        "seqpacket" => Ok(Endpoint::SeqPacket(PathBuf::from(rest))),
        "tcp" => {
            let example = "it is tcp:HOST:PORT, as in tcp:127.0.0.1:7000 or tcp:[::1]:7000";
            let (host, port) = host_and_port(rest, example)?;
            Ok(Endpoint::Tcp { host, port })
        }
        "tls" => {
            let example = "it is tls:HOST:PORT, as in tls:0.0.0.0:7443 or tls:[::]:7443";
            let (host, port) = host_and_port(rest, example)?;
            Ok(Endpoint::Tls { host, port })
        }
        "systemd" => systemd(rest),
        _ => Err(format!("no kind {kind:?}: {KINDS}")),
    }
}

/// Reads a name as FileDescriptorName= takes it: printable ASCII without a colon, at most 255
/// bytes (systemd.socket(5), sd_pid_notify_with_fds(3)).
fn systemd(name: &str) -> Result<Endpoint, String> {
    let is_allowed = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && byte != b':');
    if name.is_empty() || name.len() > 255 || !name.bytes().all(is_allowed) {
        return Err(
            "the name of a socket's unit (FileDescriptorName=) has 1 to 255 printable ASCII \
             characters and no colon, as in systemd:arauto"
                .to_owned(),
        );
    }
    Ok(Endpoint::Systemd(name.to_owned()))
}

fn pipe(name: &str) -> Result<Endpoint, String> {
    if let Some(remote) = name.strip_prefix("//") {
        let (host, name) = remote.split_once('/').unwrap_or((remote, ""));
        if !is_plain(host) || !is_plain(name) {
            return Err("a pipe of another host is pipe://HOST/NAME".to_owned());
        }
        return Ok(Endpoint::RemotePipe {
            host: host.to_owned(),
            name: name.to_owned(),
        });
    }
    if !is_plain(name) {
        return Err("a pipe's name is not empty and has no slash, as in pipe:arauto".to_owned());
    }
    Ok(Endpoint::Pipe(name.to_owned()))
}

fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\'])
}

fn unix(rest: &str) -> Result<Endpoint, String> {
    match rest.strip_prefix('@') {
        _ if matches!(rest, "" | "@") => {
            Err("it names no file, as in unix:/run/x.sock or unix:@x".to_owned())
        }
        Some(name) => Ok(Endpoint::Abstract(name.to_owned())),
        None => Ok(Endpoint::Unix(PathBuf::from(rest))),
    }
}

fn host_and_port(rest: &str, example: &str) -> Result<(String, u16), String> {
    let (host, port) = rest.rsplit_once(':').ok_or(example)?;
    let port = port
        .parse()
        .map_err(|_| format!("no port {port:?}: {example}"))?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    // An address with colons is written in brackets, and nothing else is.
    let is_host = bare.is_some() == host.contains(':');
    let host = bare.unwrap_or(host);
    if !is_host || host.is_empty() || host.contains(['[', ']']) {
        return Err(example.to_owned());
    }
    Ok((host.to_owned(), port))
}

fn write_address(f: &mut fmt::Formatter<'_>, kind: &str, host: &str, port: u16) -> fmt::Result {
    match host.contains(':') {
        true => write!(f, "{kind}:[{host}]:{port}"),
        false => write!(f, "{kind}:{host}:{port}"),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Pipe(name) => write!(f, "pipe:{name}"),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
            Endpoint::Abstract(name) => write!(f, "unix:@{name}"),
            Endpoint::SeqPacket(path) => write!(f, "seqpacket:{}", path.display()),
            Endpoint::RemotePipe { host, name } => write!(f, "pipe://{host}/{name}"),
            Endpoint::Tcp { host, port } => write_address(f, "tcp", host, *port),
            Endpoint::Tls { host, port } => write_address(f, "tls", host, *port),
            Endpoint::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_as_text_parses_back_to_itself() {
        for text in [
            "pipe:arauto",
            "unix:/a/b c.sock",
            "unix:@x",
            "unix:x",
            "seqpacket:/a/b.sock",
            "pipe://servidor/teste",
            "tcp:[::1]:0",
            "tcp:localhost:7",
            "tls:0.0.0.0:7443",
            "tls:[::]:0",
            "systemd:arauto.socket",
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn invalid_endpoint_is_named_with_a_remedy() {
        for text in [
            "",
            "x",
            "pipe:",
            "pipe:a/b",
            "pipe:..",
            "pipe://h",
            "pipe:///n",
            "pipe://h/a/b",
            "unix:",
            "unix:@",
            "tcp:",
            "tcp:x",
            "tcp::1",
            "tcp:h:70000",
            "tcp:::1:7",
            "tcp:[]:7",
            "tcp:[h]:7",
            "tcp:[[::1]]:7",
            "tcp:h]:7",
            "udp:x",
            "unix:/a\0b",
            "tls:h",
            "tls::1",
            "seqpacket:",
            "systemd:",
            "systemd:a:b",
            "systemd:\u{1b}",
        ] {
            let error = text.parse::<Endpoint>().expect_err(text).to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
