//! Whether stderr leads to systemd's journal.

use std::env;
use std::io::Write;

use rustix::fs::fstat;
use rustix::stdio::stderr;

/// Returns whether stderr is the journal: `$JOURNAL_STREAM` has the device and the inode of its
/// stream (systemd.exec(5)). They differ once stderr was redirected.
pub(in crate::cli) fn is_stderr_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(stderr()).is_ok_and(|found| names(&stream, found.st_dev, found.st_ino))
}

/// Returns `None`: there is no event log as Windows has it.
pub(in crate::cli) fn event_log_sink() -> Option<Box<dyn Write + Send>> {
    None
}

/// Returns whether the variable's text names this device and inode.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    let numbers = stream.split_once(':').and_then(|(device, inode)| {
        let numbers = (device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?);
        Some(numbers)
    });
    numbers == Some((device, inode))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn journal_stream_names_one_device_and_inode() {
        assert!(names("8:1234", 8, 1234));
        for other in [
            "8:1235", "9:1234", "8", "8:", ":1234", "8:1234:1", "", "x:y",
        ] {
            assert!(!names(other, 8, 1234), "{other}");
        }
    }
}
