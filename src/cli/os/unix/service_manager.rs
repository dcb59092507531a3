//! Notifies the service manager (sd_notify(3)).

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sendto, socket_with,
};
use sd_notify::NotifyState;

use crate::cli::escape::one_line;
use crate::cli::os::service_notice::ServiceNotice;

/// How long a service manager that reads nothing may delay one notice.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// Returns whether a service manager wants to be notified.
pub(in crate::cli) fn has_service_manager() -> bool {
    address().is_some()
}

/// Returns the time within which the watchdog must be fed (sd_watchdog_enabled(3)); `None`: there is
/// none. The notices of a time below 1 ms would be all that the process does: there is none either.
pub(in crate::cli) fn watchdog_limit() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|limit| *limit >= Duration::from_millis(1))
}

/// Notifies the service manager, if there is one. Takes 1 s at most. A notice that cannot be sent
/// is logged; a status is not, as the next one follows soon.
pub(in crate::cli) fn notify(notice: &ServiceNotice) {
    let Some(address) = address() else { return };
    let sent = text_of(notice).and_then(|text| send(&address, text.as_bytes()));
    match (sent, notice) {
        (Ok(()), _) => {}
        (Err(error), ServiceNotice::Status(_)) => {
            tracing::debug!(%error, "service manager not notified of the status");
        }
        (Err(error), _) => tracing::warn!(%error, ?notice, "service manager not notified"),
    }
}

fn address() -> Option<OsString> {
    env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty())
}

/// Returns the text of a notice: one `NAME=value` on each line.
fn text_of(notice: &ServiceNotice) -> io::Result<String> {
    let extend = |left: &Duration| {
        let micros = u32::try_from(left.as_micros()).unwrap_or(u32::MAX);
        NotifyState::ExtendTimeoutUsec(micros)
    };
    Ok(match notice {
        ServiceNotice::Ready => lines(&[NotifyState::Ready]),
        ServiceNotice::Alive => lines(&[NotifyState::Watchdog]),
        ServiceNotice::Status(status) => lines(&[NotifyState::Status(&one_line(status))]),
        ServiceNotice::Reloading => {
            lines(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])
        }
        ServiceNotice::Stopping(left) => lines(&[
            NotifyState::Stopping,
            NotifyState::Status("stopping"),
            extend(left),
        ]),
        ServiceNotice::StillStopping(part, left) => {
            let status = format!("stopping: {}", one_line(part));
            lines(&[NotifyState::Status(&status), extend(left)])
        }
        ServiceNotice::Failed(code, message) => {
            let code = format!("EXIT_STATUS={code}");
            lines(&[
                NotifyState::Status(&one_line(message)),
                NotifyState::Custom(&code),
            ])
        }
    })
}

fn lines(states: &[NotifyState<'_>]) -> String {
    states.iter().map(|state| format!("{state}\n")).collect()
}

/// Sends one datagram to a path, or to an abstract name, which begins with `@`.
fn send(address: &OsString, text: &[u8]) -> io::Result<()> {
    let to = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new(address)?,
    };
    let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC);
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(SEND_LIMIT))?;
    sendto(&socket, text, SendFlags::NOSIGNAL, &to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(notice: ServiceNotice) -> String {
        text_of(&notice).expect("the clock works")
    }

    #[test]
    fn notices_have_the_lines_of_sd_notify() {
        assert_eq!(text(ServiceNotice::Ready), "READY=1\n");
        let stopping = text(ServiceNotice::Stopping(Duration::from_millis(1500)));
        assert_eq!(
            stopping,
            "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=1500000\n"
        );
        let reloading = text(ServiceNotice::Reloading);
        let now = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        assert!(
            now.is_some_and(|now| now.trim_end().parse::<u64>().is_ok()),
            "{reloading}"
        );
    }

    #[test]
    fn message_of_a_failure_cannot_add_lines() {
        let failed = text(ServiceNotice::Failed(78, "a\nREADY=1\n".to_owned()));
        assert_eq!(failed, "STATUS=a\\u{a}READY=1\\u{a}\nEXIT_STATUS=78\n");
    }
}
