//! The effective configuration as a config file, each setting with its origin.

use std::fmt::Write;

use arauto::Config;

use crate::cli::exit::Failure;
use crate::cli::settings::keys::{flags, key};
use crate::cli::settings::sources::Resolved;

/// Returns the text. `config` is `given` after the limits of sessions were fitted to the limit of
/// descriptors.
///
/// # Errors
/// A value has no form in TOML.
pub(super) fn text(
    resolved: &Resolved,
    given: &Config,
    config: &Config,
) -> Result<String, Failure> {
    let as_given = resolved.settings.values(given)?;
    let values = resolved.settings.values(config)?;
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("# The effective configuration of `arauto serve` {version}.\n\n");
    let mut section = None;
    let flags = flags();
    for flag in &flags {
        let key = key(flag);
        if flag.get_help_heading() != section {
            section = flag.get_help_heading();
            let title = section.unwrap_or_default();
            write!(text, "\n# {title}\n\n").expect("a String takes it");
        }
        let Some(Some(value)) = values.get(key) else {
            writeln!(text, "# {key} is not set").expect("a String takes it");
            continue;
        };
        let origin = resolved.origin(key);
        let note = match as_given.get(key) == values.get(key) {
            true => "",
            false => ", reduced to fit the limit of descriptors",
        };
        writeln!(text, "{key} = {value} # {origin}{note}").expect("a String takes it");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::cli::settings::Settings;
    use crate::cli::settings::keys::command;
    use crate::cli::settings::sources::Flags;

    fn resolved(arguments: &[&str]) -> Resolved {
        let matches = command().try_get_matches_from(arguments);
        let flags = Flags::from_arg_matches(&matches.expect("they are flags"));
        let flags = flags.expect("they are right");
        let resolved = flags.resolve_in(None, |_| None);
        resolved.expect("all sources are right")
    }

    fn printed(resolved: &Resolved, sessions: usize) -> String {
        let given = resolved.settings.config().expect("they go together");
        let mut config = given.clone();
        config.limits.max_sessions = sessions;
        resolved.settings.share_sessions(&mut config);
        text(resolved, &given, &config).expect("it is text")
    }

    #[test]
    fn printed_configuration_is_read_as_the_same() {
        for arguments in [
            &["--data=none"][..],
            &[
                "--listen=unix:/a b?max=2",
                "--listen=pipe:\"é\"",
                "--data=/x\ty\n",
            ],
            &[
                "--journal",
                "--retain-age=1h 1ns",
                "--cursor-hold=1",
                "--retain-bytes=3MB",
            ],
            &[
                "--tls-cert=c",
                "--tls-key=k",
                "--tls-client-ca=a",
                "--slow=disconnect",
            ],
            &["--log=json", "--default-role=leitor", "--report=/dev/null"],
            &[
                "--request-rate=7/h",
                "--idle-timeout=1500ms",
                "--max-frame=300001",
            ],
        ] {
            let given = resolved(arguments);
            let text = printed(&given, 700);
            let settings = Settings::parse(&text).unwrap_or_else(|error| panic!("{error}{text}"));
            let mut config = settings.config().expect("they go together");
            settings.share_sessions(&mut config);
            let again = settings.values(&config).expect("it is text");
            let mut expected = given.settings.config().expect("they go together");
            expected.limits.max_sessions = 700;
            given.settings.share_sessions(&mut expected);
            let expected = given.settings.values(&expected).expect("it is text");
            assert_eq!(again, expected, "{text}");
        }
    }

    #[test]
    fn each_line_has_its_origin() {
        let text = printed(&resolved(&["--max-frame=2KiB", "--max-sessions=900"]), 700);
        for line in [
            "max-frame = \"2KiB\" # flag\n",
            "max-sessions = 700 # flag, reduced to fit the limit of descriptors\n",
            "producers = 64 # default\n",
            "# tls-cert is not set\n",
            "\n# Timeouts\n",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
    }
}
