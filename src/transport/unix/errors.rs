//! Classifies errors of unix that std has no kind for.

use std::io;

use rustix::io::Errno;

/// Returns whether this process or the system has no descriptor or buffer left.
pub(in crate::transport) fn is_out_of_resources(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let resources = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    errno.is_some_and(|errno| resources.contains(&errno))
}

/// Returns whether a name that could not be looked up may be found later: EAI_AGAIN, or an error of the
/// system itself, EAI_SYSTEM. std keeps the text of getaddrinfo(3)'s error and not its number.
pub(in crate::transport) fn is_lookup_transient(error: &io::Error) -> bool {
    error.raw_os_error().is_some() || error.to_string().ends_with(&lookup_error(libc::EAI_AGAIN))
}

#[expect(unsafe_code, reason = "no crate offers gai_strerror")]
fn lookup_error(code: libc::c_int) -> String {
    // SAFETY: for every code it returns a string that ends in NUL and that nobody frees.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::gai_strerror(code)) };
    text.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As std words it (`cvt_gai` in library/std/src/sys/pal/unix).
    fn error_of_std(code: libc::c_int) -> io::Error {
        let text = lookup_error(code);
        io::Error::other(format!("failed to lookup address information: {text}"))
    }

    #[test]
    fn only_eai_again_is_temporary() {
        assert!(is_lookup_transient(&error_of_std(libc::EAI_AGAIN)));
        for code in [libc::EAI_NONAME, libc::EAI_FAIL, libc::EAI_FAMILY] {
            assert!(!is_lookup_transient(&error_of_std(code)), "{code}");
        }
    }

    #[test]
    fn std_reports_a_failed_lookup_with_gai_strerror_text() {
        use std::net::ToSocketAddrs;

        let error = ("no such host", 1).to_socket_addrs();
        let error = error.expect_err("a space is in no host's name").to_string();
        assert!(
            error.starts_with("failed to lookup address information: "),
            "{error}"
        );
    }
}
