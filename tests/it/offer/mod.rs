//! `arauto offer`, `arauto pedir --service` and `arauto services`, and the library's services at a
//! real server.

mod command;
mod library;
mod lines;
mod page;
mod stop;
mod usage;

use std::process::Child;

use serde_json::Value;

use crate::support::{CommandResult, Served, Stop, finish, os, spawn, wait_until};

/// An `arauto offer` that runs; it is killed when it is dropped.
struct Offer {
    child: Child,
}

impl Offer {
    /// Starts an offer of the user rui, and waits until the server has it.
    fn start(served: &Served, arguments: &[&str]) -> Offer {
        let mut command = served.command(&["offer"]);
        command.env("ARAUTO_USER", "rui").args(arguments);
        let child = spawn(os::can_get_stop_signals(&mut command));
        wait_until("the service is offered", || !offers(served).is_empty());
        Offer { child }
    }

    fn send_stop(&self) {
        os::send_stop(self.child.id(), Stop::USUAL);
    }

    fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it is a child").code()
    }

    /// Sends a stop signal, and asserts exit 0.
    fn stop(mut self) {
        self.send_stop();
        assert_eq!(self.wait(), Some(0));
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

/// Returns the services that `arauto services --json` prints.
fn services(served: &Served) -> Vec<Value> {
    let printed = finish(&mut served.command(&["services", "--json"]), "").expect_success();
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

/// Returns the offers of the first service.
fn offers(served: &Served) -> Vec<Value> {
    let services = services(served);
    let offers = services.first().and_then(|line| line["offers"].as_array());
    offers.cloned().unwrap_or_default()
}

/// Returns the number of calls in work of the first service.
fn in_work(served: &Served) -> u64 {
    let offers = offers(served);
    offers
        .iter()
        .filter_map(|offer| offer["in_work"].as_u64())
        .sum()
}

/// Sends requests to the service `s`.
fn pedir(served: &Served, arguments: &[&str], input: &str) -> CommandResult {
    let mut command = served.command(&["pedir", "--service", "s"]);
    finish(command.args(arguments), input)
}
