//! The admin endpoint of the real binary: HTTP over a socket of its own.

mod acts;
mod bounds;
#[cfg(target_os = "linux")] // a browser that is driven by pipes
mod browser;
mod drain;
mod endpoint;
mod explain;
mod health;
pub mod http;
mod metrics;
mod page;
#[cfg(target_os = "linux")] // has_tool
mod prometheus;
mod status;

use std::process::Command;

use arauto::Endpoint;
use tempfile::TempDir;

use crate::support::{Served, os};

/// A server with an admin endpoint.
struct Administered {
    served: Served,
    admin: Endpoint,
}

impl Administered {
    fn new() -> Administered {
        Administered::with(&[], |command| command)
    }

    /// Starts a server with more arguments, and with a change to its command.
    fn with(arguments: &[&str], alter: impl FnOnce(Command) -> Command) -> Administered {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let admin = admin_in(&folder);
        let text = admin.to_string();
        let mut all = vec!["--no-console", "--admin", &text];
        all.extend(arguments);
        Administered {
            served: Served::with_command(folder, &all, alter),
            admin,
        }
    }

    fn get(&self, path: &str) -> http::Answer {
        http::get(&self.admin, path)
    }
}

/// Returns an admin endpoint in a server's folder.
fn admin_in(folder: &TempDir) -> Endpoint {
    os::endpoint(folder.path(), "admin")
}
