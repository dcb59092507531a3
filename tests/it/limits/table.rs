//! docs/limits.md has the table of limits that the server has, with its defaults and ranges.
//!
//! `UPDATE_DOCS=1 cargo test --test it limits::table` writes the table into the page.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use arauto::limits::Limit;

use crate::support::{arauto, finish, watchdog};

/// The lines of the page around the generated table.
const BEGIN: &str = "<!-- generated: `UPDATE_DOCS=1 cargo test --test it limits::table` -->\n";
const END: &str = "<!-- end of what is generated -->\n";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md")
}

/// The table, one part for each section.
fn generated() -> String {
    let mut table = String::new();
    let mut section = "";
    for limit in Limit::all() {
        if limit.section() != section {
            section = limit.section();
            write!(
                table,
                "\n### {section}\n\n\
                 | limit | flag | default | allowed | at the limit a client sees | a reload applies it |\n\
                 |---|---|---|---|---|---|\n"
            )
            .expect("a string takes everything");
        }
        writeln!(
            table,
            "| {} | `--{}` | {} | {} | {} | {} |",
            limit.help(),
            limit.name(),
            limit.default_text(),
            limit.range_text(),
            limit.effect(),
            limit.applies().as_str()
        )
        .expect("a string takes everything");
    }
    table + "\n"
}

#[test]
fn page_has_the_table_of_all_limits() {
    let page = std::fs::read_to_string(page()).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (table, after) = rest.split_once(END).expect("the table ends");
    let generated = generated();
    if std::env::var_os("UPDATE_DOCS").is_some() && table != generated {
        let page = format!("{before}{BEGIN}{generated}{END}{after}");
        std::fs::write(self::page(), page).expect("the page can be written");
        return;
    }
    assert_eq!(
        table, generated,
        "the page has another table: UPDATE_DOCS=1 cargo test --test it limits::table writes it"
    );
}

/// The key and the default of each row that has a flag.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let cells = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (_what, key) = (cells.next()?, cells.next()?);
        let key = key.strip_prefix("`--")?.strip_suffix('`')?;
        Some((key, cells.next()?))
    });
    cells.collect()
}

#[test]
fn documented_limit_is_a_flag_with_that_default() {
    let _watchdog = watchdog();
    let page = std::fs::read_to_string(page()).expect("the page is there");
    let help = finish(&mut arauto(&["serve", "--help"]), "").expect_success();
    let help: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = rows(&page);
    assert_eq!(rows.len(), Limit::all().count(), "{rows:?}");
    for (key, default) in rows {
        let (_, flag) = help
            .split_once(&format!("--{key} <"))
            .unwrap_or_else(|| panic!("no flag --{key}"));
        let flag = flag.split(" --").next().unwrap_or(flag); // and not its neighbour's
        let (_, said) = flag.split_once("[default: ").expect(flag);
        let (said, _) = said.split_once(']').expect(said);
        assert_eq!(said, default, "--{key}");
    }
}

#[test]
fn documented_limit_is_a_config_key() {
    let _watchdog = watchdog();
    let page = std::fs::read_to_string(page()).expect("the page is there");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("arauto.toml");
    for (key, _) in rows(&page) {
        // A value that is none: the key must be known for it to be what is wrong.
        std::fs::write(&path, format!("{key} = []\n")).expect("writable");
        let mut command = arauto(&["serve", "--data", "none", "--config"]);
        let done = finish(command.arg(&path), "");
        done.expect_failure(78, &["invalid type"]);
    }
}
