//! The audit log of the real binary.

mod changes;
mod crash;
mod disk;
mod file;
mod flood;
mod logins;
mod rotation;
mod stop;

use std::path::PathBuf;
use std::process::Command;

use arauto::Endpoint;
use serde_json::Value;

use crate::admin::http::{self, Answer};
use crate::support::{
    CommandResult, FrameClient, Served, Stop, finish, json_lines, login, os, wait_until,
};

/// A server with an audit log and an admin endpoint.
struct Audited {
    served: Served,
    path: PathBuf,
    admin: Endpoint,
}

impl Audited {
    fn new() -> Audited {
        Audited::with(&[], |command| command)
    }

    /// Starts a server with more arguments, and with a change to its command.
    fn with(arguments: &[&str], alter: impl FnOnce(Command) -> Command) -> Audited {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("audit.jsonl");
        let admin = os::endpoint(folder.path(), "admin");
        let (shown, endpoint) = (path.display().to_string(), admin.to_string());
        let mut all = vec!["--no-console", "--audit", &shown, "--admin", &endpoint];
        all.extend(arguments);
        Audited {
            served: Served::with_command(folder, &all, alter),
            path,
            admin,
        }
    }

    /// Returns every record so far.
    fn records(&self) -> Vec<Value> {
        json_lines(&self.path)
    }

    /// Waits for the first record for which `is_it` holds.
    #[track_caller]
    fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let find = || self.records().into_iter().find(&is_it);
        wait_until(what, || find().is_some());
        find().expect("it was there")
    }

    /// Waits for the first record of an event.
    fn wait_for_event(&self, event: &str) -> Value {
        self.wait_for(event, |record| record["event"] == event)
    }

    fn users(&self, arguments: &[&str]) -> CommandResult {
        finish(&mut self.served.users(arguments), "")
    }

    fn get(&self, path: &str) -> Answer {
        http::get(&self.admin, path)
    }

    /// Logs in and ends the session.
    fn visit(&self, user: &str) {
        let mut client = self.served.unauthenticated();
        client.log_in(user);
        client.fim();
    }

    /// Stops the server, and returns every record.
    #[track_caller]
    fn stop(&mut self) -> Vec<Value> {
        self.served.send_stop(Stop::USUAL);
        assert_eq!(self.served.wait(), Some(0), "{}", self.served.log());
        self.records()
    }
}

/// Returns the events of records.
fn events(records: &[Value]) -> Vec<&str> {
    let events = records.iter().map(|record| record["event"].as_str());
    events.map(|event| event.expect("each has one")).collect()
}

/// Logs in with a wrong password, and returns the code that the client is told.
fn log_in_wrongly(client: &mut FrameClient, user: &str) -> String {
    client.send(&login(1, user, "errada"));
    client.expect("error").text("code").to_owned()
}
