//! The file of `arauto users import`.
//!
//! - Everybody in it has a name that is one, once.
//! - Names and passwords are normalized once and for all: what was read, written again,
//!   is read as the same.
//! - A hash that is taken over can be checked at a cost that a server can bear.
//! - A rule is written again as it was read.
//! - What is wrong is told by its line, on one line, with nothing in it that hides.

#![no_main]

#[path = "../../src/cli/users/file.rs"]
mod file;

use std::collections::HashSet;

use arauto::UserName;
use arauto::internal::accounts::RuleScope;
use arauto::wire::text::hides;
use arauto_fuzz::memory::peak;
use file::{ImportFile, ImportedRule, Secret};
use libfuzzer_sys::fuzz_target;

/// The most memory for one hash, in KiB.
const MOST_KIB: u64 = 1024 * 1024;

fuzz_target!(|text: &str| {
    let (read, peak) = peak(|| file::read(text));
    assert!(
        peak <= 64 * 1024 + 128 * text.len(),
        "{peak} bytes for {}",
        text.len()
    );
    match read {
        Ok(file) => contents(text, &file),
        Err(error) => {
            let error = error.to_string();
            let place = error
                .strip_prefix("line ")
                .and_then(|rest| rest.split_once(": "));
            let (number, problem) = place.expect("the place comes first");
            let number: usize = number.parse().expect("a line has a number");
            assert!((1..=text.lines().count()).contains(&number));
            assert!(!problem.is_empty() && !error.contains(hides), "{error:?}");
        }
    }
});

fn contents(text: &str, file: &ImportFile) {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let is_rule = |number: &usize| file.rules.iter().any(|rule| rule.number == *number);
    let secrets = lines
        .filter(|(number, _)| !is_rule(number))
        .map(|(_, line)| {
            let line = line.strip_prefix('\t').unwrap_or(line);
            line.splitn(3, '\t').nth(2).expect("it was accepted")
        });
    let secrets: Vec<&str> = secrets.collect();
    assert_eq!(secrets.len(), file.users.len());
    let names: HashSet<&UserName> = file.users.iter().map(|user| &user.name).collect();
    assert_eq!(names.len(), file.users.len(), "nobody comes twice");
    let mut again = String::new();
    for (user, secret) in file.users.iter().zip(secrets) {
        let (name, role) = (user.name.as_str(), user.role);
        assert!((1..=64).contains(&name.len()) && !name.contains(hides) && !name.contains(' '));
        assert_eq!(UserName::parse(name).as_ref(), Ok(&user.name));
        if let Secret::Hash(phc) = &user.secret {
            affordable(phc);
        }
        // A name may begin like a comment, which the tab prevents.
        again.push_str(&format!("\t{name}\t{role}\t{secret}\r\n"));
    }
    for ImportedRule { rule, .. } in &file.rules {
        let (effect, kind, pattern) = (rule.rule.effect, rule.rule.kind, &rule.rule.pattern);
        again.push_str(&format!("{effect}\t{kind}\t{pattern}"));
        if let RuleScope::Account(user) = &rule.scope {
            again.push_str(&format!("\t{user}"));
        }
        again.push('\n');
    }
    let known = file::read(&again).expect("it was accepted");
    assert_eq!(known.users, file.users);
    let rules = |file: &ImportFile| -> Vec<_> {
        file.rules
            .iter()
            .map(|imported| imported.rule.clone())
            .collect()
    };
    assert_eq!(rules(&known), rules(file));
}

fn affordable(phc: &str) {
    assert!(phc.starts_with("$argon2id$") && !phc.contains(hides));
    // Where none is given it is argon2's default.
    for memory in phc
        .split(['$', ','])
        .filter_map(|part| part.strip_prefix("m="))
    {
        let memory: u64 = memory.parse().expect("it is a number");
        assert!(memory <= MOST_KIB, "{phc}");
    }
}
