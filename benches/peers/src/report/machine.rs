//! The machine of the measurement.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::start::Programs;

/// Names and what they were, in the order of the table.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine(pub Vec<(String, String)>);

impl Machine {
    /// This one, now.
    pub fn look(programs: &Programs) -> Machine {
        let nats = programs.nats.display().to_string();
        let facts = [
            ("processor", processor()),
            ("memory", memory()),
            ("system", os()),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("load before the first run", load()),
            ("nats-server", says(&nats, &["--version"])),
            ("nats-server of Debian", says("nats-server", &["--version"])),
            ("redis-server", says("redis-server", &["--version"])),
            ("mosquitto", says("mosquitto", &["-h"])),
            ("rustc", says("rustc", &["--version"])),
            ("arauto", commit()),
            ("date", says("date", &["--utc", "+%F"])),
        ];
        let named = facts.map(|(name, fact)| (name.to_owned(), fact));
        Machine(named.into())
    }
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|_| "unknown".to_owned());
    text.trim().to_owned()
}

/// The first line that a program prints.
fn says(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once([':', '='])?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn processor() -> String {
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let flags = field("/proc/cpuinfo", "flags").unwrap_or_default();
    let guest = match flags.split(' ').any(|flag| flag == "hypervisor") {
        true => ", in a virtual machine",
        false => "",
    };
    format!("{model}, {count} processors{guest}")
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal").and_then(|text| {
        let number = text.split(' ').next()?;
        number.parse::<f64>().ok()
    });
    kib.map_or("unknown".to_owned(), |kib| {
        format!("{:.1} GiB", kib / 1024.0 / 1024.0)
    })
}

fn os() -> String {
    field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| "unknown".to_owned())
}

fn load() -> String {
    let load = read("/proc/loadavg");
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

fn commit() -> String {
    let commit = says("git", &["rev-parse", "--short=12", "HEAD"]);
    let output = Command::new("git")
        .args(["status", "--porcelain", "--untracked-files=no", "--", "."])
        .args([":!docs"]) // the tables themselves
        .output();
    let clean = output.is_ok_and(|output| output.stdout.is_empty());
    match clean {
        true => format!("commit {commit}"),
        false => format!("commit {commit}, and changes"),
    }
}
