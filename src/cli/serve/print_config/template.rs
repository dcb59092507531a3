//! A config file that explains each setting and sets none: each is a comment with its default.
//!
//! The text is the same on every machine, as packages install it. So a default that depends on the
//! machine stands in the explanation, and the setting has an example.

use std::fmt::Write;

use arauto::limits::{Limit, Unit, Value};
use clap::Arg;

use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::settings::keys::{flags, key, kind};
use crate::cli::settings::limits::parse;
use crate::cli::settings::values::{Values, of_limit};

/// The width of a line of explanation, with the `# ` before it.
const WIDTH: usize = 96;

const HEAD: &str = "\
# The configuration of `arauto serve`, for its flag --config or the variable ARAUTO_CONFIG.
#
# Each setting is shown with its default, or with an example where it has none. Remove the # in
# front of a setting to change it. Flags and variables of the environment take precedence over
# this file; `arauto serve --print-config` prints which value is in effect, and its origin.
";

/// Returns the text.
///
/// # Errors
/// A default has no form in TOML, which is an error of the program.
pub(super) fn text() -> Result<String, Failure> {
    let defaults = defaults()?;
    let mut text = HEAD.to_owned();
    let mut section = None;
    let flags = flags();
    for flag in &flags {
        if flag.get_help_heading() != section {
            section = flag.get_help_heading();
            let title = section.unwrap_or_default();
            write!(text, "\n\n# ---- {title} ----\n").expect("a String takes it");
        }
        let value = shown(flag, &defaults)?;
        write!(text, "\n{}#{} = {value}\n", explanation(flag), key(flag))
            .expect("a String takes it");
    }
    Ok(text)
}

/// Returns the defaults, also of the settings that need a journal.
fn defaults() -> Result<Values, Failure> {
    let settings = Settings::parse("journal = true").expect("it is a config file");
    let mut defaults = settings.values(&settings.config()?)?;
    defaults.insert("journal", Some(toml::Value::Boolean(false)));
    defaults.remove("data"); // it depends on the user
    Ok(defaults)
}

/// Returns the help of a flag as comments.
fn explanation(flag: &Arg) -> String {
    let help = flag.get_long_help().or(flag.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut lines = vec!["#".to_owned()];
    let words = help.split_whitespace();
    // Other settings are named as keys here.
    for word in words.map(|word| word.strip_prefix("--").unwrap_or(word)) {
        let line = lines.last_mut().expect("there is one");
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("# {word}"));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    let range = Limit::named(key(flag)).map(|limit| limit.range_text());
    let is_bound = |range: &String| range.starts_with("between") || range.starts_with("at least");
    if let Some(range) = range.filter(is_bound) {
        lines.push(format!("# Allowed: {range}"));
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// Returns the default of a setting where that is one value on every machine, else an example.
fn shown(flag: &Arg, defaults: &Values) -> Result<toml::Value, Failure> {
    let key = key(flag);
    if let Some(limit) = Limit::named(key) {
        return match usual(limit) {
            Some(value) => of_limit(limit, value),
            None => Ok(example(flag)),
        };
    }
    match defaults.get(key) {
        Some(Some(value)) => Ok(value.clone()),
        _ => Ok(example(flag)),
    }
}

/// Returns the default of a limit where its words are a value, or begin with a number.
fn usual(limit: Limit) -> Option<Value> {
    let words = limit.default_text();
    let number = words.split(|c: char| !c.is_ascii_digit()).next();
    let counted = || number.filter(|_| limit.unit() == Unit::Count);
    let value = parse(limit.unit(), &words);
    value
        .or_else(|_| parse(limit.unit(), counted().unwrap_or_default()))
        .ok()
}

fn example(flag: &Arg) -> toml::Value {
    let text = match kind(flag) {
        "N" => return toml::Value::Integer(2),
        "BYTES" => "1GiB",
        "TIME" => "12h",
        "RATE" => "1000/s",
        "DIR" => "/var/lib/arauto",
        "FILE" => "/path/to/file",
        other => other,
    };
    toml::Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the settings of the text without the comment signs in front of them.
    fn uncommented() -> Vec<String> {
        let text = text().expect("every default has a form");
        let settings = text.lines().filter_map(|line| {
            let setting = line.strip_prefix('#')?;
            let is_setting = setting.starts_with(|c: char| c.is_ascii_lowercase());
            is_setting.then(|| setting.to_owned())
        });
        settings.collect()
    }

    #[test]
    fn each_setting_of_the_template_is_read_when_uncommented() {
        let lines = uncommented();
        let keys: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let flags = flags();
        assert_eq!(keys, flags.iter().map(key).collect::<Vec<_>>());
        for line in &lines {
            Settings::parse(line).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn template_uncommented_as_a_whole_is_a_configuration() {
        let file = uncommented()
            .join("\n")
            .replace("journal = false", "journal = true");
        let settings = Settings::parse(&file).unwrap_or_else(|error| panic!("{error}"));
        let config = settings
            .config()
            .unwrap_or_else(|failure| panic!("{}", failure.message()));
        let defaults = arauto::Config::default();
        for limit in Limit::all().filter(|limit| usual(*limit).is_some()) {
            assert_eq!(limit.get(&config), limit.get(&defaults), "{}", limit.name());
        }
    }

    #[test]
    fn template_as_it_is_sets_nothing() {
        let text = text().expect("every default has a form");
        let settings = Settings::parse(&text).expect("it is TOML");
        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", Settings::default())
        );
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest.is_some_and(|longest| longest <= 100), "{longest:?}");
    }
}
