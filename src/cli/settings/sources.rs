//! Joins the sources of settings. A flag takes precedence over a variable of the environment, the
//! variable over the config file, and the file over the default.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::super::escape::one_line;
use super::super::exit::Failure;
use super::Settings;
use super::environment::{self, CONFIG_FILE, variable};
use super::keys::{flags, key};

/// The source of a setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag.
    Flag,
    /// This variable of the environment.
    Environment(String),
    /// This config file.
    File(PathBuf),
    /// Nothing sets it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("flag"),
            Origin::Environment(variable) => write!(f, "environment {variable}"),
            // Escaped, as a line feed would end the comment that this is printed in.
            Origin::File(path) => write!(f, "file {}", one_line(&path.display().to_string())),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// The settings that the command's flags give.
#[derive(Clone)]
pub(crate) struct Flags {
    settings: Settings,
    keys: Vec<String>,
}

/// The settings of all sources, and the origin of each.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The settings.
    pub(crate) settings: Settings,
    /// By key; those that are left out have their defaults.
    origins: BTreeMap<String, Origin>,
}

impl Resolved {
    /// Returns the origin of a key.
    pub(crate) fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }
}

impl Flags {
    /// Returns the longest time that a stop may take, as far as the flags say.
    pub(crate) fn drain_timeout(&self) -> Duration {
        self.settings.drain_timeout()
    }

    /// Adds the settings of the environment and of the config file, which is the one at `path`
    /// or else the one that the environment names.
    ///
    /// # Errors
    /// A variable has a wrong value, or the file is wrong.
    pub(crate) fn resolve(self, path: Option<&Path>) -> Result<Resolved, Failure> {
        self.resolve_in(path, |name| std::env::var_os(name))
    }

    /// As [`Flags::resolve`], in an environment that has the variables that `lookup` finds.
    ///
    /// # Errors
    /// See [`Flags::resolve`].
    pub(crate) fn resolve_in(
        self,
        path: Option<&Path>,
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Resolved, Failure> {
        let lookup = |name: &str| lookup(name).filter(|text| !text.is_empty());
        let (by_environment, variables) = environment::read(lookup)?;
        let path = path.map(Path::to_owned);
        let path = path.or_else(|| lookup(CONFIG_FILE).map(PathBuf::from));
        let (by_file, file_keys) = match &path {
            Some(path) => Settings::read(path)?,
            None => Default::default(),
        };
        let mut origins = BTreeMap::new();
        if let Some(path) = path {
            let from_file = file_keys.into_iter();
            origins.extend(from_file.map(|key| (key, Origin::File(path.clone()))));
        }
        let of_variable = |key: String| {
            let origin = Origin::Environment(variable(&key));
            (key, origin)
        };
        origins.extend(variables.into_iter().map(of_variable));
        origins.extend(self.keys.into_iter().map(|key| (key, Origin::Flag)));
        Ok(Resolved {
            settings: self.settings.or(by_environment).or(by_file),
            origins,
        })
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        Settings::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Settings::augment_args_for_update(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Flags::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        let keys = given(matches); // first, as reading takes the values out
        let settings = Settings::from_arg_matches_mut(matches)?;
        Ok(Flags { settings, keys })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.keys.extend(given(matches));
        self.settings.update_from_arg_matches(matches)
    }
}

/// Returns the keys whose flags were given.
fn given(matches: &ArgMatches) -> Vec<String> {
    let flags = flags().into_iter();
    let given = flags.filter(|flag| {
        let source = matches.value_source(flag.get_id().as_str());
        source == Some(ValueSource::CommandLine)
    });
    given.map(|flag| key(&flag).to_owned()).collect()
}

#[cfg(all(test, not(fuzzing)))] // the fuzz targets have no tempfile
mod tests {
    use super::super::keys::command;
    use super::*;

    fn by_flags(flags: &[&str]) -> Flags {
        let matches = command().try_get_matches_from(flags);
        Flags::from_arg_matches(&matches.expect("they are flags")).expect("they are right")
    }

    /// Resolves settings of a file that has `text`.
    fn resolved(flags: &[&str], variables: &[(&str, &str)], text: &str) -> (Resolved, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("arauto.toml");
        std::fs::write(&path, text).expect("the folder is ours");
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, text)| OsString::from(text))
        };
        let resolved = by_flags(flags).resolve_in(Some(&path), lookup);
        (resolved.expect("all sources are right"), path)
    }

    #[test]
    fn flag_wins_over_variable_over_file_over_default() {
        let text = "max-sessions = 1\nmax-frame = 2048\npatterns = 3\nslow = \"disconnect\"\n";
        let variables = [("ARAUTO_MAX_SESSIONS", "2"), ("ARAUTO_MAX_FRAME", "4KiB")];
        let (resolved, path) = resolved(&["--max-sessions=3"], &variables, text);
        let config = resolved.settings.config().expect("they go together");
        let limits = config.limits;
        assert_eq!(
            (limits.max_sessions, limits.max_frame, limits.patterns),
            (3, 4096, 3)
        );
        let variable = Origin::Environment("ARAUTO_MAX_FRAME".to_owned());
        for (key, origin) in [
            ("max-sessions", Origin::Flag),
            ("max-frame", variable),
            ("patterns", Origin::File(path.clone())),
            ("slow", Origin::File(path)),
            ("cursors", Origin::Default),
        ] {
            assert_eq!(resolved.origin(key), origin, "{key}");
        }
    }

    #[test]
    fn journal_of_a_file_is_switched_off_by_variable_and_flag() {
        let off = [("ARAUTO_JOURNAL", "false")];
        for (flags, variables, journal) in [
            (&[][..], &[][..], true),
            (&[], &off, false),
            (&["--journal=false"], &[], false),
            (&["--journal"], &off, true),
        ] {
            let (resolved, _) = resolved(flags, variables, "journal = true\n");
            assert_eq!(resolved.settings.journal, Some(journal), "{flags:?}");
        }
    }

    #[test]
    fn listen_of_one_source_replaces_that_of_another() {
        let variables = [("ARAUTO_LISTEN", "pipe:b pipe:c")];
        let text = "listen = [\"pipe:d\"]\n";
        let (resolved, _) = resolved(&[], &variables, text);
        assert_eq!(resolved.settings.listen, ["pipe:b", "pipe:c"]);
        let (resolved, _) = self::resolved(&["--listen=pipe:a"], &variables, text);
        assert_eq!(resolved.settings.listen, ["pipe:a"]);
        assert_eq!(resolved.origin("listen"), Origin::Flag);
    }

    #[test]
    fn config_file_is_named_by_a_variable() {
        let lookup = |name: &str| (name == CONFIG_FILE).then(|| "/no/such/file".into());
        let failure = by_flags(&[]).resolve_in(None, lookup).expect_err("no file");
        assert!(failure.message().contains("/no/such/file"));
        let empty = |name: &str| (name == CONFIG_FILE).then(OsString::new);
        by_flags(&[])
            .resolve_in(None, empty)
            .expect("nothing is named");
    }

    #[test]
    fn origin_stays_on_one_line() {
        let path = PathBuf::from("/a\nlisten = []");
        let origin = Origin::File(path).to_string();
        assert!(!origin.contains('\n'), "{origin}");
    }
}
