//! What the system allows this process, and how long it is to live.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::exit::{Failure, sysexits};

/// Each session takes a descriptor, and the usual soft limit is 1024, for the sake
/// of programs that call select(2): up to the hard limit (getrlimit(2)). The limit
/// that holds then; `None`: there is none.
pub(super) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => {
            tracing::debug!(limit = ?raised.current, "descriptors");
            raised.current
        }
        Err(error) => {
            tracing::warn!(limit = ?limit.current, %error, "few descriptors");
            limit.current
        }
    }
}

/// Ends this process when its parent ends, however that ends (prctl(2),
/// PR_SET_PDEATHSIG). `parent` is who started it, as it may be gone already.
#[cfg(target_os = "linux")]
pub(super) fn die_with(parent: u32) -> Result<(), Failure> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    let told = set_parent_process_death_signal(Some(Signal::KILL));
    let alive = getppid().is_some_and(|now| now.as_raw_pid().unsigned_abs() == parent);
    match told {
        Ok(()) if alive => Ok(()),
        Ok(()) => Err(Failure::new(sysexits::TEMPFAIL, "the parent is gone")),
        Err(error) => Err(Failure::new(sysexits::OSERR, format!("prctl: {error}"))),
    }
}

/// Other systems have no such promise to give.
#[cfg(not(target_os = "linux"))]
pub(super) fn die_with(_parent: u32) -> Result<(), Failure> {
    Ok(())
}
