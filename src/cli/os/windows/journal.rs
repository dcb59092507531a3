//! systemd's journal, which Windows does not have.

/// Returns `false`.
pub(in crate::cli) fn is_stderr_journal() -> bool {
    false
}
