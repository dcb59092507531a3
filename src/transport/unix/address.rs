//! Where a unix endpoint's socket is.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::transport::Endpoint;

/// The name of a unix socket.
#[derive(Debug, Clone)]
pub(in crate::transport) enum UnixAddress {
    Path(PathBuf),
    Abstract(String),
    SeqPacket(PathBuf),
}

/// The socket of an endpoint. The folder of a `pipe:` is made where it is not there.
pub(in crate::transport) fn address(endpoint: &Endpoint) -> io::Result<UnixAddress> {
    match endpoint {
        Endpoint::Unix(path) => Ok(UnixAddress::Path(path.clone())),
        Endpoint::Abstract(name) => Ok(UnixAddress::Abstract(name.clone())),
        Endpoint::Pipe(name) => {
            let folder = pipe_folder();
            private_folder(&folder)?;
            Ok(UnixAddress::Path(folder.join(format!("{name}.sock"))))
        }
        Endpoint::SeqPacket(path) => Ok(UnixAddress::SeqPacket(path.clone())),
        Endpoint::RemotePipe { .. } => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a pipe of another host is reached from windows only",
        )),
        Endpoint::Tcp { .. } | Endpoint::Tls { .. } => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "tcp is not a unix socket",
        )),
    }
}

pub(super) fn abstract_name(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

fn pipe_folder() -> PathBuf {
    match env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) if !folder.is_empty() => Path::new(&folder).join("arauto"),
        _ if geteuid().is_root() => PathBuf::from("/run/arauto"),
        _ => PathBuf::from(format!("/tmp/arauto-{}", geteuid().as_raw())),
    }
}

/// In `/tmp` anybody can make the folder first: it must be ours and ours alone.
fn private_folder(folder: &Path) -> io::Result<()> {
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    if let Err(error) = made
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        let problem = format!("{}: {error}", folder.display());
        return Err(io::Error::new(error.kind(), problem));
    }
    let found = std::fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        let problem = format!(
            "{} is not a folder of your own: remove it, or set XDG_RUNTIME_DIR",
            folder.display()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    Ok(())
}
