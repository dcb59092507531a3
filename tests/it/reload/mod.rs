//! `arauto reload` and SIGHUP: the settings of a running server are read again.

mod effects;
mod order;
mod refusals;
#[cfg(unix)] // needs signals and files in place of flags
mod sources;
mod table;

use std::path::PathBuf;
use std::process::Command;

use arauto::Endpoint;

use crate::support::{CommandResult, Served, arauto, finish, os};

/// A server with a config file and an admin endpoint.
struct Configured {
    served: Served,
    admin: Endpoint,
    file: PathBuf,
}

impl Configured {
    /// Starts a server whose config file has this text, with more arguments.
    fn new(text: &str, arguments: &[&str]) -> Configured {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let admin = os::endpoint(folder.path(), "admin");
        let file = folder.path().join("arauto.toml");
        std::fs::write(&file, text).expect("the folder is ours");
        let endpoint = admin.to_string();
        let mut all = vec!["--no-console", "--admin", &endpoint];
        all.extend(arguments);
        let served = Served::with_command(folder, &all, |mut command| {
            command.arg("--config").arg(&file);
            command
        });
        Configured {
            served,
            admin,
            file,
        }
    }

    /// Replaces the text of the config file.
    fn write(&self, text: &str) {
        std::fs::write(&self.file, text).expect("the folder is ours");
    }

    /// Makes a command for the server's admin endpoint.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = arauto(arguments);
        command.env("ARAUTO_ADMIN", self.admin.to_string());
        command
    }

    /// Runs `arauto reload` with this text in the config file.
    fn reload(&self, text: &str) -> CommandResult {
        self.write(text);
        finish(&mut self.command(&["reload"]), "")
    }

    /// Runs `arauto reload`, asserts that it has succeeded, and returns what it has printed.
    #[track_caller]
    fn reload_well(&self, text: &str) -> String {
        self.reload(text).expect_success()
    }
}
