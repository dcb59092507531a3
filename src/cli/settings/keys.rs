//! The keys of all settings, from their flags: a new setting needs nothing here.

use clap::{Arg, Args, Command};

use super::Settings;

/// Returns the flag of each setting, in the order of the help.
pub(crate) fn flags() -> Vec<Arg> {
    command().get_arguments().cloned().collect()
}

/// Returns a command that has only these flags.
pub(crate) fn command() -> Command {
    Settings::augment_args(Command::new("serve").no_binary_name(true))
}

/// Returns the key of a setting: its flag without the dashes.
pub(crate) fn key(flag: &Arg) -> &str {
    flag.get_long().expect("the flag of a setting has a name")
}

/// Returns the kind of value that the flag takes, as its help names it.
pub(crate) fn kind(flag: &Arg) -> &str {
    let names = flag.get_value_names().unwrap_or_default();
    names.first().map_or("", |name| name.as_str())
}
