//! Settings from the environment: the variable of `max-frame` is `ARAUTO_MAX_FRAME`.
//!
//! A variable is read as its flag is, by the same parser. One that is empty counts as not set. A
//! variable that belongs to no setting is left alone, as other programs use the prefix too.

use std::error::Error;
use std::ffi::{OsStr, OsString};

use arauto::limits::Limit;
use arauto::{Config, Listen};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, FromArgMatches};

use super::super::exit::{Failure, sysexits};
use super::Settings;
use super::keys::{command, flags, key, kind};

/// The variable that names the config file.
pub(crate) const CONFIG_FILE: &str = "ARAUTO_CONFIG";

/// Returns the variable of a key.
pub(crate) fn variable(key: &str) -> String {
    match key {
        // ARAUTO_LOG is the filter of the log, in every command.
        "log" => "ARAUTO_LOG_FORM".to_owned(),
        _ => format!("ARAUTO_{}", key.replace('-', "_").to_ascii_uppercase()),
    }
}

/// Returns every variable that gives a setting, and the one that names the config file.
#[cfg_attr(
    not(any(unix, test)),
    expect(dead_code, reason = "only the bench needs them")
)]
pub(crate) fn variables() -> Vec<String> {
    let settings = flags().into_iter().map(|flag| variable(key(&flag)));
    settings.chain([CONFIG_FILE.to_owned()]).collect()
}

/// Reads the variables of all settings. Returns the settings, and the keys that are set.
///
/// # Errors
/// The value of a variable is wrong: the failure names the variable.
pub(super) fn read(
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<(Settings, Vec<String>), Failure> {
    let mut settings = Settings::default();
    let mut keys = Vec::new();
    for flag in flags() {
        let variable = variable(key(&flag));
        let Some(text) = lookup(&variable) else {
            continue;
        };
        let given = parse(&flag, &text).map_err(|problem| {
            let message = format!("the variable {variable} is {text:?}: {problem}");
            Failure::new(sysexits::CONFIG, message)
        })?;
        if let Some(given) = given {
            settings = settings.or(given);
            keys.push(key(&flag).to_owned());
        }
    }
    Ok((settings, keys))
}

/// Parses the text of a variable. `None`: it is empty.
fn parse(flag: &Arg, text: &OsStr) -> Result<Option<Settings>, String> {
    let arguments = arguments(flag, text)?;
    if arguments.is_empty() {
        return Ok(None);
    }
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Settings::from_arg_matches(&matches));
    let settings = parsed.map_err(|error| problem(flag, &error))?;
    // Checked here too, so that the error names the variable.
    let in_range = settings.limits.set(&mut Config::default());
    in_range.map_err(|error| error.to_string())?;
    for endpoint in &settings.listen {
        let parsed = endpoint.parse::<Listen>();
        parsed.map_err(|error| error.to_string())?;
    }
    Ok(Some(settings))
}

/// Returns the flags that say the same as the variable: several where it is a list.
fn arguments(flag: &Arg, text: &OsStr) -> Result<Vec<OsString>, String> {
    let argument = |value: &OsStr| {
        let mut argument = OsString::from(format!("--{}=", key(flag)));
        argument.push(value);
        argument
    };
    if !matches!(flag.get_action(), ArgAction::Append) {
        return Ok(Some(text)
            .filter(|text| !text.is_empty())
            .map(argument)
            .into_iter()
            .collect());
    }
    let list = text.to_str().ok_or("it is not UTF-8")?;
    let values = list.split_whitespace();
    Ok(values.map(|value| argument(value.as_ref())).collect())
}

/// Returns which values are allowed, or why this one is wrong.
fn problem(flag: &Arg, error: &clap::Error) -> String {
    match (allowed(flag, error), error.source()) {
        (Some(allowed), _) => format!("it must be {allowed}"),
        (None, Some(reason)) => reason.to_string(),
        (None, None) => error.kind().to_string(),
    }
}

/// Returns the values that are allowed, in words.
fn allowed(flag: &Arg, error: &clap::Error) -> Option<String> {
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue) {
        return Some(values.join(" or "));
    }
    let kind = match kind(flag) {
        "N" => "a number",
        "BYTES" => "a number of bytes such as 64MiB",
        "TIME" => "a time such as 90s",
        _ => return None, // the parser's error says it
    };
    let range = Limit::named(key(flag)).map(|limit| limit.range_text());
    match range.as_deref() {
        None | Some("any number") => Some(kind.to_owned()),
        Some(range) => Some(format!("{kind}, {range}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    /// Variables of the other commands, of the log, and of commands that `arauto offer` runs.
    const TAKEN: [&str; 7] = [
        "ARAUTO_ENDPOINT",
        "ARAUTO_FROM",
        "ARAUTO_LOG",
        "ARAUTO_PASSWORD",
        "ARAUTO_SERVER_USER",
        "ARAUTO_SERVICE",
        "ARAUTO_USER",
    ];

    fn by_variable(variable: &str, text: &str) -> Result<(Settings, Vec<String>), Failure> {
        read(|name| (name == variable).then(|| text.into()))
    }

    fn settings(variable: &str, text: &str) -> Settings {
        by_variable(variable, text).expect("the value is right").0
    }

    #[test]
    fn variable_of_each_setting_is_its_own() {
        let variables = variables();
        let distinct: BTreeSet<&str> = variables.iter().map(String::as_str).collect();
        assert_eq!(distinct.len(), variables.len(), "{variables:?}");
        let clashes: Vec<_> = TAKEN
            .iter()
            .filter(|name| distinct.contains(*name))
            .collect();
        assert!(clashes.is_empty(), "{clashes:?}");
        assert!(distinct.contains("ARAUTO_MAX_FRAME_BEFORE_LOGIN"));
        assert!(distinct.contains("ARAUTO_LOG_FORM"));
    }

    #[test]
    fn variables_of_all_types_are_read_as_their_flags() {
        let read = settings("ARAUTO_LISTEN", " unix:/a?max=2  tcp:127.0.0.1:0\n");
        assert_eq!(read.listen, ["unix:/a?max=2", "tcp:127.0.0.1:0"]);
        assert_eq!(settings("ARAUTO_JOURNAL", "false").journal, Some(false));
        assert_eq!(settings("ARAUTO_JOURNAL", "true").journal, Some(true));
        let age = settings("ARAUTO_RETAIN_AGE", "1h 30m").retain_age;
        assert_eq!(age, Some(Duration::from_secs(5400)));
        let data = settings("ARAUTO_DATA", "/a b/c").data;
        assert_eq!(data.as_deref(), Some("/a b/c".as_ref()));
        let config = settings("ARAUTO_MAX_FRAME", "2KiB").config();
        assert_eq!(config.expect("it is in range").limits.max_frame, 2048);
    }

    #[test]
    fn empty_variable_counts_as_not_set() {
        for (variable, text) in [
            ("ARAUTO_REPORT", ""),
            ("ARAUTO_LISTEN", "  "),
            ("ARAUTO_JOURNAL", ""),
            ("ARAUTO_MAX_FRAME", ""),
        ] {
            let (_, keys) = by_variable(variable, text).expect("it says nothing");
            assert!(keys.is_empty(), "{variable}: {keys:?}");
        }
    }

    #[test]
    fn wrong_variable_is_named_with_the_values_allowed() {
        for (variable, text, problem) in [
            ("ARAUTO_MAX_FRAME", "5", "must be between 1KiB and 1GiB"),
            (
                "ARAUTO_MAX_FRAME",
                "big",
                "bytes such as 64MiB, between 1KiB",
            ),
            ("ARAUTO_ARBITERS", "0", "must be between 1 and 1024"),
            (
                "ARAUTO_LOGIN_TIMEOUT",
                "soon",
                "a time such as 90s, between",
            ),
            ("ARAUTO_RETAIN_AGE", "soon", "a time such as 90s"),
            ("ARAUTO_REQUEST_RATE", "fast", "rate \"fast\": it must be"),
            ("ARAUTO_JOURNAL", "yes", "must be true or false"),
            ("ARAUTO_SLOW", "perhaps", "must be gap or disconnect"),
            ("ARAUTO_LOG_FORM", "debug", "must be human or json"),
            ("ARAUTO_DEFAULT_ROLE", "rei", "leitor"),
            ("ARAUTO_LISTEN", "pipe:a udp:x", "udp:x"),
        ] {
            let failure = by_variable(variable, text).expect_err(variable);
            let message = failure.message();
            assert_eq!(failure.code(), sysexits::CONFIG, "{message}");
            let named = format!("the variable {variable} is {text:?}: ");
            assert!(message.starts_with(&named), "{message}");
            assert!(message.contains(problem), "{message}");
        }
    }
}
