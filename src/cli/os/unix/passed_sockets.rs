//! Takes the sockets that the service manager passes (sd_listen_fds(3)).

use std::env;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use arauto::PassedSocket;

use crate::cli::exit::{Failure, sysexits};

/// The variable with the names of the descriptors, separated by colons.
const NAMES: &str = "LISTEN_FDNAMES";

/// The name of each descriptor where the variable is not set.
const NAMELESS: &str = "unknown";

/// Takes the sockets that were passed to this process, with their names, and removes the variables
/// `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` from the environment. The descriptors are closed
/// on exec. Call it once, before the server's threads start.
///
/// # Errors
/// The variables are wrong, or name descriptors that are not open.
#[expect(
    unsafe_code,
    reason = "no crate takes descriptors of the environment safely"
)]
pub(in crate::cli) fn passed_sockets() -> Result<Vec<PassedSocket>, Failure> {
    let names = env::var(NAMES).ok();
    // SAFETY: the process has two threads here, and the other one, which started this one, waits
    // for its end. So nothing else uses the environment.
    let descriptors = unsafe {
        env::remove_var(NAMES);
        sd_notify::listen_fds_and_unset_env()
    };
    let named = descriptors.and_then(|descriptors| with_names(descriptors.collect(), names));
    let socket = |(descriptor, name)| {
        // SAFETY: the descriptor was open when the program began, as sd-notify has found. It is
        // named in LISTEN_FDS, so nothing else of the process owns it, and it is taken once.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        PassedSocket::new(name, descriptor)
    };
    match named {
        Ok(named) => Ok(named.into_iter().map(socket).collect()),
        Err(error) => {
            let message = format!(
                "cannot take the sockets that were passed (LISTEN_PID, LISTEN_FDS, \
                 LISTEN_FDNAMES): {error}; start the server by its socket unit, or unset the \
                 variables"
            );
            Err(Failure::new(sysexits::CONFIG, message))
        }
    }
}

/// Returns each descriptor with its name. Without descriptors the names do not matter: they may be
/// for another process.
fn with_names(descriptors: Vec<RawFd>, names: Option<String>) -> io::Result<Vec<(RawFd, String)>> {
    if descriptors.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = match names {
        Some(names) => names.split(':').map(str::to_owned).collect(),
        None => vec![NAMELESS.to_owned(); descriptors.len()],
    };
    if names.len() != descriptors.len() {
        let problem = format!("{} names for {} sockets", names.len(), descriptors.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    Ok(descriptors.into_iter().zip(names).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_passed_descriptor_has_one_name() {
        let named = |count: RawFd, names: Option<&str>| {
            let named = with_names((3..3 + count).collect(), names.map(str::to_owned)).ok()?;
            Some(named.into_iter().map(|(_, name)| name).collect::<Vec<_>>())
        };
        let expected = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(named(2, Some("a:b")), expected(&["a", "b"]));
        assert_eq!(named(2, None), expected(&[NAMELESS, NAMELESS]));
        assert_eq!(named(0, Some("a:b")), expected(&[]));
        assert_eq!(named(0, Some("")), expected(&[]));
        assert_eq!(named(1, Some("a:b")), None);
    }
}
