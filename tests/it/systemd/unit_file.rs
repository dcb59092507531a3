//! Reads unit files (systemd.syntax(7)), as far as those of this project go.

use std::path::PathBuf;

/// A unit of packaging/systemd.
pub struct UnitFile {
    text: String,
}

impl UnitFile {
    pub fn read(name: &str) -> UnitFile {
        let text = std::fs::read_to_string(UnitFile::path(name)).expect("the unit is in the tree");
        UnitFile {
            text: text.replace("\\\n", " "),
        }
    }

    pub fn path(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("packaging/systemd")
            .join(name)
    }

    /// Returns the values of a setting, in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let settings = self.text.lines().filter_map(|line| line.split_once('='));
        let values = settings.filter(|(key, _)| *key == name);
        values.map(|(_, value)| value.trim()).collect()
    }

    /// Returns the value of a setting that stands there once.
    #[track_caller]
    pub fn value(&self, name: &str) -> &str {
        match self.values(name)[..] {
            [value] => value,
            ref values => panic!("{name}: {values:?}"),
        }
    }

    /// Returns the words of such a setting.
    #[track_caller]
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.value(name).split_whitespace().collect()
    }
}
