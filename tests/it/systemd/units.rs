//! The units themselves, as systemd's tools judge them, and their exit codes.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use super::unit_file::UnitFile;
use crate::support::has_tool;

const UNITS: [&str; 2] = ["arauto.service", "arauto.socket"];

/// The highest exposure that `systemd-analyze security` may give, in tenths.
const HIGHEST_EXPOSURE: &str = "--threshold=15";

/// Copies the units to a folder. The program's path becomes that of the program under test, as
/// systemd-analyze looks for it.
fn installed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for unit in UNITS {
        let text = std::fs::read_to_string(UnitFile::path(unit)).expect("it is in the tree");
        let text = text.replace("/usr/bin/arauto", env!("CARGO_BIN_EXE_arauto"));
        std::fs::write(folder.path().join(unit), text).expect("the folder is ours");
    }
    folder
}

fn analyze(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("systemd-analyze");
    // The colon at the end adds the system's own units.
    command.env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()));
    command.args(arguments).output().expect("it is installed")
}

#[test]
fn shipped_units_pass_systemd_analyze_verify() {
    if !has_tool("systemd-analyze") {
        return;
    }
    let folder = installed();
    for unit in UNITS {
        let path = folder.path().join(unit);
        let path = path.to_str().expect("the folder's path is utf-8");
        let verified = analyze(folder.path(), &["verify", "--man=no", path]);
        let problems = String::from_utf8_lossy(&verified.stderr);
        let of_the_unit: Vec<_> = problems
            .lines()
            .filter(|line| line.contains("arauto"))
            .collect();
        assert!(of_the_unit.is_empty(), "{problems}");
        assert!(verified.status.success(), "{problems}");
    }
}

#[test]
fn shipped_service_has_an_exposure_of_at_most_1_5() {
    if !has_tool("systemd-analyze") {
        return;
    }
    let folder = installed();
    let path = folder.path().join("arauto.service");
    let path = path.to_str().expect("the folder's path is utf-8");
    let judged = analyze(
        folder.path(),
        &["security", "--offline=true", HIGHEST_EXPOSURE, path],
    );
    let table = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{table}");
    assert!(table.contains("Overall exposure level"), "{table}");
}

#[test]
fn lines_that_running_md_shows_are_those_of_the_units() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/running.md");
    let page = std::fs::read_to_string(page).expect("the page is in the tree");
    for unit in UNITS {
        let text = std::fs::read_to_string(UnitFile::path(unit)).expect("it is in the tree");
        let lines: BTreeSet<&str> = text.lines().collect();
        let block = page
            .split("```ini\n")
            .find_map(|block| block.strip_prefix(&format!("# {unit}\n")));
        let (block, _) = block
            .and_then(|block| block.split_once("```"))
            .expect("it is shown");
        let others: Vec<_> = block.lines().filter(|line| !lines.contains(line)).collect();
        assert!(others.is_empty(), "{unit}: {others:?}");
    }
}

/// Returns the rows of the first table behind a heading of a page, as their cells.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).expect("the page is in the tree");
    let (_, behind) = text
        .split_once(&format!("{heading}\n"))
        .expect("it has the heading");
    let table = behind.lines().skip_while(|line| !line.starts_with('|'));
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    table
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
        .collect()
}

/// Returns the numbers at the begin of the rows.
fn codes(rows: &[Vec<String>]) -> BTreeSet<u8> {
    rows.iter().filter_map(|row| row[0].parse().ok()).collect()
}

#[test]
fn restarts_of_the_unit_are_those_that_running_md_lists() {
    let service = UnitFile::read("arauto.service");
    let of_the_unit = |setting| -> BTreeSet<u8> {
        let words = service.words(setting);
        words
            .iter()
            .map(|word| word.parse().expect("a number"))
            .collect()
    };
    let table = rows("docs/running.md", "### Exit codes and restarts");
    let with = |answer: &str| -> BTreeSet<u8> {
        let rows = table
            .iter()
            .filter(|row| row.last().is_some_and(|last| last == answer));
        codes(&rows.cloned().collect::<Vec<_>>())
    };
    let (restarted, left) = (with("yes"), with("no"));
    assert_eq!(
        codes(&table),
        restarted.union(&left).copied().collect(),
        "each is answered"
    );
    let mut prevented = of_the_unit("RestartPreventExitStatus");
    prevented.insert(0); // Restart=on-failure
    assert_eq!(prevented, left);
    assert!(of_the_unit("SuccessExitStatus").is_subset(&left));
    assert_eq!(service.value("Restart"), "on-failure");
}

#[test]
fn exit_codes_of_serve_are_all_in_the_table_of_restarts() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/exit.rs");
    let source = std::fs::read_to_string(source).expect("it is in the tree");
    let constants = source.lines().filter_map(|line| {
        let (_, value) = line
            .trim()
            .strip_prefix("pub(crate) const ")?
            .split_once(": u8 = ")?;
        value.strip_suffix(';')?.parse::<u8>().ok()
    });
    let mut known: BTreeSet<u8> = constants.collect();
    assert!(known.len() > 10, "{known:?}");
    let of_commands = codes(&rows("docs/commands.md", "## Exit codes"));
    assert!(known.is_subset(&of_commands), "{known:?} {of_commands:?}");
    known.remove(&76); // a client's: the other end speaks another protocol
    known.extend([0, 3, 4]); // of a stop
    let of_restarts = codes(&rows("docs/running.md", "### Exit codes and restarts"));
    assert_eq!(of_restarts, known);
}
