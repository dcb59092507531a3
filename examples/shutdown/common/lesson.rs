//! A lesson: a server and its explanation.

use std::collections::BTreeSet;

use super::account::Account;

/// The most ranges that are listed; further ones are counted.
const RANGES: usize = 4;

pub(crate) struct Lesson {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// The code of the stop, in a few words.
    pub(crate) title: &'static str,
    /// Why requests are lost, or why none is.
    pub(crate) why: &'static [&'static str],
    /// The way that arauto does it.
    pub(crate) arauto: &'static str,
    /// The file of arauto that does so.
    pub(crate) file: &'static str,
    /// Runs the lesson once over each transport that shows something of its own.
    pub(crate) run: fn() -> Vec<Account>,
}

impl Lesson {
    pub(crate) fn print(&self, accounts: &[Account]) {
        println!("{}: {}", self.name, self.title);
        for account in accounts {
            let lost = account.lost();
            println!(
                "  {:9}  asked {}, accepted {}, answered {}, lost {}",
                account.over,
                account.received.asked,
                account.accepted.len(),
                account.answered(),
                lost.len()
            );
            if !lost.is_empty() {
                println!("             lost: {}", ranges(&lost));
            }
            println!("             the client sees: {}", account.received.end);
            for note in &account.notes {
                println!("             {note}");
            }
        }
        self.explain();
    }

    pub(crate) fn explain(&self) {
        for (label, line) in std::iter::once("why")
            .chain(std::iter::repeat(""))
            .zip(self.why)
        {
            println!("  {label:9}  {line}");
        }
        println!("  {:9}  {}", "in arauto", self.arauto);
        println!("  {:9}  {}", "", self.file);
    }
}

/// Formats numbers as ranges: `1 to 3, 7, 9 to 12`.
fn ranges(ids: &BTreeSet<u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &id in ids {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == id => *last = id,
            _ => ranges.push((id, id)),
        }
    }
    let named = ranges
        .iter()
        .take(RANGES)
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first} to {last}"),
        });
    let named = named.collect::<Vec<_>>().join(", ");
    match ranges.len().saturating_sub(RANGES) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
