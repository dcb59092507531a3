//! Records for the event log of Windows: the severity and the text. It does no I/O.

use crate::cli::exit::{Failure, sysexits};

/// The most UTF-16 units of a record's text; ReportEvent takes 31,839.
const LONGEST_TEXT: usize = 31_000;

/// The severity of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Severity {
    /// Something failed.
    Error,
    /// Something may go wrong.
    Warning,
    /// The server started or stopped.
    Information,
}

/// Reads a record of the log, which begins with its priority as in sd-daemon(3). `None`: it is
/// neither an error nor a warning, and the event log does not get it.
pub(in crate::cli) fn parse(record: &[u8]) -> Option<(Severity, String)> {
    let (severity, text) = match record {
        [b'<', b'0'..=b'3', b'>', text @ ..] => (Severity::Error, text),
        [b'<', b'4', b'>', text @ ..] => (Severity::Warning, text),
        [b'<', b'5'..=b'7', b'>', ..] => return None,
        text => (Severity::Warning, text),
    };
    let text = String::from_utf8_lossy(text);
    Some((severity, text.trim().to_owned()))
}

/// Returns the record of a server's end, or of its refusal to start.
pub(in crate::cli) fn of_end(outcome: &Result<u8, Failure>) -> (Severity, String) {
    match outcome {
        Ok(0) => (Severity::Information, "the server has stopped".to_owned()),
        Ok(code) => {
            let text = format!("the server has stopped with exit code {code}; see its report");
            let is_panic = *code == sysexits::SOFTWARE;
            let severity = if is_panic {
                Severity::Error
            } else {
                Severity::Warning
            };
            (severity, text)
        }
        Err(failure) => {
            let (code, message) = (failure.code(), failure.message());
            let text = format!("the server has ended with exit code {code}: {message}");
            (Severity::Error, text)
        }
    }
}

/// Returns a text as UTF-16 with a NUL behind it. NULs within it are left out, and a text that is too
/// long is cut.
pub(in crate::cli) fn wide(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    for character in text.chars().filter(|character| *character != '\0') {
        if units.len() + character.len_utf16() > LONGEST_TEXT {
            break;
        }
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    units.push(0);
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_for_the_event_log_and_nothing_else() {
        let parsed = |record: &str| parse(record.as_bytes());
        let text = || "journal commit failed".to_owned();
        let error = parsed("<3> journal commit failed\n");
        assert_eq!(error, Some((Severity::Error, text())));
        let warning = parsed("<4>journal commit failed\n");
        assert_eq!(warning, Some((Severity::Warning, text())));
        assert_eq!(parsed("<6> session closed\n"), None);
        assert_eq!(parsed("<7> session closed\n"), None);
        let without = parsed("journal commit failed");
        assert_eq!(without, Some((Severity::Warning, text())));
        assert_eq!(parse(b""), Some((Severity::Warning, String::new())));
    }

    #[test]
    fn end_of_a_server_is_recorded_with_its_exit_code_and_cause() {
        let (severity, _) = of_end(&Ok(0));
        assert_eq!(severity, Severity::Information);
        let (severity, text) = of_end(&Ok(3));
        assert_eq!(severity, Severity::Warning);
        assert!(text.contains("exit code 3"), "{text}");
        assert_eq!(of_end(&Ok(70)).0, Severity::Error);
        let (severity, text) = of_end(&Err(Failure::new(78, "unknown key")));
        assert_eq!(severity, Severity::Error);
        assert!(text.contains("exit code 78: unknown key"), "{text}");
    }

    #[test]
    fn text_of_a_record_is_bounded_and_has_one_nul() {
        assert_eq!(wide("a\0b"), [97, 98, 0]);
        let long = wide(&"\u{1f426}".repeat(LONGEST_TEXT));
        assert_eq!(long.len(), LONGEST_TEXT + 1);
        assert_eq!(long.iter().filter(|unit| **unit == 0).count(), 1);
        assert!(String::from_utf16(&long).is_ok(), "no character is cut");
    }
}
