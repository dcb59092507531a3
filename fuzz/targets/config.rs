//! The settings file of `arauto serve`.
//!
//! - No text makes it panic, neither as it is read nor as it becomes a configuration.
//! - What does not fit is named: by its line, which is quoted, or by the setting.
//! - What flags say wins, and where they say nothing the file does.

#![no_main]

/// The parts of the command line that read settings.
#[allow(dead_code, reason = "the command line uses more of it")]
#[path = "../../src/cli/bounded.rs"]
mod bounded;
#[allow(dead_code, reason = "the command line uses more of it")]
#[path = "../../src/cli/deadline.rs"]
mod deadline;
#[allow(dead_code, reason = "the command line escapes more")]
#[path = "../../src/cli/escape.rs"]
mod escape;
#[allow(dead_code, reason = "the command line uses more of them")]
#[path = "../../src/cli/exit.rs"]
mod exit;
#[path = "../../src/cli/logs/format.rs"]
mod logs;
#[allow(dead_code, reason = "the command line reads files too")]
#[path = "../../src/cli/settings/mod.rs"]
mod settings;
#[path = "../../src/cli/tls/pair.rs"]
mod tls;

/// The system's answers, which are not judged here.
mod os {
    use std::path::PathBuf;

    /// Where the data is kept, unless settings say otherwise.
    pub(super) fn default_data_folder() -> PathBuf {
        PathBuf::from("/var/lib/arauto")
    }

    /// Whether stderr is the system's journal.
    pub(super) fn is_stderr_journal() -> bool {
        false
    }
}

use arauto::limits::Limit;
use arauto_fuzz::memory::peak;
use libfuzzer_sys::fuzz_target;
use settings::Settings;

/// The parts of settings, so that combinations that are invalid can be named.
const NAMES: [&str; 7] = [
    "endpoint", "slow", "retain", "journal", "time", "option", "tls-key",
];

fuzz_target!(|text: &str| {
    let (parsed, peak) = peak(|| Settings::parse(text));
    // toml keeps a tree, and of what is none each error with its place.
    assert!(
        peak <= 64 * 1024 + 4096 * text.len(),
        "{peak} bytes for {}",
        text.len()
    );
    match parsed {
        Ok(settings) => serves(settings),
        Err(error) => located(&error.to_string(), text),
    }
});

fn serves(settings: Settings) {
    let said = format!("{settings:?}");
    if let Err(failure) = settings.config() {
        let message = failure.message();
        let limits = Limit::all().map(|limit| limit.name());
        let mut names = NAMES.into_iter().chain(limits);
        assert!(names.any(|name| message.contains(name)), "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
    }
    // Flags that say nothing leave the file's word, and the other way round.
    let from_file = Settings::default().or(settings);
    assert_eq!(format!("{from_file:?}"), said);
    let from_flags = from_file.or(Settings::default());
    assert_eq!(format!("{from_flags:?}"), said);
}

/// An error of toml's begins with its place and quotes the line.
fn located(error: &str, text: &str) {
    let place = error.strip_prefix("TOML parse error at line ");
    let Some((number, _)) = place.and_then(|place| place.split_once(',')) else {
        assert!(!text.contains('\n') || !error.is_empty(), "{error}");
        return;
    };
    let number: usize = number.parse().expect("a line has a number");
    assert!((1..=text.split('\n').count()).contains(&number), "{error}");
}
